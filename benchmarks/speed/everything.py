"""All benchmarks, in the order of the table."""

from __future__ import annotations

from benchmarks.speed import (
    advent_step,
    evaluation,
    exported,
    loading,
    method_step,
    pixel_split,
    predict,
    rank,
)

BENCHMARKS = (
    *advent_step.BENCHMARKS,
    *method_step.BENCHMARKS,
    loading.BENCHMARK,
    evaluation.BENCHMARK,
    rank.BENCHMARK,
    pixel_split.BENCHMARK,
    predict.BENCHMARK,
    exported.BENCHMARK,
)
