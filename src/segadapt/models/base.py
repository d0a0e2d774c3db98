"""What every segmenter is: an image in, logits of one or two levels out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn

from segadapt.config import Heads
from segadapt.models.ancillary import AncillaryClassifier
from segadapt.models.aspp import ASPPClassifier


class LevelLogits(NamedTuple):
    """Class scores at network resolution, (N, C, h, w), of main and auxiliary classifier."""

    main: Tensor
    aux: Tensor | None
    summands: tuple[Tensor, Tensor] | None = None
    """Where the main scores are a sum of two classifiers': each one's."""


class Segmenter(nn.Module):
    """Base of all segmentation networks.

    Subclasses name the parts of their pretrained trunk in ``trunk``. The main classifier is
    ``layer6``, on the last features; ``layer5`` is the auxiliary one on the middle features
    (``heads="multi_level"``), or the second one on the last features (``heads="sum"``, and with
    attention ``heads="ancillary"``).
    """

    trunk: tuple[str, ...] = ()
    never_pretrained: tuple[str, ...] = ()
    """Entries of the trunk that ImageNet files do not have; they keep their random start."""

    def __init__(
        self, num_classes: int, heads: Heads, dilations: tuple[int, ...], attention_modules: int = 2
    ) -> None:
        super().__init__()
        self.attention_modules = attention_modules
        self.num_classes = num_classes
        self.heads = heads
        self.dilations = dilations

    def extract(self, image: Tensor) -> tuple[Tensor, Tensor | None]:
        """Last and middle features, (N, channels, h, w) each, of (N, 3, H, W) normalised images.

        The resolution is about an eighth of the image's; None where there is no middle level.
        """
        raise NotImplementedError

    def forward(self, image: Tensor) -> LevelLogits:
        """(N, 3, H, W) normalised images -> :class:`LevelLogits`."""
        return self.classify(*self.extract(image))

    def add_classifiers(self, last: int, middle: int | None = None) -> None:
        """Make the classifiers, for so many channels of the last and the middle features."""
        if self.heads == "ancillary":
            self.layer5: nn.Module = AncillaryClassifier(
                last, self.num_classes, self.dilations, self.attention_modules
            )
        elif self.heads != "single":
            channels = last if self.heads == "sum" else middle
            assert channels is not None, "this backbone has no middle level"
            self.layer5 = ASPPClassifier(channels, self.num_classes, self.dilations)
        self.layer6 = ASPPClassifier(last, self.num_classes, self.dilations)

    def classify(self, last: Tensor, middle: Tensor | None = None) -> LevelLogits:
        """Logits from the last and the middle features, (N, channels, h, w) each.

        With ``heads="sum"`` the two classifiers are one level, their sum, as in CLAN (Luo et al.,
        CVPR 2019); with ``heads="ancillary"`` the second is CIRN's ACM.
        """
        main = self.layer6(last)
        if self.heads in ("sum", "ancillary"):
            second = self.layer5(last)
            return LevelLogits(main=second + main, aux=None, summands=(main, second))
        return LevelLogits(main, self.layer5(middle) if self.heads == "multi_level" else None)

    def rename_pretrained(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """Entries of an ImageNet file under this network's names; most have torchvision's."""
        return tensors

    def classifier_weights(self) -> tuple[Tensor, Tensor]:
        """All weights of the first and of the second classifier, where their sum is the prediction.

        Those of the ancillary classifier's attention modules are not among them.
        """
        second = self.layer5.classifier if self.heads == "ancillary" else self.layer5
        first = torch.cat([p.flatten() for p in self.layer6.parameters()])
        assert isinstance(second, nn.Module)
        return first, torch.cat([p.flatten() for p in second.parameters()])

    def trunk_parameters(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Trainable parameters of the pretrained trunk with their full names."""
        for name, parameter in self.named_parameters():
            if parameter.requires_grad and name.split(".")[0] in self.trunk:
                yield name, parameter

    def classifier_parameters(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Trainable parameters of the classifiers with their full names."""
        for name, parameter in self.named_parameters():
            if parameter.requires_grad and name.split(".")[0] not in self.trunk:
                yield name, parameter
