"""The contract of a method, and how one is found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from segadapt.base.batch import LabelledBatch, UnlabelledBatch
from segadapt.base.parts import METHODS
from segadapt.base.section import Section
from segadapt.losses.class_prior import class_prior_loss
from segadapt.methods.config.base import ClassPriorConfig as ClassPriorConfig
from segadapt.methods.config.base import LevelWeights as LevelWeights
from segadapt.methods.config.base import TargetConfig as TargetConfig
from segadapt.tasks.examples import Example
from segadapt.tasks.segmentation import Level, SegmentationTask

Backward = Callable[[Tensor], None]


@dataclass(frozen=True)
class TrainingFacts:
    """What a method may ask about the training stage that names it."""

    method: str
    """What the recipe calls it."""
    source: str
    target: str | None
    start_from: str | None
    class_prior: str | None
    jitter: bool
    domain_index: bool
    """The source's labels say how hard each pixel is."""
    whole_images: bool
    """Images have one label each."""
    boxes: bool
    """Images have boxes."""
    heads: str
    sums_two: bool
    """The prediction is a sum of two classifiers'."""
    mask_token: bool
    """The trunk has a token that stands for hidden patches."""
    one_size: bool
    """Batches of source and target are of one size."""
    two_resolutions: bool
    """The network looks at images in small and through windows."""


class Method(nn.Module):
    """One paper's training step.

    A method is plain torch: it is handed its networks, one batch of each domain and ``backward``,
    which it calls once per loss term (half the memory of one joint backward). Optimizers,
    schedules, precision, logs and files belong to the engine. State of a method lives in buffers,
    so that it is saved with the run.

    Subclasses set ``Config``, a frozen section of their settings.
    """

    Config: ClassVar[type[Section]] = Section
    shows_examples: ClassVar[bool] = False
    """It has :meth:`examples` to show."""
    shardable: ClassVar[bool] = False
    """Processes may share the weights of its segmenters (``shard`` of a stage): it touches them by
    calling trunk and head alone, on all processes equally often, and by what optimizers do."""

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

    def check(self, training: TrainingFacts) -> str | None:
        """Why a training stage does not suit the method; None where it does.

        Returns:
            One sentence that begins with the stage's setting that is wrong: ``target: ...``.
        """
        if training.target is None:
            return f"target: is required by method {training.method}; name a target domain"
        return self.misfit_of_class_prior(training)

    def misfit_of_class_prior(self, training: TrainingFacts) -> str | None:
        """A counted prior goes with settings that ask for it, and only with them."""
        if self.wants_class_prior == (training.class_prior is not None):
            return None
        return (
            "class_prior: names the output of a class_prior stage if, and only if, the settings of "
            f"method {training.method} have class_prior: "
            + ("it is missing" if training.class_prior is None else "they have not")
        )

    @property
    def averaged(self) -> nn.Module | None:
        """A second network to keep beside the model: the stage's output ``teacher``."""
        return None

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
            target: unlabelled images; None where the stage names no target.
            backward: accumulates gradients of a scalar.

        Returns:
            Detached numbers by name: unweighted losses, which begin with ``loss_``, and shares in
            [0, 1] to be shown beside them, which begin with ``share_``.
        """
        raise NotImplementedError

    def examples(
        self, nets: Mapping[str, nn.Module], source: LabelledBatch, target: UnlabelledBatch | None
    ) -> list[Example]:
        """What it learns from, made of one batch after the last step, for the report."""
        return []

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
        levels, losses, total = self._supervised(nets, source, weights)
        backward(total)
        detached = [x._replace(logit=x.logit.detach(), summands=None) for x in levels]
        return detached, losses

    def supervised_losses(
        self,
        nets: Mapping[str, nn.Module],
        source: LabelledBatch,
        weights: LevelWeights,
        backward: Backward,
    ) -> dict[str, Tensor]:
        """The same for methods that go on without the source's levels, whose maps of the image's
        size then take no room in the backward pass.

        Returns:
            The losses.
        """
        # Nothing here holds on to the levels.
        losses, total = self._supervised(nets, source, weights)[1:]
        backward(total)
        return losses

    def _supervised(
        self, nets: Mapping[str, nn.Module], source: LabelledBatch, weights: LevelWeights
    ) -> tuple[list[Level], dict[str, Tensor], Tensor]:
        """Levels, detached losses, and their weighted sum."""
        levels = self.task.levels(nets["model"], source.image)
        losses = {x.name: self.task.supervised_loss(x, source.label) for x in levels}
        total = weighted_sum(levels, losses, weights)
        return levels, {f"loss_seg_{name}": loss.detach() for name, loss in losses.items()}, total

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


def no_target(training: TrainingFacts) -> str | None:
    """The sentence for methods that look at the source alone, where a target is named."""
    if training.target is None:
        return None
    return f"target: method {training.method} looks at no target; leave it out"


def needs_pixels(training: TrainingFacts) -> str | None:
    """The sentence for methods that take images apart, where they have one label each."""
    if not training.whole_images and not training.boxes:
        return None
    what = "boxes" if training.boxes else "one label each"
    return (
        f"method: {training.method} is for pixels, and these images have {what}; choose another "
        "method"
    )


def find_method(name: str) -> type[Method]:
    """The method class called ``name``: a file of this folder, or ``package.module:Class``.

    Raises:
        SegadaptError: there is no such method.
    """
    found: type[Method] = METHODS.find(name)
    return found


def method_names() -> list[str]:
    """Names of all methods in this folder."""
    return METHODS.names()
