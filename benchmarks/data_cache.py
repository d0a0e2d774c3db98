"""Images a second per core, with their labels: the loader before, and with ``cache``.

    python benchmarks/data_cache.py CAMVID [--enlarge 1024 2048] [--size 512 1024] [--images 40]

CAMVID is a folder in that data set's layout. With ``--enlarge`` its images are first written as PNG
of that (height, width), as the large data sets have them. "Before" makes the calls that the loader
made before there was a cache: each image from file to array, then resized; labels mapped as a
whole, then resized. All decode in one process with one thread. A core's seconds are the process's
own, so that others on the machine count less; those that the disk takes to write are not in them.
Rounds alternate; the median counts, and the spread is given.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps

from segadapt.config import DomainConfig
from segadapt.data.domain import Domain
from segadapt.data.listing import open_domain
from segadapt.data.loader import training_batches
from segadapt.data.pixel_cache import PixelCache
from segadapt.data.transforms import resize_image, resize_label


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("camvid", type=Path)
    parser.add_argument("--enlarge", type=int, nargs=2)
    parser.add_argument("--size", type=int, nargs=2, default=[224, 320])
    parser.add_argument("--images", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        root = options.camvid.absolute()
        if options.enlarge:
            root = enlarged(root, Path(temporary, "large"), options.enlarge, options.images)
        config = DomainConfig(
            dataset="camvid",
            split="train",
            role="source",
            size=options.size,
            limit=options.images,
        )
        domain = open_domain(config, root, True, "domain")
        rates: dict[str, list[float]] = {}

        def measure(title: str, epoch: Callable[[], None]) -> None:
            start = time.process_time()
            epoch()
            rate = len(domain) / (time.process_time() - start)
            rates.setdefault(title, []).append(rate)

        before(domain)
        for number in range(options.rounds):
            cached = replace(domain, cache=PixelCache(Path(temporary, f"kept{number}")))
            measure("before", lambda: before(domain))
            measure("without cache", lambda: epoch_of(domain))
            measure("first epoch", partial(epoch_of, cached))
            measure("later epochs", partial(epoch_of, cached))
    base = statistics.median(rates["before"])
    for title, found in rates.items():
        middle = statistics.median(found)
        print(
            f"{title:14} {middle:8.1f} images/s per core ({min(found):.1f} to {max(found):.1f}), "
            f"{middle / base:.2f} times"
        )


def enlarged(root: Path, to: Path, size: list[int], number: int) -> Path:
    """The first images and labels as PNG of (height, width) ``size``."""
    for folder, kind in (
        ("images", Image.Resampling.BICUBIC),
        ("labels", Image.Resampling.NEAREST),
    ):
        (to / folder / "train").mkdir(parents=True)
        for path in sorted((root / folder / "train").iterdir())[:number]:
            image = Image.open(path).resize((size[1], size[0]), kind)
            image.save(to / folder / "train" / f"{path.stem}.png")
    return to


def epoch_of(domain: Domain) -> None:
    """Every image once, as a training sees them."""
    for _ in training_batches(domain, 1, 0, (0, len(domain)), (0, 1), True, 0):
        pass


def before(domain: Domain) -> None:
    """The same by the calls that were made before."""
    table = domain.class_map.table()
    assert domain.size is not None
    for sample in domain.samples:
        assert isinstance(sample.image, Path) and isinstance(sample.label, Path)
        upright = ImageOps.exif_transpose(Image.open(sample.image))
        image = resize_image(np.array(upright.convert("RGB")), domain.size)
        label = resize_label(mapped(np.array(Image.open(sample.label)), table), domain.size)
        torch.stack([torch.from_numpy(image)])
        torch.stack([torch.from_numpy(label)])


def mapped(ids: NDArray[np.uint8], table: NDArray[np.int16]) -> NDArray[np.uint8]:
    """Train ids, with a look at every pixel whether it is known."""
    inside = (ids >= 0) & (ids < len(table))
    found = table[np.where(inside, ids, 0)]
    assert not (~inside | (found < 0)).any()
    return found.astype(np.uint8)


if __name__ == "__main__":
    main()
