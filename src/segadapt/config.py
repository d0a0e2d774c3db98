"""The sections of a recipe: frozen, validated, unknown keys refused with their path."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from segadapt.section import Section

Positive = Annotated[int, Field(gt=0)]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Scale = Annotated[float, Field(gt=0)]
Size = tuple[Positive, Positive]
"""(height, width) in pixels."""
Weight = Annotated[float, Field(ge=0)]
"""Of a loss."""
Workers = Annotated[int, Field(ge=0)]
"""Processes per domain that decode and resize; 0 does it between the steps."""
Heads = Literal["single", "multi_level", "sum", "ancillary"]
InputFormat = Literal["bgr_mean", "rgb_mean_std", "rgb_signed"]


class DomainConfig(Section):
    """A dataset, a split and a class map.

    ``role`` decides what may be read: labels of a ``target`` are opened by an oracle stage only,
    and those of a ``test`` domain by evaluation only.
    """

    dataset: str
    split: str
    role: Literal["source", "target", "test"]
    root: str | None = None
    """Folder, relative to the data root; the dataset's usual name where not given."""
    drawn_by: str | None = None
    """Name of the ``draw`` stage that makes this domain, in place of ``root``."""
    classes: str | None = None
    """Class map of the dataset; its own classes where not given."""
    size: Size | None = None
    """Images are resized to this (height, width); None keeps each one's own size."""
    list: str | None = None
    """Text file, relative to the data root, with one image per line: its name, or the end of its
    path as published lists have it. Only these are used, in that order."""
    limit: Positive | None = None
    """Use the first so many images only."""


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
        if self.backbone in ("lenet", "dtn") and self.heads != "single":
            raise ValueError(f"{self.backbone} has one classifier; set heads to single")
        if self.backbone in ("lenet", "dtn") and self.batch_norm != "batch":
            raise ValueError(f"{self.backbone} has no frozen batch norm; set batch_norm to batch")
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
    scales: tuple[Scale, Scale] = (1.0, 1.0)
    """Smallest and largest factor on the size of images (multi-scale training); each batch gets
    one, drawn evenly, the sides rounded to multiples of eight."""
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


class RankStage(Section):
    """Rank a target's images by entropy and split them (IntraDA, Sec. 3.2)."""

    stage: Literal["rank"]
    checkpoint: str
    images: str
    easy_ratio: Fraction = 0.67
    normalisation: Literal["none", "rare_classes", "released"] = "none"
    batch_size: Positive = 4
    workers: Workers = 2
    gallery: Annotated[int, Field(ge=0)] = 12
    """Pictures kept for the report."""


class PseudoLabelStage(Section):
    """Label images with a checkpoint's most probable classes (IntraDA, Eq. 5)."""

    stage: Literal["pseudo_label"]
    checkpoint: str
    images: str
    batch_size: Positive = 4
    workers: Workers = 2


class MedianSelection(Section):
    """PixIntraDA's own rule (Sec. 4.1): thresholds are class medians."""

    rule: Literal["class_median"] = "class_median"
    alpha: Annotated[float, Field(gt=0)] | None = None
    """Scale of the thresholds (Eq. 2); 1 where neither it nor a proportion is given."""
    proportion: Annotated[float, Field(gt=0, le=1)] | None = None
    """Wanted share of easy pixels (Eq. 4); alpha is found for it."""
    cap: Annotated[float, Field(gt=0, le=1)] = 0.9

    @model_validator(mode="after")
    def _has_one_of_both(self) -> MedianSelection:
        if self.alpha is not None and self.proportion is not None:
            raise ValueError("give alpha or proportion, not both")
        return self


class BalancedSelection(Section):
    """CBST's rule (Zou et al., ECCV 2018): the most confident portion of each class."""

    rule: Literal["class_balanced"]
    portion: Annotated[float, Field(gt=0, le=1)] = 0.2


class InstanceSelection(Section):
    """IAST's rule (Mei et al., ECCV 2020): thresholds that move from image to image."""

    rule: Literal["instance_adaptive"]
    alpha: Annotated[float, Field(gt=0, le=1)] = 0.2
    beta: Fraction = 0.9
    gamma: Annotated[float, Field(ge=0)] = 8.0


