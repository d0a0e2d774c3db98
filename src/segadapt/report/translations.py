"""Source images beside their translations."""

from __future__ import annotations

from dataclasses import dataclass

from segadapt.artefacts import IMAGES_FILE
from segadapt.report import pictures
from segadapt.report.records import Run, Stage
from segadapt.report.tiles import Tile


@dataclass(frozen=True)
class TranslationView:
    """Everything shown about one ``translate`` stage."""

    stage: Stage
    how: str
    pairs: list[list[Tile]]


def translation_views(run: Run, width: int) -> list[TranslationView]:
    """The finished ``translate`` stages of a run, with pictures at most ``width`` wide."""
    found = []
    for stage in run.stages:
        if not stage.finished or not (stage.directory / IMAGES_FILE).is_file():
            continue
        pairs = []
        for path in sorted((stage.directory / "gallery").glob("*.source.jpg")):
            other = path.with_name(path.name.replace(".source.", ".translated."))
            pairs.append(
                [
                    Tile("Source", "", "image", pictures.inline_photo(path, min(width, 320))),
                    Tile("Translated", "", "image", pictures.inline_photo(other, min(width, 320))),
                ]
            )
        settings = stage.config.get("translation") or {}
        how = (
            "translated elsewhere"
            if settings.get("rule") == "folder"
            else f"given the target’s low frequencies (FDA, β = {settings.get('beta')})"
        )
        found.append(TranslationView(stage, how, pairs))
    return found
