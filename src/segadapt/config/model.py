"""A segmenter, and how it is trained."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from segadapt.config.values import Fraction, Heads, InputFormat, Positive, ScaleRange, Workers
from segadapt.section import Section


class ModelConfig(Section):
    """A segmenter and its starting weights."""

    backbone: str = "resnet101"
    heads: Heads = "multi_level"
    """``single``: one classifier on the last features. ``multi_level``: an auxiliary one on the
    middle features as well (ADVENT, Sec. 4.1). ``sum``: two on the last features, whose sum is the
    prediction, as CLAN's network has them. ``ancillary``: the same with CIRN's ancillary classifier
    as the second."""
    attention_modules: Annotated[int, Field(ge=0)] = 2
    """K of the ancillary classifier; 0 makes it an ordinary one."""
    dilations: Annotated[tuple[Positive, ...], Field(min_length=1)] = (6, 12, 18, 24)
    """Of each classifier's parallel convolutions. AdaptSegNet's program uses 6 and 12 alone."""
    batch_norm: Literal["batch", "frozen"] = "batch"
    weights: str = "torchvision"
    """``torchvision``, ``none``, or a file (relative to the data root): ImageNet weights in
    torchvision's names, or one of the published ``Scale.*`` initialisation files."""
    input_format: InputFormat = "bgr_mean"
    """``bgr_mean``: BGR 0..255 minus the Caffe mean (published setting). ``rgb_mean_std``: RGB 0..1
    normalised as torchvision's ImageNet weights expect. ``rgb_signed``: RGB -1..1, as CyCADA's
    digit classifiers take it."""

    @model_validator(mode="after")
    def _has_these_levels(self) -> ModelConfig:
        if self.backbone in ("lenet", "dtn"):
            for key, only, reason in (
                ("heads", "single", "has one classifier"),
                ("batch_norm", "batch", "has no frozen batch norm"),
                ("weights", "none", "has no starting weights"),
            ):
                if getattr(self, key) != only:
                    raise ValueError(f"{self.backbone} {reason}; set {key} to {only}")
        if self.backbone == "vgg16" and self.heads == "multi_level":
            raise ValueError(
                f"{self.backbone} has one level, as in the papers; set heads to single (or sum)"
            )
        return self


class ModelOptimizer(Section):
    """Optimizer of the segmenter; defaults are those of the released programs."""

    name: Literal["sgd", "adamw"] = "sgd"
    lr: Annotated[float, Field(gt=0)] = 2.5e-4
    classifier_factor: Annotated[float, Field(gt=0)] = 10.0
    momentum: Fraction = 0.9
    weight_decay: Annotated[float, Field(ge=0)] = 5e-4
    clip_norm: Annotated[float, Field(gt=0)] | None = None
    repeated_updates: bool = False
    """Update each backbone parameter as often per step as the released programs do (SGD only)."""


class DiscriminatorOptimizer(Section):
    """Adam for the networks beside the segmenter."""

    lr: Annotated[float, Field(gt=0)] = 1e-4
    betas: tuple[Fraction, Fraction] = (0.9, 0.99)


class Schedule(Section):
    """Polynomial decay of all learning rates."""

    power: Annotated[float, Field(ge=0)] = 0.9
    iterations: Positive | None = None
    """Length of the decay; the stage's own iterations where not given. The published runs decay
    over 250000 and stop earlier."""


class Jitter(Section):
    """Every image of both domains resized and moved on its own within its frame. What comes in
    from outside is black: it has no label, but losses on maps of the target see it."""

    scale: ScaleRange = (1.0, 1.0)
    """Smallest and largest factor, drawn evenly between their logarithms."""
    shift: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Largest move up, down, left or right, as a share of the image's height or width."""


class TrainStage(Section):
    """Train a segmenter with one method."""

    stage: Literal["train"]
    method: dict[str, Any]
    source: str
    target: str | None = None
    oracle: bool = False
    """Allow a ``target`` domain as labelled source: an upper bound, marked where it appears."""
    model: ModelConfig = ModelConfig()
    start_from: str | None = None
    """A checkpoint of an earlier stage to start from, in place of the initial weights."""
    class_prior: str | None = None
    """Output of a ``class_prior`` stage, for methods whose settings have ``class_prior``."""
    iterations: Positive
    batch_size: Positive = 1
    """Images of each domain per step, over all processes."""
    flip: bool = False
    """Mirror images at random."""
    scales: ScaleRange = (1.0, 1.0)
    """Smallest and largest factor on the size of images (multi-scale training); each batch gets
    one, drawn evenly, the sides rounded to multiples of eight."""
    jitter: Jitter | None = None
    optimizer: ModelOptimizer = ModelOptimizer()
    discriminator_optimizer: DiscriminatorOptimizer = DiscriminatorOptimizer()
    schedule: Schedule = Schedule()
    snapshots: Annotated[int, Field(ge=0)] = 0
    """Number of evenly spaced states to keep for a ``select`` stage, the last one included."""
    save_every: Positive = 500
    log_every: Positive = 20
    workers: Workers = 2

    @field_validator("method", mode="before")
    @classmethod
    def _name_alone(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @field_validator("method")
    @classmethod
    def _has_name(cls, value: dict[str, Any]) -> dict[str, Any]:
        if not isinstance(value.get("name"), str):
            raise ValueError("needs a name, as in `method: advent` or `method: {name: advent}`")
        return value


class ClassPriorStage(Section):
    """Count the classes of a source's labels once (ADVENT, Sec. 3.3)."""

    stage: Literal["class_prior"]
    source: str
    workers: Workers = 2


class ConvertStage(Section):
    """Take a published checkpoint, or one of another run, into this one."""

    stage: Literal["convert"]
    file: str
    """Relative to the data root."""
    family: str | None = None
    """Whose layout a published file has, where its entries do not tell."""
