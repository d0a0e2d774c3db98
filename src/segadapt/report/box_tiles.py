"""Pictures of boxes: images with what is there and what was found, and mistakes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from segadapt.report import pictures, wording
from segadapt.report.mistakes import MistakesRow
from segadapt.report.records import Evaluation, Mistake, Picture, Score
from segadapt.report.tiles import Tile

MISTAKE_WIDTH = 180


def box_view(evaluation: Evaluation, width: int) -> dict[str, Any]:
    """What is shown in place of maps."""
    return {
        "pictures": [
            (picture, box_tiles(picture, evaluation.scores, width))
            for picture in evaluation.pictures
        ],
        "mistakes": [
            MistakesRow(
                wording.display_name(found.checkpoint),
                [_mistake_tile(one) for one in found.images],
            )
            for found in evaluation.mistakes
            if found.images
        ],
    }


def box_tiles(picture: Picture, scores: Sequence[Score], width: int) -> list[Tile]:
    """Input, truth, then what every checkpoint found, in the order of ``scores``."""
    tiles = [
        Tile("Input", "", "image", pictures.inline_photo(picture.image, width)),
        Tile("Truth", "", "image", pictures.inline_photo(picture.truth, width)),
    ]
    for score in scores:
        files = picture.predictions.get(score.checkpoint)
        if files is not None:
            inlined = pictures.inline_photo(files.boxes, width)
            tiles.append(Tile(wording.marked_name(score), "", "image", inlined))
    return tiles


def _mistake_tile(one: Mistake) -> Tile:
    what = {
        "class": f"{one.truth} as {one.predicted}",
        "twice": f"{one.predicted}, found twice",
        "place": f"{one.predicted}, badly placed",
        "background": f"no {one.predicted}",
    }[one.kind]
    inlined = pictures.inline_photo(one.image, MISTAKE_WIDTH)
    return Tile(what, f"{one.probability:.2f}", "image", inlined)
