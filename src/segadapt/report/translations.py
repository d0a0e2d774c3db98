"""Source images beside their translations, and how a translator learned to make them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segadapt.artefacts import IMAGES_FILE, TRANSLATOR_FILE
from segadapt.report import pictures
from segadapt.report.records import Run, Stage
from segadapt.report.tiles import Tile


@dataclass(frozen=True)
class TranslationView:
    """Everything shown about one ``translate`` stage."""

    stage: Stage
    how: str
    agreement: float | None
    """Share that a source segmenter sees alike before and after, of what ``agreement_of`` says."""
    agreement_of: str
    segmenter: str
    groups: list[list[Tile]]
    """Of one image each: source, translated and, where there is a way back, cycled."""


@dataclass(frozen=True)
class TranslatorView:
    """Sheets of samples over the training of one translator."""

    stage: Stage
    to_target: list[Tile]
    to_source: list[Tile]


def translation_views(run: Run, width: int) -> list[TranslationView]:
    """The finished ``translate`` stages of a run, with pictures at most ``width`` wide."""
    found = []
    for stage in run.stages:
        if not stage.finished or not (stage.directory / IMAGES_FILE).is_file():
            continue
        groups = [
            _group(path, min(width, 320))
            for path in sorted((stage.directory / "gallery").glob("*.source.jpg"), key=_number)
        ]
        found.append(
            TranslationView(
                stage=stage,
                how=_how(stage.config.get("translation") or {}),
                agreement=stage.summary.get("agreement"),
                agreement_of=stage.summary.get("agreement_of", "pixels"),
                segmenter=str(stage.config.get("segmenter") or "").partition(".")[0],
                groups=groups,
            )
        )
    return found


def _number(path: Path) -> int:
    """Of a gallery's image: past 99999 they have six digits, and names another order."""
    return int(path.name.partition(".")[0])


def _how(settings: dict[str, Any]) -> str:
    if settings.get("rule") == "folder":
        return "translated elsewhere"
    if settings.get("rule") == "generator":
        return f"translated by {settings.get('translator') or settings.get('file')}"
    return f"given the target’s low frequencies (FDA, β = {settings.get('beta')})"


def _group(path: Path, width: int) -> list[Tile]:
    tiles = []
    for title in ("Source", "Translated", "Cycled"):
        file = path.with_name(path.name.replace(".source.", f".{title.lower()}."))
        if file.is_file():
            tiles.append(Tile(title, "", "image", pictures.inline_photo(file, width)))
    return tiles


def translator_views(run: Run, width: int) -> list[TranslatorView]:
    """The finished ``train_translator`` stages of a run."""
    return [
        TranslatorView(stage, _sheets(stage, "source", width), _sheets(stage, "target", width))
        for stage in run.stages
        if stage.finished and (stage.directory / TRANSLATOR_FILE).is_file()
    ]


def _sheets(stage: Stage, domain: str, width: int, most: int = 4) -> list[Tile]:
    """Evenly spaced sheets, the last one included."""
    files = sorted((stage.directory / "sheets").glob(f"*.{domain}.jpg"))
    number = min(most, len(files))
    chosen = [files[round((k + 1) * len(files) / number) - 1] for k in range(number)]
    return [
        Tile(f"Iteration {int(f.name.split('.')[0])}", "", "image", pictures.inline_photo(f, width))
        for f in chosen
    ]
