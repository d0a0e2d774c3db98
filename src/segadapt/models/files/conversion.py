"""Published checkpoints in our terms, and our models as published checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from segadapt.base.classes import ClassSet, classes_of
from segadapt.base.errors import SegadaptError
from segadapt.config.model import ModelConfig
from segadapt.models.files.published import (
    PROGRAMS,
    RESNETS,
    Layout,
    dilations_of,
    family_of,
    layout_for,
    layout_of,
    misfit,
)
from segadapt.models.heads.config.dilations import DILATIONS


@dataclass(frozen=True)
class Published:
    """A published file in our terms."""

    config: ModelConfig
    classes: ClassSet
    size: tuple[int, int] | None
    tensors: dict[str, Tensor]
    layout: Layout

    def their_name(self, name: str) -> str:
        """What the file calls an entry of ours."""
        return _their_name(name, self.layout)


def from_published(tensors: Mapping[str, Tensor], family: str | None, path: Path) -> Published:
    """Translate a file's entries; ``family`` may be left out where they tell it.

    Raises:
        SegadaptError: an unknown network, a family that does not fit, or one that must be said.
    """
    layout = layout_of(tensors, path)
    name = family_of(layout, family, path)
    program = PROGRAMS[name]
    file_names = {theirs: ours for ours, theirs in layout.names.items()}
    # Stored, but never read by that program.
    unused = tuple(f"conv2d_list.{i}." for i in range(program.branches, len(DILATIONS)))
    ours: dict[str, Tensor] = {}
    for key, value in tensors.items():
        part, _, rest = key.partition(".")
        if part in file_names and rest.startswith(unused):
            continue
        ours[f"head.{file_names[part]}.{rest}" if part in file_names else f"trunk.{key}"] = value
    config = ModelConfig(
        backbone="vgg16" if layout.vgg else _resnet_of(tensors, path),
        heads=layout.heads,
        dilations=DILATIONS[: program.branches],  # type: ignore[call-arg]
        weights="none",
        input_format=program.input_format,
    )
    number = len(tensors[f"{layout.names['main']}.conv2d_list.0.weight"])
    return Published(config, classes_of(number), program.size, ours, layout)


def to_published(
    state: Mapping[str, Tensor], config: ModelConfig, family: str | None, path: Path
) -> dict[str, Tensor]:
    """A model's entries in a family's layout, key for key; unused branches become zeros.

    Raises:
        SegadaptError: no family is said, or its program would compute something else.
    """
    problem = "say whose layout to write with --family" if family is None else None
    problem = problem or misfit(config, str(family))
    if problem:
        fitting = [name for name in PROGRAMS if misfit(config, name) is None]
        raise SegadaptError(f"{path}: {problem}; this model fits {', '.join(fitting) or 'none'}")
    layout = layout_for(config, str(family))
    assert layout is not None
    theirs = {_their_name(key, layout): value for key, value in state.items()}
    for classifier in layout.names.values():
        for unused in range(len(dilations_of(config)), len(DILATIONS)):
            for kind in ("weight", "bias"):
                like = theirs[f"{classifier}.conv2d_list.0.{kind}"]
                theirs[f"{classifier}.conv2d_list.{unused}.{kind}"] = torch.zeros_like(like)
    return theirs


def _their_name(name: str, layout: Layout) -> str:
    part, _, rest = name.partition(".")
    if part == "trunk":
        return rest
    classifier, _, entry = rest.partition(".")
    return f"{layout.names[classifier]}.{entry}"


def _resnet_of(tensors: Mapping[str, Tensor], path: Path) -> str:
    blocks = tuple(
        len({key.split(".")[1] for key in tensors if key.startswith(f"layer{i}.")})
        for i in (1, 2, 3, 4)
    )
    if blocks not in RESNETS:
        raise SegadaptError(
            f"{path}: its ResNet has {blocks} blocks per layer; those of "
            f"{', '.join(RESNETS.values())} are known"
        )
    return RESNETS[blocks]
