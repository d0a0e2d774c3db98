"""Reads a run directory into plain typed records.

Nothing here draws or words anything, and nothing here needs torch. A run that is still going is
read as far as it has got: a stage counts as finished once its ``manifest.json`` exists, and only
the loss log of an unfinished stage is looked at.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from segadapt.report.belonging import StageFolder, belonging
from segadapt.report.inspections import read_inspections
from segadapt.report.records import (
    BOXES,
    Evaluation,
    GalleryItem,
    LossLog,
    Mistake,
    Mistakes,
    Picture,
    PredictionFiles,
    RankedImage,
    Run,
    Score,
    ScoredSnapshot,
    Selection,
    Split,
    Stage,
)

MEASURES = {"mIoU": "miou", "accuracy": "pixel_accuracy", BOXES: "ap50"}
"""Keys of scores by what they are called."""
BOX_MEANS = {"AP75": "ap75", "mAP": "map"}


def read_run(directory: Path) -> Run:
    """Read the run in `directory`; FileNotFoundError says plainly when it is not one."""
    info_path = directory / "run.json"
    if not info_path.is_file():
        raise FileNotFoundError(f"{directory} is not a run directory: it has no run.json")
    recipe = directory / "recipe.yaml"
    found = belonging(directory)
    info = _read_json(info_path)
    info["warnings"] = [*(info.get("warnings") or ()), *found.told]
    stages = [_stage(folder) for folder in found.folders]
    logs = {stage.number: log for stage in stages if (log := _read_log(stage)) is not None}
    done = [stage for stage in stages if stage.finished]
    recipe_text = recipe.read_text(encoding="utf-8") if recipe.is_file() else ""
    sources, is_unscored = _scored(recipe_text)
    return Run(
        directory=directory,
        info=info,
        recipe_text=recipe_text,
        stages=stages,
        logs=logs,
        splits=[(s, _read_split(s)) for s in done if (s.directory / "split.json").is_file()],
        evaluations=[
            read_evaluation(s, on_source=s.config.get("domain") in sources)
            for s in done
            if s.kind == "evaluate" and (s.directory / "report.json").is_file()
        ],
        inspections=read_inspections(stages),
        is_unscored=is_unscored,
    )


def _scored(recipe_text: str) -> tuple[set[str], bool]:
    """The recipe's source domains, and whether no stage scores anything on another.

    A recipe that somebody has damaged since says nothing of either.
    """
    try:
        recipe = yaml.safe_load(recipe_text)
    except yaml.YAMLError:
        recipe = None
    if not isinstance(recipe, dict):
        return set(), False
    domains = recipe.get("domains") or {}
    sources = {name for name, domain in domains.items() if domain.get("role") == "source"}
    stages = (recipe.get("stages") or {}).values()
    scored = [stage.get("domain") for stage in stages if stage.get("stage") == "evaluate"]
    return sources, bool(stages) and all(domain in sources for domain in scored)


def _read_json(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8")))


def _finite(value: Any) -> float | None:
    """`value` as a float, or None where there is no usable number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) else None


def _file(directory: Path, name: Any) -> Path | None:
    path = directory / str(name) if name else None
    return path if path is not None and path.is_file() else None


def _stage(folder: StageFolder) -> Stage:
    number, name, path, manifest = folder
    if manifest is None:
        kind = "train" if (path / "metrics.jsonl").is_file() else ""
        return Stage(number, name, path, finished=False, kind=kind)
    settings = manifest.get("settings") or manifest.get("config")
    summary = manifest.get("summary")
    return Stage(
        number,
        str(manifest.get("name", name)),
        path,
        finished=True,
        kind=str(manifest.get("stage", "")),
        seconds=_finite(manifest.get("seconds")),
        config=settings if isinstance(settings, Mapping) else {},
        summary=summary if isinstance(summary, Mapping) else {},
    )


