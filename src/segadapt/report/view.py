"""Turns a run that was read into what the template shows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from segadapt.report import charts, pictures, wording
from segadapt.report.box_charts import precision_chart
from segadapt.report.box_tiles import box_view
from segadapt.report.choices import choice_view
from segadapt.report.embedding import embeddings
from segadapt.report.examples import example_views
from segadapt.report.gap import best_oracle, share_closed
from segadapt.report.inspection_view import inspection_views
from segadapt.report.mistakes import mistakes
from segadapt.report.pixel_splits import pixel_split_views
from segadapt.report.records import (
    Evaluation,
    GalleryItem,
    Picture,
    Run,
    Score,
    Split,
    Stage,
)
from segadapt.report.snapshot_curves import snapshot_curves
from segadapt.report.tiles import Tile
from segadapt.report.trainings import training_views
from segadapt.report.translations import translation_views, translator_views
from segadapt.report.two_views import two_views

SHOWN = 0.0005
"""Smallest fraction that is not 0.0 as percent."""


@dataclass(frozen=True)
class Cell:
    """One value of the per-class table."""

    text: str
    heat: float
    is_best: bool
    is_oracle: bool


@dataclass(frozen=True)
class ClassRow:
    """One class of the per-class table."""

    name: str
    colour: tuple[int, int, int]
    cells: list[Cell]
    change: float | None


def stage_views(run: Run) -> list[dict[str, Any]]:
    """The pipeline strip."""
    total = sum(stage.seconds or 0.0 for stage in run.stages) or 1.0
    return [
        {
            "stage": stage,
            "name": wording.display_name(stage.name),
            "kind": _kind(stage),
            "time": wording.duration(stage.seconds) if stage.finished else "not finished",
            "share": 100 * (stage.seconds or 0.0) / total,
        }
        for stage in run.stages
    ]


def _kind(stage: Stage) -> str:
    if stage.iterations:
        return f"{stage.iterations} iterations"
    kind = stage.kind.rpartition(":")[2].replace("_", " ")  # of package.module:Class the class
    return "" if stage.kind == stage.name else kind


def score_rows(evaluation: Evaluation) -> list[dict[str, Any]]:
    """The summary table: every checkpoint with its numbers and its gain over the first."""
    first = (wording.honest_scores(evaluation) or evaluation.scores)[0]
    best = wording.best_honest(evaluation)
    oracle = best_oracle(evaluation.scores)
    rows = []
    for score in evaluation.scores:
        points = None if score is first else wording.points_between(score.value, first.value)
        rows.append(
            {
                "name": wording.display_name(score.checkpoint),
                "score": score,
                "is_best": score is best,
                "gain": wording.gain(points),
                "closed": None
                if score is first or score.is_oracle
                else share_closed(score.value, first.value, oracle),
                "is_noise": points is not None and abs(points) < wording.ONE_SEED,
            }
        )
    return rows


def bars(evaluation: Evaluation, key: str) -> Markup:
    """The bar chart of one evaluation, of its measure."""
    return charts.score_bars(
        [
            charts.Bar(row["name"], row["score"].value, row["gain"], row["score"].is_oracle)
            for row in score_rows(evaluation)
        ],
        key,
    )


def class_rows(evaluation: Evaluation) -> list[ClassRow]:
    """The per-class table, with the best value among those without target labels marked."""
    honest = wording.honest_scores(evaluation)
    best = wording.best_adapted(evaluation)
    rows = []
    for place, (name, colour) in enumerate(
        zip(evaluation.classes, evaluation.colours, strict=True)
    ):
        present = [v for s in honest if (v := _iou(s, place)) is not None]
        top = max(present, default=0.0) if len(honest) > 1 else 0.0
        cells = [
            Cell(
                text=wording.percent(value := _iou(score, place)),
                heat=value or 0.0,
                is_best=value is not None
                and value >= SHOWN
                and value == top
                and not score.is_oracle,
                is_oracle=score.is_oracle,
            )
            for score in evaluation.scores
        ]
        change = None
        if best is not None and len(honest) > 1:
            change = wording.points_between(_iou(best, place), _iou(honest[0], place))
        rows.append(ClassRow(name, colour, cells, change))
    return rows


def _iou(score: Score, place: int) -> float | None:
    return score.iou[place] if place < len(score.iou) else None


def confusions(evaluation: Evaluation, most: int = 6) -> list[dict[str, Any]]:
    """The largest shares of a true class that the best adapted checkpoint takes for another."""
    best = wording.best_adapted(evaluation)
    found = []
    for row, line in enumerate(best.confusion if best else []):
        for column, count in enumerate(line):
            if row != column and count:
                found.append((count / sum(line), row, column))
    found.sort(reverse=True)
    names, colours = evaluation.classes, evaluation.colours
    return [
        {"share": share, "truth": (names[r], colours[r]), "seen": (names[c], colours[c])}
        for share, r, c in found[:most]
    ]


def picture_tiles(picture: Picture, scores: Sequence[Score], width: int) -> list[Tile]:
    """Input, truth, then prediction and entropy of every checkpoint in the order of `scores`."""
    tiles = [
        Tile("Input", "", "image", pictures.inline_photo(picture.image, width)),
        Tile("Truth", "", "truth", pictures.inline_labels(picture.truth, width)),
    ]
    order = [score.checkpoint for score in scores if score.checkpoint in picture.predictions]
    names = {score.checkpoint: wording.marked_name(score) for score in scores}
    for checkpoint in order + [name for name in picture.predictions if name not in order]:
        files = picture.predictions[checkpoint]
        name = names.get(checkpoint, wording.display_name(checkpoint))
        note = "" if files.value is None else wording.percent(files.value)
        label = pictures.inline_labels(files.label, width)
        entropy = pictures.inline_entropy(files.entropy, width)
        tiles.append(Tile(name, note, "prediction", label))
        tiles.append(Tile(f"{name}, entropy", "", "entropy", entropy))
    return tiles


def gallery_tiles(item: GalleryItem, width: int) -> list[Tile]:
    """Image, prediction and entropy of one ranked image."""
    return [
        Tile("Image", "", "image", pictures.inline_photo(item.image, width)),
        Tile("Prediction", "", "prediction", pictures.inline_labels(item.prediction, width)),
        Tile("Entropy", "", "entropy", pictures.inline_entropy(item.entropy, width)),
    ]


def split_view(stage: Stage, split: Split, width: int) -> dict[str, Any]:
    """Charts, numbers and gallery of the easy/hard split."""
    scores = [image.score for image in split.images]
    is_easy = [image.is_easy for image in split.images]
    width = min(width, 320)
    groups = []
    for name, easy in (("easy", True), ("hard", False)):
        members = [image for image in split.images if image.is_easy is easy]
        mean = sum(i.mean_entropy for i in members) / len(members) if members else None
        shown = [
            {"item": item, "tiles": gallery_tiles(item, width)}
            for item in split.gallery
            if item.ranked.is_easy is easy
        ]
        groups.append({"name": name, "count": len(members), "mean": mean, "gallery": shown})
    return {
        "stage": stage,
        "split": split,
        "groups": groups,
        "meaning": wording.NORMALISATIONS.get(split.normalisation, split.normalisation),
        "histogram": charts.histogram(scores, is_easy) if scores else Markup(""),
        "curve": charts.ranked_curve(scores, is_easy) if scores else Markup(""),
    }


def evaluation_view(evaluation: Evaluation, key: str, width: int) -> dict[str, Any]:
    """Everything shown about one evaluation."""
    best = wording.best_adapted(evaluation)
    shown = box_view(evaluation, width) if evaluation.is_boxes else _map_view(evaluation, width)
    return {
        **shown,
        "key": key,
        "evaluation": evaluation,
        "bars": bars(evaluation, key),
        "rows": score_rows(evaluation),
        "gap": wording.gap_closed(evaluation),
        "subsets": sorted({name for s in evaluation.scores for name in s.subsets}),
        "classes": class_rows(evaluation),
        "first": wording.honest_scores(evaluation)[:1],
        "best": best,
        "matrix": charts.confusion_matrix(evaluation.classes, best.confusion)
        if best is not None and best.confusion
        else None,
        "confusions": confusions(evaluation),
        "choices": [view for s in evaluation.selections if (view := choice_view(s)) is not None],
        "embeddings": embeddings(evaluation),
        "two_views": two_views(evaluation, min(width, 320)),
        "is_boxes": evaluation.is_boxes,
        "means": list(evaluation.scores[0].means),
        "precision": precision_chart(evaluation),
    }


def _map_view(evaluation: Evaluation, width: int) -> dict[str, Any]:
    return {
        "mistakes": mistakes(evaluation),
        "pictures": [(p, picture_tiles(p, evaluation.scores, width)) for p in evaluation.pictures],
    }


def page(run: Run, width: int) -> dict[str, Any]:
    """The template's variables, with pictures at most `width` pixels wide."""
    return {
        "run": run,
        "info": run.info,
        "headline": wording.headline(run),
        "total": wording.duration(sum(stage.seconds or 0.0 for stage in run.stages)),
        "stages": stage_views(run),
        "evaluations": [
            evaluation_view(e, str(place), width)
            for place, e in enumerate(run.evaluations)
            if e.scores
        ],
        "inspections": inspection_views(run, width),
        "snapshot_curves": snapshot_curves(run.stages) if run.is_unscored else [],
        "splits": [split_view(stage, split, width) for stage, split in run.splits],
        "translations": translation_views(run, width),
        "translators": translator_views(run, width),
        "pixel_splits": pixel_split_views(run, width),
        "trainings": training_views(run),
        "examples": example_views(run, width),
        "gradient": pictures.entropy_gradient(),
        "configs": [(s, _pretty(s.config)) for s in run.stages if s.config],
    }


def _pretty(settings: Mapping[str, Any]) -> str:
    return json.dumps(settings, indent=2, ensure_ascii=False)
