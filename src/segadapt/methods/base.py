"""The contract of a method, and how one is found."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from torch import Tensor, nn

from segadapt.batch import LabelledBatch, UnlabelledBatch
from segadapt.errors import SegadaptError
from segadapt.section import Section
from segadapt.tasks.segmentation import Level, SegmentationTask

Backward = Callable[[Tensor], None]


class LevelWeights(Section):
    """Weights of a loss on the main and on the auxiliary prediction."""

    main: float
    aux: float

    def of(self, level: Level) -> float:
        """The weight for ``level``."""
        return self.main if level.name == "main" else self.aux


class Method(nn.Module):
    """One paper's training step.

    A method is plain torch: it is handed its networks, one batch of each domain and ``backward``,
    which it calls once per loss term (half the memory of one joint backward). Optimizers,
    schedules, precision, logs and files belong to the engine. State of a method lives in buffers,
    so that it is saved with the run.

    Subclasses set ``Config``, a frozen section of their settings, and ``uses_target``.
    """

    Config: ClassVar[type[Section]]
    uses_target: ClassVar[bool] = True

    def __init__(self, config: Any, task: SegmentationTask) -> None:
        super().__init__()
        self.config = config
        self.task = task

    def extra_networks(self, level_names: Iterable[str]) -> dict[str, nn.Module]:
        """Networks that are trained beside the model, for the model's level names."""
        return {}

    def step(
        self,
        nets: Mapping[str, nn.Module],
        source: LabelledBatch,
        target: UnlabelledBatch | None,
        backward: Backward,
    ) -> dict[str, Tensor]:
        """Compute every loss of one training step and call ``backward`` on each weighted term.

        Args:
            nets: ``model`` and the extra networks by name.
            source: labelled images.
            target: unlabelled images; None for methods with ``uses_target = False``.
            backward: accumulates gradients of a scalar.

        Returns:
            Detached, unweighted losses by name, all beginning with ``loss_``.
        """
        raise NotImplementedError

    def supervised_step(
        self,
        nets: Mapping[str, nn.Module],
        source: LabelledBatch,
        weights: LevelWeights,
        backward: Backward,
    ) -> tuple[list[Level], dict[str, Tensor]]:
        """The part that all methods share: weighted cross-entropy on every level of the source.

        Returns:
            The source's levels, detached, and the losses.
        """
        levels = self.task.levels(nets["model"], source.image)
        losses = {x.name: self.task.supervised_loss(x, source.label) for x in levels}
        backward(weighted_sum(levels, losses, weights))
        detached = [Level(x.name, x.logit.detach()) for x in levels]
        return detached, {f"loss_seg_{name}": loss.detach() for name, loss in losses.items()}


def weighted_sum(
    levels: list[Level], losses: Mapping[str, Tensor], weights: LevelWeights
) -> Tensor:
    """Sum over the levels of weight * loss."""
    total = losses[levels[0].name] * weights.of(levels[0])
    for level in levels[1:]:
        total = total + losses[level.name] * weights.of(level)
    return total


def find_method(name: str) -> type[Method]:
    """The method class called ``name``: a file of this folder, or ``package.module:Class``.

    Raises:
        SegadaptError: there is no such method.
    """
    if ":" in name:
        module_name, class_name = name.split(":", 1)
        try:
            found = getattr(importlib.import_module(module_name), class_name)
        except (ImportError, AttributeError, ValueError, TypeError) as error:
            raise SegadaptError(f"method {name}: cannot be imported ({error})") from error
        if not (isinstance(found, type) and issubclass(found, Method)):
            raise SegadaptError(f"method {name}: is not a subclass of segadapt.methods.base.Method")
        return found
    if name not in method_names():
        raise SegadaptError(
            f"method {name}: unknown; there are {', '.join(method_names())}, "
            "or package.module:Class for one of your own"
        )
    module = importlib.import_module(f"segadapt.methods.{name}")
    wanted = name.replace("_", "")
    for attribute in vars(module).values():
        if (
            isinstance(attribute, type)
            and issubclass(attribute, Method)
            and attribute.__name__.lower() == wanted
        ):
            return attribute
    raise SegadaptError(f"method {name}: its file holds no class of that name")


def method_names() -> list[str]:
    """Names of all methods in this folder."""
    import segadapt.methods as package

    return sorted(x.name for x in pkgutil.iter_modules(package.__path__) if x.name != "base")
