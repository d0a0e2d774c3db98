"""Labels and indices on the disk, and what is counted of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from segadapt.artefacts import LabelSet, PixelSplit
from segadapt.base.pictures import label_picture
from segadapt.data.domain import Domain
from segadapt.engine.fabric import Processes
from segadapt.losses.segmentation import IGNORE
from segadapt.split.pixel_split import domain_index

Label = Callable[[Tensor], Tensor]
"""(1, C, H, W) probabilities -> (1, H, W) pseudo-labels, 255 at hard pixels."""


def labels_by(label: Label) -> Callable[[Tensor], tuple[Tensor, Tensor, Tensor]]:
    """What :class:`Written` takes, of probabilities (1, C, H, W), by a rule for labels."""

    def read(probability: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        confidence, predicted = probability.max(dim=1)
        found = label(probability)
        return found, stored_index(confidence, found), predicted

    return read


def stored_index(confidence: Tensor, label: Tensor) -> Tensor:
    """Z of Eq. 7 in 1/255, (N, H, W) uint8: zero at easy pixels and there alone."""
    z = (domain_index(confidence, label) * 255).round()
    # Rounding must not turn a hard pixel into an easy one.
    return torch.where(label == IGNORE, z.clamp(min=1.0), 0.0).to(torch.uint8)


class Written:
    """Writes labels and indices, and keeps count."""

    def __init__(self, directory: Path, domain: Domain) -> None:
        self.directory, self.domain = directory, domain
        classes = len(domain.classes.names)
        self._easy = torch.zeros(classes, dtype=torch.long)
        self._predicted = torch.zeros(classes, dtype=torch.long)
        self._shares: dict[int, float] = {}

    def add(self, index: int, label: Tensor, z: Tensor, predicted: Tensor) -> None:
        """Write one image's maps, (1, H, W) each.

        Args:
            index: of the image in its domain.
            label: uint8, 255 at hard pixels.
            z: uint8, zero at easy pixels (Eq. 7, times 255).
            predicted: most probable classes.
        """
        name = self.domain.samples[index].name
        classes = len(self._easy)
        easy = label != IGNORE
        self._easy += torch.bincount(label[easy].long(), minlength=classes).cpu()
        self._predicted += torch.bincount(predicted.flatten(), minlength=classes).cpu()
        self._shares[index] = float(easy.double().mean())
        arrays = [x[0].cpu().numpy() for x in (label, z)]
        for path, picture in (
            (LabelSet.path(self.directory, name), label_picture(arrays[0], self.domain.classes)),
            (LabelSet.index_path(self.directory, name), Image.fromarray(arrays[1])),
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
            picture.save(path)

    def split(
        self, rule: str, alpha: float | None, thresholds: list[float], processes: Processes
    ) -> PixelSplit:
        """The artefact, of all processes' images."""
        easy = processes.sum(self._easy.to(processes.device)).tolist()
        predicted = processes.sum(self._predicted.to(processes.device)).tolist()
        shares = {i: x for part in processes.gather(self._shares) for i, x in part.items()}
        return PixelSplit(
            rule=rule,
            alpha=alpha,
            thresholds=tuple(thresholds),
            easy_share=sum(easy) / max(sum(predicted), 1),
            easy_pixels=tuple(easy),
            predicted_pixels=tuple(predicted),
            images={s.name: shares[i] for i, s in enumerate(self.domain.samples)},
        )
