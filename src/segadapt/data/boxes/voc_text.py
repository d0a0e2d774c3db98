"""Writes boxes as Pascal VOC does. Apart from reading them, which needs torch."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

CORNERS = ("xmin", "ymin", "xmax", "ymax")


def voc_text(boxes: NDArray[np.float32], names: Sequence[str], size: tuple[int, int]) -> str:
    """The text of a file that holds the boxes of one image, for :mod:`segadapt.data.boxes.voc`.

    Args:
        boxes: (M, 6) in whole pixels; those that are ignored are ``difficult``.
        names: of the classes, by train id.
        size: (height, width) of the image.
    """
    lines = ["<annotation>"]
    lines.append(f"  <size><width>{size[1]}</width><height>{size[0]}</height></size>")
    for left, top, right, bottom, label, ignored in boxes.round().astype(int).tolist():
        corners = zip(CORNERS, (left + 1, top + 1, right, bottom), strict=True)
        inner = "".join(f"<{key}>{value}</{key}>" for key, value in corners)
        lines.append(
            f"  <object><name>{escape(names[label])}</name><difficult>{ignored}</difficult>"
            f"<bndbox>{inner}</bndbox></object>"
        )
    return "\n".join([*lines, "</annotation>", ""])
