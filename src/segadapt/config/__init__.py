"""What a recipe may say: frozen, validated sections; unknown keys are refused with their path.

Sections of one stage, method, trunk or head lie with it; here are those that several use, the
contract of a stage, and how a recipe is read.
"""

from __future__ import annotations

from segadapt.config.data import DomainConfig
from segadapt.config.model import ModelConfig
from segadapt.config.recipe import Recipe
from segadapt.config.training import DiscriminatorOptimizer, Jitter, ModelOptimizer, Schedule
from segadapt.config.translation import CycleGANConfig, GeneratorConfig, TranslatorOptimizer
from segadapt.config.values import InputFormat
from segadapt.config.views import Views

__all__ = [
    "CycleGANConfig",
    "DiscriminatorOptimizer",
    "DomainConfig",
    "GeneratorConfig",
    "InputFormat",
    "Jitter",
    "ModelConfig",
    "ModelOptimizer",
    "Recipe",
    "Schedule",
    "TranslatorOptimizer",
    "Views",
]
