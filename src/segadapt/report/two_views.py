"""Where two classifiers disagree, and where the second one looks (CIRN, Fig. 3 and Eq. 7)."""

from __future__ import annotations

from dataclasses import dataclass

from segadapt.report import pictures, wording
from segadapt.report.records import Evaluation
from segadapt.report.tiles import Tile

PICTURES = 2
"""Of an evaluation are shown; one says as much as the others."""


@dataclass(frozen=True)
class TwoViewsRow:
    """One picture through the eyes of one checkpoint."""

    checkpoint: str
    tiles: list[Tile]


@dataclass(frozen=True)
class TwoViewsPicture:
    """One picture, and a row for every checkpoint with two classifiers."""

    name: str
    input: Tile
    rows: list[TwoViewsRow]


def two_views(evaluation: Evaluation, width: int) -> list[TwoViewsPicture]:
    """The first pictures, with checkpoints in the order of the scores."""
    found = []
    for picture in evaluation.pictures[:PICTURES]:
        rows = []
        for score in evaluation.scores:
            files = picture.predictions.get(score.checkpoint)
            if files is None or not files.two_views:
                continue
            tiles = []
            for key, path in files.two_views.items():
                title = (
                    "Distance R" if key == "distance" else key.replace("attention-", "Attention ")
                )
                tiles.append(Tile(title, "", "entropy", pictures.inline_entropy(path, width)))
            rows.append(TwoViewsRow(wording.marked_name(score), tiles))
        if rows:
            shown = Tile("Input", "", "image", pictures.inline_photo(picture.image, width))
            found.append(TwoViewsPicture(picture.name, shown, rows))
    return found
