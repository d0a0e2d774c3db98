"""``classes.yaml``, where there is none: from what the labels hold, or from the other folder."""

from __future__ import annotations

import colorsys
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

from segadapt.base.classes import CAMVID_11, CITYSCAPES_19
from segadapt.base.errors import SegadaptError
from segadapt.data.datasets import folder
from segadapt.data.labels import with_labels
from segadapt.data.listing import find_images
from segadapt.data.transforms import opened

LOOKED_AT = 200
"""Label files that are read."""
MOST = 100
"""Of values that can be classes; more are a photograph's, or an instance's."""
BLACK = (0, 0, 0)
VOID = (255, 65535)
NAMELESS = "class-"
KNOWN: dict[tuple[int, ...], str] = {
    colour: name
    for known in (CAMVID_11, CITYSCAPES_19)  # the latter's names go first
    for name, colour in zip(known.names, known.colours, strict=True)
}
"""Classes by the colours that many tools give them."""


def draft(root: Path, split: str) -> str:
    """The text of ``classes.yaml`` with all values of the labels, classes without names yet.

    Raises:
        SegadaptError: the labels hold too many values to be classes, or too few.
    """
    samples = folder.samples(root, split)
    place = folder.label_folder(root, split)
    paired, _ = with_labels(samples, list(find_images(root / "images" / split)), place, str(root))
    files = [s.label for s in paired if s.label is not None and s.label.is_file()]
    counts: Counter[tuple[int, ...]] = Counter()
    for path in files[:: max(1, len(files) // LOOKED_AT)]:
        counts.update(_values(opened(path, "label")))
        if len(counts) > MOST:
            raise SegadaptError(
                f"{path}: label files in {place} hold more than {MOST} values, which are too many "
                "for classes; are they photographs, or lossy? Write classes.yaml by hand, as in "
                "docs/own-data.md"
            )
    colours = all(len(value) == 3 for value in counts)
    ignored = [v for v in counts if (v == BLACK if colours else v[0] in VOID)]
    values = sorted(v for v in counts if v not in ignored)
    if len(values) < 2:
        raise SegadaptError(
            f"{place}: the label files hold {len(values)} classes, and at least 2 are needed"
        )
    return _text(values, colours, ignored)


def _values(image: Image.Image) -> Counter[tuple[int, ...]]:
    """How often each id, or each colour, occurs."""
    if image.mode in ("RGB", "RGBA"):
        rgb = np.array(image.convert("RGB")).reshape(-1, 3).astype(np.int64)
        if (
            np.array_equal(rgb[:, 0], rgb[:, 1]) and np.array_equal(rgb[:, 0], rgb[:, 2])
        ) or not rgb[:, 1:].any():
            rgb = rgb[:, :1]
    else:
        rgb = np.array(image).reshape(-1, 1).astype(np.int64)
    width = rgb.shape[1]
    packed = rgb @ [1 << 16, 1 << 8, 1] if width == 3 else rgb[:, 0]
    found, counts = np.unique(packed, return_counts=True)
    if width == 3:
        found = np.stack([found // 65536, found // 256 % 256, found % 256], axis=1)
    return Counter(
        {
            tuple(int(x) for x in np.atleast_1d(v)): int(n)
            for v, n in zip(found, counts, strict=True)
        }
    )


def _text(values: list[tuple[int, ...]], colours: bool, ignored: list[tuple[int, ...]]) -> str:
    lines = [
        "# The names of classes are yours to give; two are joined by listing all ids under one.",
        "classes:",
    ]
    for number, value in enumerate(values):
        name = KNOWN.get(value, f"{NAMELESS}{number}") if colours else f"{NAMELESS}{number}"
        colour = list(value) if colours else _colour(number, len(values))
        ids = [] if colours else list(value)
        lines.append(f"  - {{name: {name}, colour: {colour}, ids: {ids}}}")
    lines.append(
        "# Pixels of these values have no class: they are neither learned from nor scored."
    )
    if colours:
        lines += ["ignore: [255]", f"ignore_colours: {[list(v) for v in ignored] or [[0, 0, 0]]}"]
    else:
        lines.append(f"ignore: {sorted({v[0] for v in ignored} | {255})}")
    return "\n".join(lines) + "\n"


def _colour(number: int, total: int) -> list[int]:
    red, green, blue = colorsys.hsv_to_rgb(number / total, 0.65, 0.9 if number % 2 else 0.6)
    return [round(255 * x) for x in (red, green, blue)]
