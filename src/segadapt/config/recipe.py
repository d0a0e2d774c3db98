"""A whole recipe."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from segadapt.config.data import DomainConfig, DrawStage
from segadapt.config.model import ClassPriorStage, ConvertStage, TrainStage
from segadapt.config.scoring import EvaluateStage, SelectStage
from segadapt.config.splitting import PixelSplitStage, PseudoLabelStage, RankStage
from segadapt.config.translation import TrainTranslatorStage, TranslateStage
from segadapt.section import Section

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
