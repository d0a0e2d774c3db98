"""Stages that give images another look."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from segadapt.config.values import Fraction, Positive, Size, Weight, Workers, with_rule
from segadapt.section import Section


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
    lambda_sem: Annotated[float, Field(gt=0)] = 1.0
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

    @model_validator(mode="after")
    def _has_segmenter_for_its_settings(self) -> TrainTranslatorStage:
        given = self.model_fields_set & {"lambda_sem", "semantic_answer"}
        if given and self.segmenter is None:
            raise ValueError(f"{', '.join(sorted(given))} says nothing without `segmenter`")
        return self

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

    @model_validator(mode="after")
    def _has_target_where_it_is_looked_at(self) -> TranslateStage:
        if self.target is not None and self.translation.rule != "fourier":
            raise ValueError(f"rule {self.translation.rule} looks at no target; leave it out")
        return self

    @field_validator("translation", mode="before")
    @classmethod
    def _rule_that_the_keys_tell(cls, value: Any) -> Any:
        keys = value.keys() if isinstance(value, dict) else set()
        rule = "folder" if "folder" in keys else "fourier"
        return with_rule(value, "generator" if keys & {"translator", "file"} else rule)
