"""The method of a training stage."""

from __future__ import annotations

from segadapt.base.classes import ClassSet
from segadapt.engine.fabric import Processes
from segadapt.methods.base import Method, find_method
from segadapt.stages.train.config import TrainStage
from segadapt.tasks.of_classes import task_of


def build_method(
    stage: TrainStage,
    classes: ClassSet,
    processes: Processes | None,
    class_prior: tuple[float, ...] | None = None,
    seed: int = 0,
) -> Method:
    """The method of a train stage, its settings those of the method's own section."""
    method_class = find_method(stage.method["name"])
    mean = processes.mean if processes is not None and processes.count > 1 else None
    task = task_of(
        classes,
        mean,
        class_prior,
        head=stage.model.section("heads"),
        input_format=stage.model.input_format,
        iterations=stage.iterations,
        seed=seed,
        rank=0 if processes is None else processes.rank,
        processes=1 if processes is None else processes.count,
    )
    return method_class(method_class.Config(**stage.method_settings), task)
