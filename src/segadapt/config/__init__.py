"""The sections of a recipe: frozen, validated, unknown keys refused with their path."""

from __future__ import annotations

from segadapt.config.data import DomainConfig, DrawStage
from segadapt.config.model import (
    ClassPriorStage,
    ConvertStage,
    DiscriminatorOptimizer,
    Jitter,
    ModelConfig,
    ModelOptimizer,
    Schedule,
    TrainStage,
)
from segadapt.config.recipe import Recipe, StageConfig
from segadapt.config.scoring import EvaluateStage, SelectStage
from segadapt.config.splitting import (
    BalancedSelection,
    InstanceSelection,
    MedianSelection,
    PixelSplitStage,
    PseudoLabelStage,
    RankStage,
    Views,
)
from segadapt.config.translation import (
    FolderTranslation,
    FourierTranslation,
    GeneratorConfig,
    GeneratorTranslation,
    TrainTranslatorStage,
    TranslateStage,
    TranslatorOptimizer,
)
from segadapt.config.values import (
    Fraction,
    Heads,
    InputFormat,
    Positive,
    Scale,
    Size,
    Weight,
    Weights,
    Workers,
)

__all__ = [
    "BalancedSelection",
    "ClassPriorStage",
    "ConvertStage",
    "DiscriminatorOptimizer",
    "DomainConfig",
    "DrawStage",
    "EvaluateStage",
    "FolderTranslation",
    "FourierTranslation",
    "Fraction",
    "GeneratorConfig",
    "GeneratorTranslation",
    "Heads",
    "InputFormat",
    "InstanceSelection",
    "Jitter",
    "MedianSelection",
    "ModelConfig",
    "ModelOptimizer",
    "PixelSplitStage",
    "Positive",
    "PseudoLabelStage",
    "RankStage",
    "Recipe",
    "Scale",
    "Schedule",
    "SelectStage",
    "Size",
    "StageConfig",
    "TrainStage",
    "TrainTranslatorStage",
    "TranslateStage",
    "TranslatorOptimizer",
    "Views",
    "Weight",
    "Weights",
    "Workers",
]