class SelectStage(Section):
    """Choose one of a training stage's snapshots without target labels."""

    stage: Literal["select"]
    snapshots: str
    images: str
    """Target images that the label-free scores look at."""
    source: str | None = None
    """Labelled source images that were not trained on, for ``source_miou``."""
    score: Literal[
        "mean_entropy", "information_maximisation", "soft_neighbourhood_density", "source_miou"
    ] = "information_maximisation"
    batch_size: Positive = 4
    workers: Workers = 2

    @model_validator(mode="after")
    def _has_source(self) -> SelectStage:
        if self.score == "source_miou" and self.source is None:
            raise ValueError("score source_miou needs `source`, labelled source images")
        return self


Weights = Annotated[dict[str, Annotated[float, Field(gt=0)]], Field(min_length=2)]
"""Weights above zero by checkpoint."""


class Views(Section):
    """How a trained model looks at an image; score maps of all views are averaged."""

    scales: Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1)] = (1.0,)
    """Factors on the image's size."""
    flip: bool = False
    """Look at the mirrored image too."""
    window: Size | None = None
    """Look through a sliding window of this (height, width); None takes the whole image."""
    overlap: Annotated[float, Field(ge=0, lt=1)] = 1 / 3
    """Least share of a window that its neighbour covers too."""


class PixelSplitStage(Section):
    """Split a target's pixels into easy ones, with pseudo-labels, and hard ones (PixIntraDA)."""

    stage: Literal["pixel_split"]
    checkpoint: str
    images: str
    selection: Annotated[
        MedianSelection | BalancedSelection | InstanceSelection, Field(discriminator="rule")
    ] = MedianSelection()
    views: Views = Views()
    batch_size: Positive = 4
    workers: Workers = 2
    gallery: Annotated[int, Field(ge=0)] = 6
    """Pictures kept for the report."""

    @field_validator("selection", mode="before")
    @classmethod
    def _own_rule_where_none_is_named(cls, value: Any) -> Any:
        if isinstance(value, dict) and "rule" not in value:
            return {"rule": "class_median", **value}
        return value


class EvaluateStage(Section):
    """Score checkpoints on a labelled domain."""

    stage: Literal["evaluate"]
    checkpoints: list[str] = Field(min_length=1)
    ensembles: dict[str, Weights] = Field(default_factory=dict)
    """By title: checkpoints with the weights that their score maps are averaged with."""
    selections: list[str] = Field(default_factory=list)
    """Selections whose snapshots are all scored: last, label-free and oracle choice."""
    domain: str
    views: Views = Views()
    batch_size: Positive = 4
    workers: Workers = 2
    pictures: Annotated[int, Field(ge=0)] = 6
    features: Annotated[int, Field(ge=0)] = 0
    """Pixels of each class whose features are kept of every checkpoint, for a t-SNE picture in the
    report (with scikit-learn, extra ``plots``)."""


class FourierTranslation(Section):
    """FDA (Yang and Soatto, CVPR 2020): nothing is trained."""

    rule: Literal["fourier"] = "fourier"
    beta: Annotated[float, Field(ge=0, le=0.5)] = 0.01
    """Half the side of the swapped square of low frequencies, as a share of the image's shorter
    side. The paper's 0.01 is for large images."""


class FolderTranslation(Section):
    """Images translated elsewhere, with the names of those they come from."""

    rule: Literal["folder"]
    folder: str
    """Relative to the data root."""


class GeneratorTranslation(Section):
    """A trained generator: of a ``train_translator`` stage, or from a file."""

    rule: Literal["generator"]
    translator: str | None = None
    """Output of a ``train_translator`` stage."""
    file: str | None = None
    """Relative to the data root: a ``translator.safetensors`` of another run, or a published
    CycleGAN generator (``latest_net_G_A.pth`` for A to B)."""

    @model_validator(mode="after")
    def _has_one_of_both(self) -> GeneratorTranslation:
        if (self.translator is None) == (self.file is None):
            raise ValueError("needs either `translator` (STAGE.translator) or `file`")
        return self


