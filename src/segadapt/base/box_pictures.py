"""Images with boxes drawn in: their classes' colours, names, and how sure a detector is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw, ImageFont

from segadapt.base.classes import ClassSet

WIDTHS = (480, 960)
"""Pixels; smaller images are enlarged and larger ones shrunk, so that names can be read."""
LEAST_DRAWN = 0.3
"""Score of a box from which it is drawn: below there are very many."""
NO_CLASS = 255
"""Id of boxes that are ignored."""
GREY = (150, 150, 150)
LIGHT = 150
"""Brightness of a colour, of 255, from which black is read better on it than white."""

Box: TypeAlias = tuple[int, int, int, int]
Font: TypeAlias = ImageFont.ImageFont | ImageFont.FreeTypeFont


def box_picture(
    image: NDArray[np.uint8],
    boxes: ArrayLike,
    ids: Sequence[int],
    classes: ClassSet,
    scores: Sequence[float] | None = None,
    widths: tuple[int, int] = WIDTHS,
) -> Image.Image:
    """RGB ``image`` (height, width, 3) with its boxes, and a name on each.

    Args:
        image: in its own size.
        boxes: (K, 4) left, top, right, bottom in its pixels.
        ids: of their classes; those of 255 are thin, grey and without a name.
        classes: names and colours.
        scores: in [0, 1], which follow the names; what is below 0.3 is not drawn.
        widths: the least and the most of the picture.
    """
    height, width = image.shape[:2]
    factor = min(max(width, widths[0]), widths[1]) / width
    size = (round(factor * width), max(1, round(factor * height)))
    picture = Image.fromarray(image)
    if size != picture.size:
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    draw = ImageDraw.Draw(picture)
    line = max(3, round(size[0] / 220))
    font = ImageFont.load_default(max(12, round(size[0] / 46)))
    table = np.asarray(boxes, np.float64).reshape(-1, 4) * factor
    # The surest, or the largest, comes first: it is drawn last, above the others, and named.
    weight = (table[:, 2:] - table[:, :2]).prod(axis=1) if scores is None else np.asarray(scores)
    order = [int(place) for place in np.argsort(-weight, kind="stable")]
    if scores is not None:
        order = [place for place in order if scores[place] >= LEAST_DRAWN]
    drawn = [(_on_picture(table[place], size), place) for place in order]
    for box, place in reversed(drawn):
        if ids[place] == NO_CLASS:
            draw.rectangle(box, outline=GREY)
        else:
            _outline(draw, box, classes.colours[ids[place]], line)
    taken: list[Box] = []
    for box, place in drawn:
        if ids[place] == NO_CLASS:
            continue
        name, colour = classes.names[ids[place]], classes.colours[ids[place]]
        text = name if scores is None else f"{name} {scores[place]:.2f}"
        ground = _ground(draw, box, text, font)
        # In a crowd names would hide the boxes; the colours tell the classes of the others.
        if not any(_meet(ground, other) for other in taken):
            taken.append(ground)
            draw.rectangle(ground, fill=colour)
            ink = "black" if _is_light(colour) else "white"
            draw.text((ground[0] + 3, ground[1] + 3), text, fill=ink, font=font, anchor="lt")
    return picture


def _on_picture(box: NDArray[np.float64], size: tuple[int, int]) -> Box:
    left, right = (int(min(max(round(x), 0), size[0] - 1)) for x in box[[0, 2]])
    top, bottom = (int(min(max(round(y), 0), size[1] - 1)) for y in box[[1, 3]])
    return left, top, max(left, right), max(top, bottom)


def _outline(
    draw: ImageDraw.ImageDraw,
    box: Box,
    colour: tuple[int, int, int],
    line: int,
) -> None:
    # A dark colour would not show on a night's street, nor a light one on its snow.
    edge = "black" if _is_light(colour) else "white"
    left, top, right, bottom = box
    draw.rectangle((left - 1, top - 1, right + 1, bottom + 1), outline=edge)
    draw.rectangle(box, outline=colour, width=line)


def _ground(draw: ImageDraw.ImageDraw, box: Box, text: str, font: Font) -> Box:
    """What a name covers: above the box, or in it where the picture ends."""
    width, height = (int(x) + 6 for x in draw.textbbox((0, 0), text, font=font, anchor="lt")[2:])
    left = max(0, min(box[0], draw.im.size[0] - width))
    top = box[1] - height if box[1] >= height else box[1]
    return left, top, left + width, top + height


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _is_light(colour: tuple[int, int, int]) -> bool:
    red, green, blue = colour
    return 0.299 * red + 0.587 * green + 0.114 * blue >= LIGHT
