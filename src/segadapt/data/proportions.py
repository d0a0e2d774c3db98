"""Whether images keep their shape when they are resized."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from segadapt.base.errors import SegadaptError
from segadapt.data.domain import PROPORTIONS, Domain
from segadapt.data.transforms import UNDECODABLE, image_size

LOOKED_AT = 50
"""Headers that are read where not all images are."""


def squeezed(domain: Domain, sizes: Mapping[tuple[int, int], int]) -> str | None:
    """A sentence where the domain's size has other proportions than its images.

    Args:
        domain: what resizes its images, or not.
        sizes: number of images by (height, width).
    """
    if domain.size is None:
        return None
    ratio = domain.size[0] / domain.size[1]
    off = {(h, w): n for (h, w), n in sizes.items() if not _near(ratio * w / h)}
    if not off:
        return None
    height, width = max(off, key=lambda size: off[size])
    number, total = sum(off.values()), sum(sizes.values())
    return (
        f"{domain.title}: size {list(domain.size)} (height, width) has other proportions than "
        f"{number} of {total} images looked at, most of them {height}x{width} (height x width); "
        "they are squeezed"
    )


def header_sizes(domain: Domain) -> Counter[tuple[int, int]]:
    """Sizes of some images, evenly spaced in the domain, as their headers say."""
    numbers = np.linspace(0, len(domain) - 1, min(LOOKED_AT, len(domain))).round().astype(int)
    sizes: Counter[tuple[int, int]] = Counter()
    for number in numbers:
        try:
            sizes[image_size(domain.samples[number].image)] += 1
        except (SegadaptError, *UNDECODABLE):  # told where the image is read
            continue
    return sizes


def _near(factor: float) -> bool:
    return 1 / PROPORTIONS < factor < PROPORTIONS