def _read_log(stage: Stage) -> LossLog | None:
    path = stage.directory / "metrics.jsonl"
    if not path.is_file():
        return None
    losses: dict[str, list[tuple[int, float]]] = {}
    speeds: list[float] = []
    last = not_finite = 0
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue  # the last line of a log that is being written may be cut short
        iteration = _finite(row.get("iteration")) if isinstance(row, dict) else None
        if iteration is None:
            continue
        last = max(last, int(iteration))
        speed = _finite(row.get("images_per_second"))
        if speed is not None:
            speeds.append(speed)
        for key, value in row.items():
            if key.startswith(("loss_", "share_")):
                number = _finite(value)
                if number is not None:
                    losses.setdefault(key, []).append((int(iteration), number))
                elif value is not None:
                    not_finite += 1
    speed = sorted(speeds)[len(speeds) // 2] if speeds else None
    return LossLog(losses, last, speed, not_finite)


def _read_split(stage: Stage) -> Split:
    raw = _read_json(stage.directory / "split.json")
    images = [
        RankedImage(
            name=str(row["name"]),
            score=float(row["score"]),
            mean_entropy=float(row["mean_entropy"]),
            predicted_classes=int(row.get("predicted_classes", 0)),
            rare_classes=int(row.get("rare_classes", 0)),
            is_easy=row["split"] == "easy",
        )
        for row in raw["images"]
    ]
    gallery = []
    folder = stage.directory / "gallery"
    for place in _shown(folder, len(images)):
        files = [
            _file(folder, f"{place:05d}.{part}")
            for part in ("image.jpg", "prediction.png", "entropy.png")
        ]
        if any(files):
            gallery.append(GalleryItem(place, images[place], *files))
    return Split(
        domain=str(raw.get("domain", "")),
        ratio=float(raw["ratio"]),
        normalisation=str(raw.get("normalisation", "none")),
        images=images,
        gallery=gallery,
    )


def _shown(folder: Path, number: int) -> list[int]:
    """Places in a ranking that have pictures: a few of what may be a million."""
    beginnings = {x.name.partition(".")[0] for x in folder.iterdir()} if folder.is_dir() else set()
    places = {int(text) for text in beginnings if text.isdecimal()}
    return sorted(place for place in places if place < number)


def read_evaluation(stage: Stage, on_source: bool = False) -> Evaluation:
    """What an evaluate stage left in its folder; ``on_source``: it scored a source."""
    raw = _read_json(stage.directory / "report.json")
    measure = str(raw.get("measure", "mIoU"))
    return Evaluation(
        stage=stage,
        domain=str(raw.get("domain", "")),
        classes=[str(name) for name in raw["classes"]],
        colours=[(int(r), int(g), int(b)) for r, g, b in raw["colours"]],
        absent_rule=str(raw.get("absent_rule") or ""),
        measure=measure,
        scores=[_read_score(row, MEASURES[measure]) for row in raw.get("scores", [])],
        mistakes=[_read_mistakes(stage.directory, row) for row in raw.get("mistakes", [])],
        pictures=[_read_picture(stage.directory, row) for row in raw.get("pictures", [])],
        selections=[_read_selection(row, MEASURES[measure]) for row in raw.get("selections", [])],
        images=int(_finite(raw.get("images")) or 0),
        on_source=on_source,
    )


def _read_mistakes(directory: Path, row: Mapping[str, Any]) -> Mistakes:
    return Mistakes(
        checkpoint=str(row["checkpoint"]),
        images=[
            Mistake(
                image=_file(directory, one.get("image")),
                truth=str(one["truth"]),
                predicted=str(one["predicted"]),
                probability=float(one["probability"]),
                kind=str(one.get("kind", "class")),
            )
            for one in row.get("images", [])
        ],
    )


def _read_selection(row: Mapping[str, Any], measure: str) -> Selection:
    return Selection(
        trained=str(row["trained"]),
        score=str(row["score"]),
        chosen=int(row["chosen"]),
        snapshots=[
            ScoredSnapshot(
                iteration=int(snapshot["iteration"]),
                scores={str(k): _finite(v) for k, v in (snapshot.get("scores") or {}).items()},
                value=_finite(snapshot.get(measure)),
            )
            for snapshot in row.get("snapshots", [])
        ],
    )


def _read_score(row: Mapping[str, Any], measure: str) -> Score:
    return Score(
        checkpoint=str(row["checkpoint"]),
        is_oracle=bool(row.get("oracle", False)),
        value=_finite(row.get(measure)),
        iou=[_finite(value) for value in row.get("class_ap50", row.get("iou")) or []],
        pixel_accuracy=_finite(row.get("pixel_accuracy")),
        confusion=[[int(count) for count in line] for line in row.get("confusion") or []],
        subsets={str(k): _finite(v) for k, v in (row.get("subsets") or {}).items()},
        scored_and_trained_on=int(_finite(row.get("scored_and_trained_on")) or 0),
        means={name: _finite(row[key]) for name, key in BOX_MEANS.items() if key in row},
        precision=[
            None if curve is None else [float(value) for value in curve]
            for curve in row.get("precision") or []
        ],
    )


def _read_picture(directory: Path, row: Mapping[str, Any]) -> Picture:
    predictions = {
        str(checkpoint): PredictionFiles(
            label=_file(directory, files.get("label")),
            entropy=_file(directory, files.get("entropy")),
            value=_finite(files.get("miou")),
            boxes=_file(directory, files.get("boxes")),
            two_views={
                str(key): path
                for key, name in (files.get("two_views") or {}).items()
                if (path := _file(directory, name)) is not None
            },
        )
        for checkpoint, files in (row.get("predictions") or {}).items()
    }
    return Picture(
        name=str(row["name"]),
        image=_file(directory, row.get("image")),
        truth=_file(directory, row.get("truth")),
        predictions=predictions,
    )
