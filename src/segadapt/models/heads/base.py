"""The contract of a head, and how one is found."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from segadapt.base.parts import HEADS
from segadapt.base.section import Section
from segadapt.base.windows import Window
from segadapt.models.boxes import BoxOutput
from segadapt.models.trunks.base import Trunk


class LevelLogits(NamedTuple):
    """Class scores at network resolution, (N, C, h, w), of main and auxiliary classifier."""

    main: Tensor
    aux: Tensor | None = None
    summands: tuple[Tensor, Tensor] | None = None
    """Where the main scores are a sum of two classifiers': each one's."""
    aux_window: Window | None = None
    """The part of the image that ``aux`` is of; None: all of it."""
    boxes: BoxOutput | None = None
    """Of detectors; ``main`` is then its scores as maps of one size."""


class Head(nn.Module):
    """A trunk's maps in, class scores of one or two levels out.

    Subclasses are made by ``__init__(config, trunk, num_classes)``: the head's section, the trunk
    (for its ``channels``, ``strides``, ``middle``), and the number of classes.
    """

    Config: ClassVar[type[Section]] = Section
    level_names: ClassVar[tuple[str, ...]] = ("main",)
    """``main``, and ``aux`` of heads that give a second level."""
    is_sum: ClassVar[bool] = False
    """The prediction is a sum of two classifiers' (CLAN, CIRN); they are told apart by
    :meth:`classifier_weights`."""

    @classmethod
    def misfit(cls, trunk: Trunk) -> str | None:
        """Why it does not go with a trunk: what is said after the trunk's name; None if it does."""
        if trunk.side is not None:
            return "sees an image as a whole and has one classifier; set heads to single"
        return only_for_boxes(trunk)

    @classmethod
    def of_attention(cls, config: Any, trunk: Trunk, num_classes: int) -> Head:
        """A head of this kind whose scores say where to look closely (HRDA): one like it, or a
        simpler one."""
        return cls(config, trunk, num_classes)  # type: ignore[call-arg]

    def forward(self, maps: list[Tensor]) -> LevelLogits:
        """Maps (N, channels, h, w) as the trunk gives them -> :class:`LevelLogits`."""
        raise NotImplementedError

    def main_scores(self, maps: list[Tensor]) -> Tensor:
        """Scores (N, C, h, w) of the main classifier alone, which are all that a prediction needs;
        for heads that can do with less than :meth:`forward` does."""
        scores: Tensor = self(maps).main
        return scores

    def initialise(self) -> None:
        """Draw starting weights, once trunk and head are built; torch's own serve most."""

    def decays(self, name: str, parameter: nn.Parameter) -> bool:
        """Whether weight decay is for this parameter, where an optimizer has one."""
        return True

    def classifier_weights(self) -> tuple[Tensor, Tensor]:
        """All weights of both classifiers, flat, where ``is_sum``."""
        raise NotImplementedError

    def attention_maps(self, maps: list[Tensor]) -> list[Tensor]:
        """Maps (N, 1, h, w) in [0, 1] that a classifier looks through; most heads have none."""
        return []


def only_for_boxes(trunk: Trunk) -> str | None:
    """The misfit of every head of pixels with a detector's trunk."""
    return "gives maps for boxes alone; set heads to ssd" if trunk.for_boxes else None


def find_head(name: str) -> type[Head]:
    """The class of ``daformer``, say, or of ``package.module:Class``.

    Raises:
        SegadaptError: there is no such head.
    """
    found: type[Head] = HEADS.find(name)
    return found


def flat(classifier: nn.Module) -> Tensor:
    """All weights of a classifier in one row."""
    return torch.cat([p.flatten() for p in classifier.parameters()])
