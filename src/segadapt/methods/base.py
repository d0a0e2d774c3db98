"""The contract of a method, and how one is found."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from segadapt.batch import LabelledBatch, UnlabelledBatch
from segadapt.errors import SegadaptError
from segadapt.losses.class_prior import class_prior_loss
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


class ClassPriorConfig(Section):
    """Class-ratio prior on target predictions (ADVENT, Sec. 3.3)."""

    lambda_cp: LevelWeights = LevelWeights(main=0.001, aux=0.0002)
    mu: Annotated[float, Field(ge=0.0, le=1.0)] = 0.5


class TargetConfig(Section):
    """Settings that methods with a loss on target predictions share."""

    class_prior: ClassPriorConfig | None = None


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
    uses_domain_index: ClassVar[bool] = False
    """Whether the source must come from a ``pixel_split`` stage, with its continuous index."""
    needs_two_classifiers: ClassVar[bool] = False
    """Whether the model's prediction must be a sum of two classifiers' (``sum``, ``ancillary``)."""

    starts_from_trained: ClassVar[bool] = False
    """Whether the stage must name a checkpoint to start from."""
    for_whole_images: ClassVar[bool] = False
    """Whether it is for images with one label each only."""

    def __init__(self, config: Any, task: SegmentationTask) -> None:
        super().__init__()
        self.config = config
        self.task = task
        prior = None if task.class_prior is None else torch.tensor(task.class_prior)
        # Not saved with the state: it is an artefact of its own.
        self.register_buffer("class_prior", prior, persistent=False)

    @property
    def wants_class_prior(self) -> bool:
        """Whether the settings ask for the class-ratio prior."""
        return isinstance(self.config, TargetConfig) and self.config.class_prior is not None

    def begin(self, model: nn.Module) -> None:
        """Is handed the model with its starting weights, before anything is trained."""

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

    def target_step(
        self,
        levels: list[Level],
        losses: Mapping[str, Tensor],
        weights: LevelWeights,
        backward: Backward,
    ) -> dict[str, Tensor]:
        """Backward of a loss on the target's levels, with the class-ratio prior if asked for.

        Returns:
            The prior's losses, detached; none where it is not asked for.
        """
        total = weighted_sum(levels, losses, weights)
        terms: dict[str, Tensor] = {}
        if self.wants_class_prior:
            settings: ClassPriorConfig = self.config.class_prior
            prior = self.get_buffer("class_prior")
            terms = {x.name: class_prior_loss(x.probability, prior, settings.mu) for x in levels}
            total = total + weighted_sum(levels, terms, settings.lambda_cp)
        backward(total)
        return {f"loss_cp_{name}": loss.detach() for name, loss in terms.items()}


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
