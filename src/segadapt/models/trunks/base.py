"""The contract of a trunk, and how one is found."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from segadapt.base.errors import first_line
from segadapt.base.parts import TRUNKS
from segadapt.base.section import Section


class Trunk(nn.Module):
    """Images in, maps of features out.

    Subclasses set ``channels`` and ``strides`` in their ``__init__(name, config)``, where ``name``
    is what the recipe calls the network and ``config`` the trunk's section, and give the maps in
    :meth:`forward`. Entry names inside a trunk are those of the files that its weights come from.
    """

    Config: ClassVar[type[Section]] = Section
    library: ClassVar[str | None] = None
    """Where ``weights`` may come from besides files: ``torchvision``, ``timm``; None: nowhere."""
    side: ClassVar[int | None] = None
    """Side of the square images that it takes, where it takes no others: it then sees an image as
    a whole, and its maps are one pixel (N, channels, 1, 1)."""
    least_batch: ClassVar[int] = 1
    """Images that a process must have in training."""
    training_only: ClassVar[frozenset[str]] = frozenset()
    """Settings in which two trunks may differ and still exchange weights."""

    for_boxes: ClassVar[bool] = False
    """Its maps are a detector's pyramid, down to one place, and no classifier of pixels goes with
    it."""

    channels: tuple[int, ...]
    """Of each map, in the order of :meth:`forward`."""
    strides: tuple[int, ...]
    """Pixels of the image for one of each map, about."""
    middle: int | None = None
    """Which map an auxiliary classifier looks at; None where there is none for it."""
    multiple: int = 1
    """Sides of images must be multiples of this; the segmenter pads others."""

    token_side: int | None = None
    """Pixels of a side of the patches that :meth:`hiding` replaces; None where it cannot."""

    def forward(self, image: Tensor) -> list[Tensor]:
        """(N, 3, H, W) normalised images -> maps (N, channels, h, w), the last one for heads."""
        raise NotImplementedError

    def initialise(self) -> None:
        """Draw starting weights, once trunk and head are built; torch's own serve most."""

    def hiding(self, hidden: Tensor) -> AbstractContextManager[None]:
        """While it lasts, patches are seen as the mask token where ``hidden`` (N, h, w) is True.

        The map is that of the padded image: each patch is ``token_side`` pixels wide and high.
        """
        raise NotImplementedError

    def decays(self, name: str, parameter: nn.Parameter) -> bool:
        """Whether weight decay is for this parameter, where an optimizer has one."""
        return True

    def layers_above(self, name: str) -> int:
        """How many layers lie between a parameter and the trunk's maps, its own included, where
        rates are to differ by layer: 0 for what comes after the last one."""
        return 0

    def blocks(self) -> Sequence[nn.Module]:
        """Layers that an image passes one after the other, alike and with nearly all weights, so
        that processes can share these; most trunks have none."""
        return ()

    def rename_pretrained(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """Entries of a weights file under this trunk's names; most have them already."""
        return tensors

    def never_pretrained(self) -> tuple[str, ...]:
        """Entries that weights files do not have; they keep their random start."""
        return ()

    def fetch(self) -> dict[str, Tensor]:
        """The library's weights, from its cache or the network.

        Raises:
            Exception: whatever stands in the way; :func:`segadapt.models.build` words it.
        """
        raise NotImplementedError


def find_trunk(name: str) -> type[Trunk]:
    """The class of ``resnet101``, ``timm:NAME`` or ``package.module:Class``.

    Raises:
        SegadaptError: there is no such trunk.
    """
    found: type[Trunk] = TRUNKS.find(name)
    return found


def torchvision_weights(name: str) -> dict[str, Tensor]:
    """torchvision's first ImageNet weights, which the DeepLab trunk was designed with.

    Raises:
        OSError: they can be neither fetched nor read; it says where to put the file.
    """
    import torchvision

    weights = torchvision.models.get_model_weights(name)["IMAGENET1K_V1"]  # type: ignore[attr-defined]
    try:
        state: dict[str, Any] = torch.hub.load_state_dict_from_url(
            weights.url, map_location="cpu", weights_only=True, progress=False
        )
    except Exception as error:  # no network, or a damaged file in the cache: it may be anything
        target = Path(torch.hub.get_dir()) / "checkpoints" / Path(weights.url).name
        raise OSError(
            f"{first_line(error)}; without a network, put the file at {target}"
        ) from error
    return dict(state)
