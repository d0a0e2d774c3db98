"""FDA: the target's low frequencies in the source (Yang and Soatto, CVPR 2020)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def swap_low_frequencies(
    image: NDArray[np.uint8], style: NDArray[np.uint8], beta: float
) -> NDArray[np.uint8]:
    """Give an image the low-frequency amplitudes of another one (FDA, Eq. 3).

    Args:
        image: RGB (height, width, 3) of the source; its phase, and so its structure, stays.
        style: RGB of the same size, of the target.
        beta: half the side of the swapped square of the centred spectrum, as a share of the shorter
            side of the image, in [0, 0.5]. 0 swaps the mean colours alone.

    Returns:
        RGB (height, width, 3), values outside 0 to 255 cut off.
    """
    content = np.fft.fft2(image.astype(np.float64), axes=(0, 1))
    amplitude = np.fft.fftshift(np.abs(content), axes=(0, 1))
    wanted = np.fft.fftshift(
        np.abs(np.fft.fft2(style.astype(np.float64), axes=(0, 1))), axes=(0, 1)
    )
    height, width = image.shape[:2]
    reach = int(np.floor(min(height, width) * beta))
    y, x = height // 2, width // 2
    square = np.s_[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1]
    amplitude[square] = wanted[square]
    spectrum = np.fft.ifftshift(amplitude, axes=(0, 1)) * np.exp(1j * np.angle(content))
    mixed = np.real(np.fft.ifft2(spectrum, axes=(0, 1)))
    return np.clip(mixed.round(), 0, 255).astype(np.uint8)
