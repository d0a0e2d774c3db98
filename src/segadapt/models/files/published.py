"""Layouts of the published checkpoints: names of entries, and what the entries do not tell.

Read off the released programs (`model/deeplab_multi.py` and `deeplab_vgg.py` of AdaptSegNet,
`CLAN_G.py`, BDL's and CRST's `deeplab`, ADVENT's `deeplabv2.py`, and their evaluations). A file of
theirs is a state dict; trunks have the same names as ours, classifiers differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from segadapt.base.errors import SegadaptError
from segadapt.config.model import ModelConfig
from segadapt.config.values import InputFormat
from segadapt.models.heads.config.dilations import DILATIONS, DilationsConfig


@dataclass(frozen=True)
class Program:
    """What a family's program does with its network, and no entry tells."""

    branches: int = 4
    """All files store four dilated convolutions per classifier; so many of them are summed."""
    input_format: InputFormat = "bgr_mean"
    size: tuple[int, int] | None = (512, 1024)
    """(height, width) of the images in evaluation; None where they keep their own."""


PROGRAMS = {
    "advent": Program(),
    "intrada": Program(),
    "adaptsegnet": Program(branches=2),
    "clan": Program(),
    "bdl": Program(),
    "crst": Program(input_format="rgb_mean_std", size=None),
}


@dataclass(frozen=True)
class Layout:
    """One way in which files keep their classifiers."""

    looks: str
    heads: str
    names: Mapping[str, str]
    """Our classifiers, of the head -> the file's."""
    families: tuple[str, ...]
    vgg: bool = False


LAYOUTS = (
    Layout(
        "layer5 on conv4's features and layer6 on conv5's",
        "multi_level",
        {"aux": "layer5", "main": "layer6"},
        ("advent", "intrada", "adaptsegnet"),
    ),
    Layout("layer6 as its only classifier", "single", {"main": "layer6"}, ("advent", "intrada")),
    Layout(
        "layer5 and layer6 on the same features",
        "sum",
        {"second": "layer5", "main": "layer6"},
        ("clan",),
    ),
    Layout("layer5 as its only classifier", "single", {"main": "layer5"}, ("bdl", "crst")),
    Layout(
        "VGG-16's features and one classifier",
        "single",
        {"main": "classifier"},
        ("advent", "intrada", "adaptsegnet"),
        vgg=True,
    ),
)
RESNETS = {(3, 4, 6, 3): "resnet50", (3, 4, 23, 3): "resnet101", (3, 8, 36, 3): "resnet152"}


def layout_of(tensors: Mapping[str, Tensor], path: Path) -> Layout:
    """The layout that a file's entries show.

    Raises:
        SegadaptError: none of them; the sentence says what the file looks like instead.
    """
    first = {
        name: tensors.get(f"{name}.conv2d_list.0.weight")
        for name in ("layer5", "layer6", "classifier")
    }
    inputs = {k: v.shape[1] for k, v in first.items() if v is not None and v.ndim == 4}
    vgg = "features.0.weight" in tensors
    if vgg or "layer4.0.conv1.weight" in tensors:
        same = len(inputs) == 2 and len(set(inputs.values())) == 1
        for layout in LAYOUTS:
            found = inputs.keys() == set(layout.names.values()) and layout.vgg == vgg
            if found and same == (layout.heads == "sum"):
                return layout
    if any(key.startswith("Scale.") for key in tensors):
        raise SegadaptError(
            f"{path}: is an initialisation file (its entries begin with Scale.), no trained "
            "segmenter; name it in model.weights of a recipe"
        )
    if "score_fr.weight" in tensors:
        raise SegadaptError(
            f"{path}: holds an FCN-8s, as BDL's VGG files do; only DeepLab-v2 networks are read"
        )
    raise SegadaptError(
        f"{path}: has not the entries of a published DeepLab-v2 checkpoint (a ResNet with "
        "layer5.conv2d_list.* or layer6.conv2d_list.*, or VGG-16 with classifier.conv2d_list.*); "
        "give a file of one of these networks"
    )


def family_of(layout: Layout, family: str | None, path: Path) -> str:
    """The family as stated, or as the layout tells it.

    Raises:
        SegadaptError: the statement is wrong, or there is none and one is needed.
    """
    choices = " or ".join(f"--family {name}" for name in layout.families)
    if family is None:
        if len({PROGRAMS[name] for name in layout.families}) > 1:
            raise SegadaptError(
                f"{path}: has {layout.looks}, which does not tell whose program it belongs to, and "
                f"they use it differently; say {choices}"
            )
        return layout.families[0]
    if family not in layout.families:
        raise SegadaptError(f"{path}: has {layout.looks}, unlike files of {family}; say {choices}")
    return family


def layout_for(config: ModelConfig, family: str) -> Layout | None:
    """The layout in which a family's program stores such a network, if it has such a one."""
    for layout in LAYOUTS:
        backbone = config.backbone == "vgg16" if layout.vgg else config.backbone in RESNETS.values()
        if backbone and layout.heads == config.heads and family in layout.families:
            return layout
    return None


def misfit(config: ModelConfig, family: str) -> str | None:
    """Why a model cannot be written as one of the family; None where it can."""
    if layout_for(config, family) is None:
        return f"{family} has no {config.backbone} with heads: {config.heads}"
    program = PROGRAMS[family]
    dilations = dilations_of(config)
    if dilations != DILATIONS[: program.branches]:
        return (
            f"{family}'s program sums dilations {DILATIONS[: program.branches]}, this model "
            f"{dilations}"
        )
    if config.input_format != program.input_format:
        return (
            f"{family}'s program feeds {program.input_format}, this model was trained on "
            f"{config.input_format}"
        )
    return None


def dilations_of(config: ModelConfig) -> tuple[int, ...]:
    """Those of the head's classifiers, which every head of a published layout has."""
    head = config.section("heads")
    assert isinstance(head, DilationsConfig)
    return head.dilations
