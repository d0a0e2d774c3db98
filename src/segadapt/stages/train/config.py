"""The ``train`` stage: one method, a source and a target or several, one checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, field_validator

from segadapt.base.errors import SegadaptError
from segadapt.base.parts import METHODS
from segadapt.base.section import filled
from segadapt.config.mixed import Mixed, weights_of
from segadapt.config.model import ModelConfig
from segadapt.config.stage import IMAGES, LABELLED, Reference, Stage
from segadapt.config.training import (
    BoxAugmentation,
    CropConfig,
    DiscriminatorOptimizer,
    Jitter,
    ModelOptimizer,
    RareClassesConfig,
    Schedule,
    ValidationConfig,
)
from segadapt.config.values import BatchSize, Fraction, Positive, ScaleRange, Workers

if TYPE_CHECKING:
    from segadapt.base.classes import ClassSet
    from segadapt.stages.context import StageContext


class TrainStage(Stage):
    """Train a segmenter with one method."""

    method: dict[str, Any]
    """A name alone, or ``name`` with settings of the method."""
    source: Mixed
    """Labelled images. Of several (a list, or names with weights) each image of a batch is drawn
    from one, by their weights."""
    target: Mixed | None = None
    """Unlabelled images; several as above."""
    oracle: bool = False
    """Allow a ``target`` domain as labelled source: an upper bound, marked where it appears."""
    model: ModelConfig = ModelConfig()
    start_from: str | None = None
    """A checkpoint of an earlier stage to start from, in place of the initial weights."""
    class_prior: str | None = None
    """Output of a ``class_prior`` stage, for methods whose settings have ``class_prior``."""
    iterations: Positive
    """Steps of the training."""
    batch_size: BatchSize = 1
    """Images of each domain per step, over all processes."""
    flip: bool = False
    """Mirror images at random."""
    scales: ScaleRange = (1.0, 1.0)
    """Smallest and largest factor on the size of images (multi-scale training); each batch gets
    one, drawn evenly, the sides rounded to multiples of eight."""
    box_augmentation: BoxAugmentation | None = None
    """Of images with boxes, in place of scales, crop and jitter."""
    jitter: Jitter | None = None
    crop: CropConfig | None = None
    rare_classes: RareClassesConfig | None = None
    target_margins: tuple[Fraction, Fraction, Fraction, Fraction] | None = None
    """Shares of the target's height (top, bottom) and width (left, right) in which pseudo-labels of
    a teacher have no weight: bonnets, edges of rectified images."""
    optimizer: ModelOptimizer = ModelOptimizer()
    discriminator_optimizer: DiscriminatorOptimizer = DiscriminatorOptimizer()
    schedule: Schedule = Schedule()
    snapshots: Annotated[int, Field(ge=0, le=10000)] = 0
    """Number of evenly spaced states to keep for a ``select`` stage, the last one included; of the
    averaged network too, where the method has one (``STAGE.teacher_snapshots``)."""
    validation: ValidationConfig | None = None
    save_every: Positive = 500
    """Iterations between two saved states, from which a stopped run goes on."""
    log_every: Positive = 20
    """Iterations between two lines of ``metrics.jsonl``."""
    shard: bool = False
    """Share weights, gradients and optimizer states among the processes (FSDP), for a ViT that is
    too large for one device."""
    workers: Workers = 2
    checkpoint_activations: bool = False
    """Keep what goes into each block of the trunk alone and compute the rest again in the backward
    pass: the same numbers with less memory, and a forward pass more a step."""

    without_effect = Stage.without_effect | {"checkpoint_activations"}
    outputs = {  # noqa: RUF012
        "checkpoint": "checkpoint",
        "snapshots": "snapshots",
        "teacher": "checkpoint",
        "teacher_snapshots": "snapshots",
    }

    @field_validator("method", mode="before")
    @classmethod
    def _name_alone(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @field_validator("method")
    @classmethod
    def _has_name_and_settings(cls, value: dict[str, Any]) -> dict[str, Any]:
        if not isinstance(value.get("name"), str):
            raise ValueError("needs a name, as in `method: advent` or `method: {name: advent}`")
        try:
            _all_settings(value)
        except SegadaptError as error:
            raise ValueError(str(error)) from error
        return value

    @property
    def sources(self) -> dict[str, float]:
        """Labelled images, with their weights."""
        return weights_of(self.source)

    @property
    def targets(self) -> dict[str, float]:
        """Unlabelled images, with their weights; empty where none are named."""
        return {} if self.target is None else weights_of(self.target)

    @property
    def first_source(self) -> str:
        """Whose classes the checkpoint has, which are those of all others."""
        return next(iter(self.sources))

    @property
    def method_settings(self) -> dict[str, Any]:
        """All settings of the method; what the recipe does not say has its default."""
        return _all_settings(self.method)

    @property
    def keeps_teacher(self) -> bool:
        """Whether the method leaves an averaged network beside the trained one."""
        settings = METHODS.settings(self.method["name"])(**self.method_settings)
        return bool(getattr(settings, "keeps_teacher", False))

    def complete(self) -> dict[str, Any]:
        """With all settings of the method."""
        method = {"name": self.method["name"], **self.method_settings}
        return {**super().complete(), "method": method}

    def references(self) -> list[Reference]:
        """Source and target, where it starts from, and the class prior."""
        labelled = (*LABELLED, "target") if self.oracle else LABELLED
        found = [Reference("source", name, labelled, labelled=True) for name in self.sources]
        found += [Reference("target", name, IMAGES) for name in self.targets]
        if self.start_from is not None:
            found.append(Reference("start_from", self.start_from, ("checkpoint",)))
        if self.validation is not None:
            found.append(
                Reference(
                    "validation.domain",
                    self.validation.domain,
                    ("test", "source"),
                    labelled=True,
                    learned=False,
                )
            )
        if self.rare_classes is not None:
            found += [
                Reference("rare_classes.counts", name, ("class_counts",))
                for name in weights_of(self.rare_classes.counts)
            ]
        if self.class_prior is not None:
            found.append(Reference("class_prior", self.class_prior, ("class_prior",)))
        return found

    def missing(self, output: str) -> str | None:
        """Snapshots are kept where the settings ask for it, a teacher by methods that have one."""
        if output in ("teacher", "teacher_snapshots") and not self.keeps_teacher:
            return f"is not there: method {self.method['name']} keeps no averaged network"
        if output in ("snapshots", "teacher_snapshots") and self.snapshots < 2:
            return (
                f"has {self.snapshots}; set `snapshots` of that stage to 2 or more to choose among "
                "them"
            )
        return None

    def files(self) -> dict[str, str]:
        """The starting weights, where they are a file."""
        taken = self.start_from is None and self.model.weights_file is not None
        return {"weights": str(self.model.weights_file)} if taken else {}

    def classes(self, context: StageContext) -> ClassSet:
        """Those of its sources."""
        return context.classes_behind(self.first_source)

    def network(self, context: StageContext) -> ModelConfig:
        """The network that it trains."""
        return self.model

    def networks(self, context: StageContext) -> list[ModelConfig]:
        """That one alone: where it starts from must be the same."""
        return [self.model]


def _all_settings(method: dict[str, Any]) -> dict[str, Any]:
    name = method["name"]
    given = {key: setting for key, setting in method.items() if key != "name"}
    return filled(METHODS.settings(name), given, f"method {name}")
