"""What is known of a run, as plain typed records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from segadapt.report.inspection_records import Inspection

BOXES = "AP50"
"""What detectors of boxes are compared by."""


@dataclass(frozen=True)
class Stage:
    """One numbered step of the pipeline, finished or not."""

    number: int
    name: str
    directory: Path
    finished: bool
    kind: str = ""
    seconds: float | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    summary: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_oracle(self) -> bool:
        """Whether the stage trains on target labels."""
        return bool(self.config.get("oracle", False))

    @property
    def method(self) -> str:
        """Name of the training method, empty where the stage does not train."""
        method = self.config.get("method")
        name = method.get("name", "") if isinstance(method, Mapping) else method
        return str(name or "")

    @property
    def iterations(self) -> int | None:
        """Number of training iterations asked for."""
        value = self.config.get("iterations")
        return int(value) if isinstance(value, (int, float)) else None


@dataclass(frozen=True)
class LossLog:
    """The scalar log of one training stage: per key its (iteration, value) pairs."""

    losses: Mapping[str, list[tuple[int, float]]]
    """Losses, and shares in [0, 1], by the names that they are logged with."""
    last_iteration: int
    images_per_second: float | None
    not_finite: int


@dataclass(frozen=True)
class RankedImage:
    """One target image with its place in the entropy ranking."""

    name: str
    score: float
    mean_entropy: float
    predicted_classes: int
    rare_classes: int
    is_easy: bool


@dataclass(frozen=True)
class GalleryItem:
    """The drawn files of one ranked image; ``place`` counts from 0 in the ranking."""

    place: int
    ranked: RankedImage
    image: Path | None
    prediction: Path | None
    entropy: Path | None


@dataclass(frozen=True)
class Split:
    """The ranking of the target images and their division into easy and hard."""

    domain: str
    ratio: float
    normalisation: str
    images: list[RankedImage]
    gallery: list[GalleryItem]


@dataclass(frozen=True)
class Score:
    """What one checkpoint reached, as fractions; None marks an absent class."""

    checkpoint: str
    is_oracle: bool
    value: float | None
    """By the evaluation's measure."""
    iou: list[float | None]
    """By class; the AP50 where there are boxes."""
    pixel_accuracy: float | None
    confusion: list[list[int]]
    subsets: Mapping[str, float | None]
    scored_and_trained_on: int = 0
    """Number of the scored images that it was trained on with their labels."""
    means: Mapping[str, float | None] = field(default_factory=dict)
    """Of boxes: ``AP75`` and ``mAP``."""
    precision: list[list[float] | None] = field(default_factory=list)
    """Of boxes, by class: at IoU 0.5, for evenly spaced recalls from 0 to 1."""

    @property
    def mark(self) -> str:
        """What tells it from an honest score, empty for one."""
        if self.scored_and_trained_on:
            return f"trained on {self.scored_and_trained_on} of the scored images"
        return "uses target labels" if self.is_oracle else ""


@dataclass(frozen=True)
class PredictionFiles:
    """A checkpoint's drawing of one picture."""

    label: Path | None
    entropy: Path | None
    value: float | None
    two_views: dict[str, Path] = field(default_factory=dict)
    """Of a model with two classifiers: ``distance`` and ``attention-1`` to ``attention-K``."""
    boxes: Path | None = None
    """Of a detector: the image with the boxes in it."""


@dataclass(frozen=True)
class Picture:
    """One evaluated picture with the drawings of every checkpoint."""

    name: str
    image: Path | None
    truth: Path | None
    predictions: Mapping[str, PredictionFiles]


@dataclass(frozen=True)
class ScoredSnapshot:
    """A state of a training stage: its score without target labels, and its own with them."""

    iteration: int
    scores: Mapping[str, float | None]
    value: float | None


@dataclass(frozen=True)
class Selection:
    """The snapshots of a training stage and the one that a label-free score chose."""

    trained: str
    score: str
    chosen: int
    snapshots: list[ScoredSnapshot]


@dataclass(frozen=True)
class Mistake:
    """An image that was taken for one of another class, or a box that is none."""

    image: Path | None
    truth: str
    predicted: str
    probability: float
    """Of the class that was predicted."""
    kind: str = "class"
    """Of a box: ``class``, ``twice``, ``place`` or ``background``."""


@dataclass(frozen=True)
class Mistakes:
    """The most certain mistakes of one checkpoint, where images have one label, or boxes."""

    checkpoint: str
    images: list[Mistake]


@dataclass(frozen=True)
class Evaluation:
    """The report of one evaluate stage."""

    stage: Stage
    domain: str
    classes: list[str]
    colours: list[tuple[int, int, int]]
    absent_rule: str
    scores: list[Score]
    pictures: list[Picture]
    selections: list[Selection] = field(default_factory=list)
    measure: str = "mIoU"
    """What scores are compared by: ``mIoU``, of whole images ``accuracy``, of boxes ``AP50``."""
    mistakes: list[Mistakes] = field(default_factory=list)
    images: int = 0
    """Number of scored images; 0 where a version did not say."""
    on_source: bool = False
    """The images that were scored are those of a source."""

    @property
    def is_boxes(self) -> bool:
        """Whether the labels are boxes."""
        return self.measure == BOXES


@dataclass(frozen=True)
class Run:
    """Everything the report tells about a run."""

    directory: Path
    info: Mapping[str, Any]
    recipe_text: str
    stages: list[Stage]
    logs: Mapping[int, LossLog]
    splits: list[tuple[Stage, Split]]
    evaluations: list[Evaluation]
    inspections: list[Inspection] = field(default_factory=list)
    is_unscored: bool = False
    """No stage of the recipe scores anything on labelled target images."""
