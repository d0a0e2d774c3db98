"""Images with one label each that checkpoints were surest about, and wrong."""

from __future__ import annotations

from dataclasses import dataclass

from segadapt.report import pictures, wording
from segadapt.report.records import Evaluation
from segadapt.report.tiles import Tile

WIDTH = 96


@dataclass(frozen=True)
class MistakesRow:
    """The mistakes of one checkpoint."""

    name: str
    tiles: list[Tile]


def mistakes(evaluation: Evaluation) -> list[MistakesRow]:
    """A row for every checkpoint that made some."""
    return [
        MistakesRow(
            wording.display_name(found.checkpoint),
            [
                Tile(
                    f"{one.truth} as {one.predicted}",
                    f"{one.probability:.2f}",
                    "image",
                    pictures.inline_photo(one.image, WIDTH),
                )
                for one in found.images
            ],
        )
        for found in evaluation.mistakes
        if found.images
    ]
