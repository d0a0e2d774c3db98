"""The ``translate`` stage: source images in the look of the target, with the source's labels."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from segadapt.base.section import problem_at
from segadapt.config.stage import IMAGES, Reference, Stage
from segadapt.config.values import BatchSize, Workers, with_rule
from segadapt.stages.translate.rules import (
    FolderTranslation,
    FourierTranslation,
    GeneratorTranslation,
)


class TranslateStage(Stage):
    """Give source images the look of the target; they keep their names and labels."""

    source: str
    """Images to translate."""
    target: str | None = None
    """Images whose look FDA takes."""
    translation: Annotated[
        FourierTranslation | FolderTranslation | GeneratorTranslation, Field(discriminator="rule")
    ] = FourierTranslation()
    """How images are translated."""
    segmenter: str | None = None
    """A checkpoint trained on the source: how much of what it sees stays is then measured."""
    batch_size: BatchSize = 1
    """Images that are translated together."""
    workers: Workers = 2
    gallery: Annotated[int, Field(ge=0)] = 6
    """Pictures kept for the report."""

    outputs = {"images": "translation"}  # noqa: RUF012
    derived_from = "source"
    without_effect = Stage.without_effect | {"gallery"}

    @model_validator(mode="after")
    def _has_target_where_it_is_looked_at(self) -> TranslateStage:
        fourier = self.translation.rule == "fourier"
        if self.target is not None and not fourier:
            raise ValueError(f"rule {self.translation.rule} looks at no target; leave it out")
        if self.target is None and fourier:
            raise problem_at("target", "is required; name the target domain whose look is taken")
        return self

    @field_validator("translation", mode="before")
    @classmethod
    def _rule_that_the_keys_tell(cls, value: Any) -> Any:
        keys = value.keys() if isinstance(value, dict) else set()
        rule = "folder" if "folder" in keys else "fourier"
        return with_rule(value, "generator" if keys & {"translator", "file"} else rule)

    def references(self) -> list[Reference]:
        """The source, and what the translation and the agreement are made with."""
        kinds = ("source", "labels", "indexed_labels")
        found = [Reference("source", self.source, kinds, same_classes=False)]
        if self.target is not None:
            found.append(Reference("target", self.target, IMAGES, same_classes=False, shown=False))
        if self.segmenter is not None:
            found.append(
                Reference("segmenter", self.segmenter, ("checkpoint",), same_classes=False)
            )
        translator = self.translation.translator_reference
        if translator is not None:
            key = "translation.translator"
            found.append(Reference(key, translator, ("translator",), same_classes=False))
        return found

    def files(self) -> dict[str, str]:
        """A generator, or a folder of images."""
        return self.translation.files
