"""SSD-300's VGG-16, torchvision's."""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision.models.detection import ssd300_vgg16

from segadapt.base.errors import first_line
from segadapt.models.trunks.base import Trunk
from segadapt.models.trunks.config.ssd_vgg16 import SSDVGG16Config

_POOL4 = 23  # in torchvision's `features`; what follows lies in `extra.0` here


class SSDVGG16(Trunk):
    """VGG-16 as SSD-300 has it: six maps.

    Of 38, 19, 10, 5, 3 and 1 places of 300 pixels (Liu et al., ECCV 2016, Fig. 2). Entry names are
    those of torchvision's detector below ``backbone``; its files fit, with or without their head,
    and files of a plain VGG-16, of which the convolutions up to conv5_3 are taken.
    """

    Config = SSDVGG16Config
    library = "torchvision"
    for_boxes = True
    channels = (512, 1024, 512, 256, 256, 256)
    strides = (8, 16, 32, 64, 100, 300)

    def __init__(self, name: str, config: SSDVGG16Config) -> None:
        super().__init__()
        backbone = ssd300_vgg16(weights=None, weights_backbone=None).backbone
        self.features = backbone.features
        self.extra = backbone.extra
        self.scale_weight = backbone.scale_weight

    def forward(self, image: Tensor) -> list[Tensor]:
        """See :meth:`Trunk.forward`."""
        map_ = self.features(image)
        scaled = self.scale_weight.view(1, -1, 1, 1) * torch.nn.functional.normalize(map_)
        maps = [scaled]
        for block in self.extra:
            map_ = block(map_)
            maps.append(map_)
        return maps

    def rename_pretrained(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """See the class."""
        if any(key.startswith("backbone.") for key in tensors):
            tensors = {
                key.removeprefix("backbone."): value
                for key, value in tensors.items()
                if key.startswith("backbone.")
            }
        if any(key.startswith("extra.") for key in tensors):
            return tensors
        renamed = {}
        for key, value in tensors.items():
            group, _, rest = key.partition(".")
            number, _, kind = rest.partition(".")
            if group != "features" or not number.isdigit():
                continue
            place = int(number)
            inside = place < _POOL4
            renamed[key if inside else f"extra.0.{place - _POOL4}.{kind}"] = value
        return renamed

    def never_pretrained(self) -> tuple[str, ...]:
        """What SSD adds to VGG-16 (a detector's file has it, and it is taken from there)."""
        return tuple(
            key
            for key in self.state_dict()
            if key == "scale_weight" or (key.startswith("extra.") and not _is_vgg(key))
        )

    def fetch(self) -> dict[str, Tensor]:
        """See :meth:`Trunk.fetch`: the weights of torchvision's own SSD training start."""
        from torchvision.models import VGG16_Weights

        try:
            state: dict[str, Tensor] = VGG16_Weights.IMAGENET1K_FEATURES.get_state_dict(
                progress=False, check_hash=True
            )
        except Exception as error:  # no network, or a damaged file in the cache: it may be anything
            raise OSError(first_line(error)) from error
        return state


def _is_vgg(key: str) -> bool:
    """conv5_1 to conv5_3."""
    parts = key.split(".")
    return parts[:2] == ["extra", "0"] and parts[2].isdigit() and int(parts[2]) < 7
