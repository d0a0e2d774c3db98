"""DACS: mixing source and target under a teacher's labels (Tranheden et al., WACV 2021).

In the form that DAFormer's program gave it (Hoyer et al., CVPR 2022, Eq. 2 to 4).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from segadapt.base.batch import LabelledBatch, UnlabelledBatch
from segadapt.base.errors import SegadaptError
from segadapt.losses.weighted import weighted_cross_entropy
from segadapt.methods.base import Backward, Method, TrainingFacts, needs_pixels, weighted_sum
from segadapt.methods.config.dacs import DACSConfig
from segadapt.models.heads.base import LevelLogits
from segadapt.models.inputs import from_planes, to_rgb
from segadapt.models.segmenter import Segmenter
from segadapt.self_training.augmentation import Strength, strongly_augmented
from segadapt.self_training.chance import Chance
from segadapt.self_training.class_mix import classes_on_host, classes_present, mixed, mixing_mask
from segadapt.self_training.teacher import MeanTeacher
from segadapt.self_training.trust import ClassThresholds, inside_margins, share_sure
from segadapt.tasks.examples import Example
from segadapt.tasks.segmentation import SegmentationTask


class PseudoLabels(NamedTuple):
    """What the teacher says of a batch of target images."""

    label: Tensor
    """(N, H, W) class ids."""
    weight: Tensor
    """(N, H, W) in [0, 1]."""
    sure: Tensor
    """Share of pixels whose confidence reaches the threshold: a scalar."""


class DACS(Method):
    """Source images, and target images under half of a source image's classes, are learned from."""

    Config = DACSConfig
    shardable = True
    shows_examples = True

    def __init__(self, config: Any, task: SegmentationTask) -> None:
        super().__init__(config, task)
        self.teacher: MeanTeacher | None = None
        self.thresholds = ClassThresholds(task.num_classes)

    @property
    def averaged(self) -> nn.Module | None:
        """The teacher's network."""
        return None if self.teacher is None else self.teacher.network

    def check(self, training: TrainingFacts) -> str | None:
        """Mixing takes images apart, and lays those of one domain over those of the other."""
        misfit = needs_pixels(training) or super().check(training)
        if misfit is None and not training.one_size:
            return (
                f"crop: method {training.method} lays parts of source images over target images, "
                "so both need one size; set a crop, or give their domains one size and leave "
                "scales out"
            )
        return misfit

    def begin(self, model: nn.Module) -> None:
        """The teacher starts as a copy of the model."""
        self.teacher = MeanTeacher(model, self.config.alpha)

    def step(
        self,
        nets: Mapping[str, nn.Module],
        source: LabelledBatch,
        target: UnlabelledBatch | None,
        backward: Backward,
    ) -> dict[str, Tensor]:
        """The source's loss, then that of mixed images. See :meth:`Method.step`."""
        assert target is not None
        chance = self.begin_step(nets["model"], len(source.image))
        losses = self.source_step(nets, source, backward)
        pseudo = self.pseudo_labels(target)
        losses |= self.mixed_step(nets["model"], source, target, pseudo, chance, backward)
        return losses | {"share_sure": pseudo.sure}

    def begin_step(self, model: nn.Module, images: int) -> Chance:
        """The teacher follows; gives what this iteration draws."""
        assert self.teacher is not None, "begin was not called"
        self.teacher.begin_step(model)
        return self._chance(images)

    def _chance(self, images: int) -> Chance:
        """What the current step draws."""
        assert self.teacher is not None
        return Chance(self.task.seed, self.teacher.steps.count - 1, self.task.rank * images)

    def source_step(
        self, nets: Mapping[str, nn.Module], source: LabelledBatch, backward: Backward
    ) -> dict[str, Tensor]:
        """Cross-entropy of the source's labels, on images as they are (DAFormer, Eq. 1)."""
        return self.supervised_losses(nets, source, self.config.lambda_seg, backward)

    @torch.no_grad()
    def pseudo_labels(self, target: UnlabelledBatch) -> PseudoLabels:
        """The teacher's labels of clean target images, and their weights (DAFormer, Eq. 2, 4)."""
        assert self.teacher is not None
        probability = self._probability(target.image)
        if self.config.mirrored_teacher:
            probability = (probability + self._probability(target.image.flip(-1)).flip(-1)) / 2
        confidence, label = probability.max(dim=1)
        sure = share_sure(confidence, self.config.threshold, self.task.process_mean)
        if self.config.weighting == "batch":
            weight = sure.expand_as(confidence)
        else:
            rule = self.config.class_wise
            weight = self.thresholds.weights(
                confidence, label, (rule.alpha, rule.beta, rule.gamma), self.task.process_sum
            )
        return PseudoLabels(label.to(torch.uint8), inside_margins(weight, target.inside), sure)

    def _probability(self, image: Tensor) -> Tensor:
        assert self.teacher is not None
        network = self.teacher.network
        assert isinstance(network, Segmenter)
        scores = LevelLogits(network.main_scores(image))
        return self.task.levels_of(scores, image.shape[-2:])[0].probability

    def mixed_step(
        self,
        model: nn.Module,
        source: LabelledBatch,
        target: UnlabelledBatch,
        pseudo: PseudoLabels,
        chance: Chance,
        backward: Backward,
    ) -> dict[str, Tensor]:
        """Cross-entropy of mixed images under mixed labels and weights (DACS, Eq. 5 and 6)."""
        images = self.mixed_images(source, target, pseudo, chance)
        return self.weighted_step(model, *images, ("mix", self.config.lambda_mix), backward)

    def mixed_images(
        self,
        source: LabelledBatch,
        target: UnlabelledBatch,
        pseudo: PseudoLabels,
        chance: Chance,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Half of the source's classes over the target: images, labels and weights."""
        if source.image.shape != target.image.shape:  # domains that keep their own sizes
            raise SegadaptError(
                f"source images are {list(source.image.shape[-2:])} (height, width), target images "
                f"{list(target.image.shape[-2:])}; to mix them, set a crop or give both one size"
            )
        if source.label_on_host is not None and self.task.process_mean is None:
            present = classes_on_host(source.label_on_host)
        else:
            present = classes_present(source.label, self.task.process_mean)
        mask = mixing_mask(source.label, present, chance)
        image = self.augmented(mixed(mask, source.image, target.image), chance)
        label = mixed(mask, source.label, pseudo.label)
        weight = mixed(mask, torch.ones_like(pseudo.weight), pseudo.weight)
        return image, label, weight

    def examples(
        self, nets: Mapping[str, nn.Module], source: LabelledBatch, target: UnlabelledBatch | None
    ) -> list[Example]:
        """Source and target, what teacher and student see in it, and the mixture."""
        assert target is not None
        chance = self._chance(len(source.image))
        pseudo = self.pseudo_labels(target)
        image, label, weight = self.mixed_images(source, target, pseudo, chance)
        student = self.task.levels(nets["model"].eval(), target.image)[0].logit.argmax(dim=1)
        return [
            Example("Source", "image", source.image),
            Example("Its labels", "label", source.label),
            Example("Target", "image", target.image),
            Example("Teacher", "label", pseudo.label),
            Example("Student", "label", student),
            Example("Mixed", "image", image),
            Example("Mixed labels", "label", label),
            Example("Their weights", "weight", weight),
        ]

    def augmented(self, image: Tensor, chance: Chance, draw: int = 0) -> Tensor:
        """Normalised images with their colours changed."""
        return augmented(image, self.config.augmentation, self.task, chance, draw)

    def weighted_step(
        self,
        model: nn.Module,
        image: Tensor,
        label: Tensor,
        weight: Tensor,
        term: tuple[str, float],
        backward: Backward,
    ) -> dict[str, Tensor]:
        """Backward of the weighted cross-entropy of images on every level.

        Args:
            model: the student.
            image: (N, 3, H, W), normalised.
            label: (N, H, W).
            weight: (N, H, W).
            term: what the loss is called, and its weight.
            backward: see :meth:`Method.step`.
        """
        name, factor = term
        levels = self.task.levels(model, image)
        losses = {
            x.name: weighted_cross_entropy(x.logit, x.part_of(label), x.part_of(weight))
            for x in levels
        }
        total = factor * weighted_sum(levels, losses, self.config.lambda_seg)
        del levels  # maps of the image's size, which the backward pass does without
        backward(total)
        return {f"loss_{name}_{key}": loss.detach() for key, loss in losses.items()}


def augmented(
    image: Tensor, settings: Any, task: SegmentationTask, chance: Chance, draw: int = 0
) -> Tensor:
    """Normalised images (N, 3, H, W) with their colours changed, on RGB as it was before."""
    strength = Strength(
        settings.colour, settings.colour_probability, settings.blur_probability, settings.sigma
    )
    rgb = to_rgb(image, task.input_format).clamp(0, 1)
    changed = strongly_augmented(rgb, strength, chance, draw)
    if changed is rgb:
        return image
    return from_planes(255 * changed, task.input_format)
