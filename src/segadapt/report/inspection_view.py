"""What is shown of checkpoints side by side on images without labels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segadapt.report import pictures, wording
from segadapt.report.inspection_records import InspectedPicture, Inspection
from segadapt.report.label_free_numbers import ClassShares, NumberRow, class_shares, number_rows
from segadapt.report.records import Run, Stage
from segadapt.report.tiles import Tile

GROUPS = {
    "changed": "Where {last} differs most from {first}",
    "unsure": "What {last} is least sure of",
    "sure": "What {last} is surest of",
}


@dataclass(frozen=True)
class PictureGroup:
    """Images that are shown for one reason, with their tiles."""

    title: str
    pictures: list[tuple[InspectedPicture, list[Tile]]]


@dataclass(frozen=True)
class InspectionView:
    """Everything shown about one inspection."""

    inspection: Inspection
    names: list[str]
    origins: list[str]
    """Of every checkpoint: which state of which training it is, and what chose it."""
    numbers: list[NumberRow]
    shares: list[ClassShares]
    groups: list[PictureGroup]


def inspection_views(run: Run, width: int) -> list[InspectionView]:
    """All inspections of a run, with pictures at most ``width`` pixels wide."""
    on_source = [e for e in run.evaluations if e.on_source]
    stages = {stage.name: stage for stage in run.stages}
    views = []
    for found in run.inspections:
        names = [wording.display_name(x.checkpoint) for x in found.checkpoints]
        origins = [origin(stages.get(x.checkpoint)) for x in found.checkpoints]
        views.append(
            InspectionView(
                found,
                names,
                origins,
                number_rows(found, on_source),
                class_shares(found),
                _groups(found, names, width),
            )
        )
    return views


def origin(stage: Stage | None) -> str:
    """Which state a stage's checkpoint is, and what chose it; None of a stage that was left out."""
    if stage is None:
        return "its stage’s folder is left out of this page"
    if stage.kind == "select":
        trained = wording.display_name(str(stage.config.get("snapshots", "")).partition(".")[0])
        score = str(stage.summary.get("score", ""))
        return (
            f"the state of {trained} after iteration {stage.summary.get('chosen')}, chosen by "
            f"{wording.LABEL_FREE.get(score, score)}, without target labels"
        )
    if stage.iterations:
        labels = ", trained with target labels" if stage.is_oracle else ""
        return f"the last state, after {stage.iterations} iterations; nothing chose it{labels}"
    return "taken over as it is; nothing chose it"


def _groups(found: Inspection, names: list[str], width: int) -> list[PictureGroup]:
    groups = []
    for why, title in GROUPS.items():
        chosen = [(p, _tiles(found, p, names, width)) for p in found.pictures if p.why == why]
        if chosen:
            groups.append(PictureGroup(title.format(first=names[0], last=names[-1]), chosen))
    return groups


def _tiles(
    found: Inspection, picture: InspectedPicture, names: list[str], width: int
) -> list[Tile]:
    """The photograph and where it was changed, then prediction and entropy of every checkpoint."""
    files, folder = picture.files, picture.folder
    if found.of == "images":
        said = [files["predictions"][x.checkpoint]["class"] for x in found.checkpoints]
        photo = pictures.inline_photo(folder / files["image"], width)
        return [Tile(" → ".join(said), "", "image", photo)]
    tiles = [Tile("Photo", "", "image", pictures.inline_photo(folder / files["image"], width))]
    if "differ" in files:
        share = f"{wording.percent(1 - picture.image.agreement)} %"
        differ = pictures.inline_photo(folder / files["differ"], width)
        tiles.append(Tile(f"Where {names[-1]} differs", share, "image", differ))
    for place, name in enumerate(names):
        drawn = files["predictions"][found.checkpoints[place].checkpoint]
        entropy = f"{picture.image.entropy[place]:.2f}"
        tiles.append(_prediction(name, drawn, folder, width))
        if "entropy" in drawn:
            inlined = pictures.inline_entropy(folder / drawn["entropy"], width)
            tiles.append(Tile(f"{name}, entropy", entropy, "entropy", inlined))
    return tiles


def _prediction(name: str, drawn: dict[str, Any], folder: Path, width: int) -> Tile:
    if "boxes" in drawn:
        number = f"{drawn['number']} boxes" if drawn["number"] != 1 else "1 box"
        return Tile(name, number, "image", pictures.inline_photo(folder / drawn["boxes"], width))
    return Tile(name, "", "prediction", pictures.inline_labels(folder / drawn["label"], width))
