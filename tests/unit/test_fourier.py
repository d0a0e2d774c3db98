"""FDA against its definition, and what it must keep."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from segadapt.translation.fourier import swap_low_frequencies


def noise(
    seed: int, size: tuple[int, int] = (12, 17), low: int = 60, high: int = 180
) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(low, high, (*size, 3)).astype(np.uint8)


def test_beta_zero_swaps_the_mean_colours_alone() -> None:
    image, style = noise(0, low=90, high=110), noise(1, low=140, high=160)
    found = swap_low_frequencies(image, style, 0.0).astype(float)
    # The same shift of whole values everywhere, and so rounded alike.
    assert found.mean(axis=(0, 1)) == pytest.approx(style.mean(axis=(0, 1)), abs=0.501)
    shift = found - image
    assert np.ptp(shift, axis=(0, 1)).max() <= 1.0, "the same shift everywhere, up to rounding"


def test_frequencies_in_the_square_are_the_style_s_and_the_others_the_image_s() -> None:
    image, style = noise(0, low=100, high=150), noise(1, low=100, high=150)
    found = swap_low_frequencies(image, style, 0.2)
    reach = 2  # of twelve rows

    def amplitude(x: NDArray[np.uint8]) -> NDArray[np.float64]:
        return np.abs(np.fft.fft2(x.astype(float), axes=(0, 1)))

    rows = np.minimum(np.arange(12), 12 - np.arange(12))
    columns = np.minimum(np.arange(17), 17 - np.arange(17))
    inside = (rows[:, None] <= reach) & (columns[None] <= reach)
    # Rounding to whole values moves an amplitude by about sqrt(12 * 17 / 12).
    tolerance = 5 * np.sqrt(12 * 17 / 12)
    assert np.abs(amplitude(found) - amplitude(style))[inside].max() < tolerance
    assert np.abs(amplitude(found) - amplitude(image))[~inside].max() < tolerance


@settings(max_examples=20)
@given(st.integers(0, 1000), st.floats(0, 0.5))
def test_an_image_in_its_own_style_stays_as_it_is(seed: int, beta: float) -> None:
    image = noise(seed)
    assert np.abs(swap_low_frequencies(image, image, beta).astype(int) - image).max() <= 1