class GeneratorConfig(Section):
    """CycleGAN's ResNet generators; see :func:`segadapt.models.generator.build_generator`."""

    width: Positive = 64
    blocks: Positive = 9


class TranslatorOptimizer(Section):
    """Adam for generators and discriminators (CIRN, Implementation Details)."""

    lr: Annotated[float, Field(gt=0)] = 2e-4
    betas: tuple[Fraction, Fraction] = (0.5, 0.999)
    steady: Fraction = 0.5
    """Share of the iterations at the full rate; after them it falls to zero in a line."""


class TrainTranslatorStage(Section):
    """Train CycleGAN between source and target (CIRN, stage 1; CyCADA, pixel level)."""

    stage: Literal["train_translator"]
    source: str
    target: str
    generator: GeneratorConfig = GeneratorConfig()
    discriminator_width: Positive = 64
    gan: Literal["least_squares", "log"] = "least_squares"
    lambda_cycle: Weight = 10.0
    lambda_identity: Weight = 0.0
    """Of |G(x_t) - x_t| and its counterpart; CycleGAN uses 5 where colours should stay."""
    segmenter: str | None = None
    """A checkpoint trained on the source, for semantic consistency; none without it."""
    lambda_sem: Weight = 1.0
    semantic_answer: Literal["labels", "predictions", "labels_and_predictions"] = "labels"
    """What translations must be seen as: the source's labels (CIRN, Eq. 4); what the segmenter saw
    before translation, in both directions (CyCADA, Eq. 4); or the labels for the source's images
    and what was seen before for the target's (CyCADA's program)."""
    crop: Size | None = None
    """(height, width) of the random crops to train on; whole images where not given."""
    flip: bool = True
    pool: Annotated[int, Field(ge=0)] = 50
    """Translated images that discriminators remember."""
    iterations: Positive
    batch_size: Positive = 1
    optimizer: TranslatorOptimizer = TranslatorOptimizer()
    sheets: Positive = 8
    """Evenly spaced iterations at which a sheet of samples is kept, the last one included."""
    save_every: Positive = 500
    log_every: Positive = 20
    workers: Workers = 2

    @property
    def reads_labels(self) -> bool:
        """Whether the source's labels are opened, as the answers of the semantic loss."""
        return self.segmenter is not None and self.semantic_answer != "predictions"


class TranslateStage(Section):
    """Give source images the look of the target; they keep their names and labels."""

    stage: Literal["translate"]
    source: str
    target: str | None = None
    translation: Annotated[
        FourierTranslation | FolderTranslation | GeneratorTranslation, Field(discriminator="rule")
    ] = FourierTranslation()
    segmenter: str | None = None
    """A checkpoint trained on the source: how much of what it sees stays is then measured."""
    batch_size: Positive = 1
    workers: Workers = 2
    gallery: Annotated[int, Field(ge=0)] = 6
    """Pictures kept for the report."""

    @field_validator("translation", mode="before")
    @classmethod
    def _fourier_where_no_rule_is_named(cls, value: Any) -> Any:
        if isinstance(value, dict) and "rule" not in value:
            return {"rule": "fourier", **value}
        return value


class ConvertStage(Section):
    """Take a published checkpoint, or one of another run, into this one."""

    stage: Literal["convert"]
    file: str
    """Relative to the data root."""
    family: str | None = None
    """Whose layout a published file has, where its entries do not tell."""


class DrawStage(Section):
    """Draw the embedded procedural domains."""

    stage: Literal["draw"]
    size: Size = (224, 320)
    counts: dict[Literal["rendered", "camera_train", "camera_val"], Positive]
    seed: Annotated[int, Field(ge=0)] = 0


StageConfig = Annotated[
    TrainStage
    | ClassPriorStage
    | SelectStage
    | RankStage
    | PseudoLabelStage
    | PixelSplitStage
    | EvaluateStage
    | ConvertStage
    | TrainTranslatorStage
    | TranslateStage
    | DrawStage,
    Field(discriminator="stage"),
]


class Recipe(Section):
    """An ordered list of stages over named domains."""

    name: str
    description: str = ""
    domains: dict[str, DomainConfig]
    stages: dict[str, StageConfig] = Field(min_length=1)
