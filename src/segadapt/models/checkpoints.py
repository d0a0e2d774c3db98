"""Trained segmenters as files: our own, and the published ADVENT layout, in and out."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from segadapt.classes import ClassSet
from segadapt.config import ModelConfig
from segadapt.errors import SegadaptError
from segadapt.models.base import Segmenter
from segadapt.models.files import read_safetensors, read_tensors, write_safetensors
from segadapt.models.initialise import build_segmenter

FORMAT = "segadapt-1"
FAMILIES = ("advent",)


@dataclass(frozen=True)
class TrainedModel:
    """A segmenter with what is needed to use it."""

    model: Segmenter
    config: ModelConfig
    classes: ClassSet
    size: tuple[int, int] | None
    """(height, width) that images had in training; None where each kept its own."""
    oracle: bool = False
    """Target labels took part in training."""


def save_checkpoint(path: Path, trained: TrainedModel) -> None:
    """Write one safetensors file that :func:`load_checkpoint` needs nothing else for."""
    description = {
        "format": FORMAT,
        "model": trained.config.model_dump(),
        "classes": asdict(trained.classes),
        "size": trained.size,
        "oracle": trained.oracle,
    }
    write_safetensors(path, trained.model.state_dict(), {"segadapt": json.dumps(description)})


def load_checkpoint(path: Path, family: str | None = None) -> TrainedModel:
    """Read a checkpoint.

    Args:
        path: our own file, or a published one.
        family: whose layout a published file has; its keys alone cannot tell ADVENT from
            AdaptSegNet, whose classifier differs. Not needed for our own files.

    Raises:
        SegadaptError: missing or damaged file, or one of another family.
    """
    if family is not None and family not in FAMILIES:
        raise SegadaptError(f"family {family!r} is unknown; choose one of {', '.join(FAMILIES)}")
    if path.suffix != ".safetensors":
        return _load_advent(path, family)
    tensors, metadata = read_safetensors(path)
    try:
        description = json.loads(metadata["segadapt"])
        if description["format"] != FORMAT:
            raise ValueError(f"its format is {description['format']}, this version reads {FORMAT}")
        classes = ClassSet.from_dict(description["classes"])
        config = ModelConfig.model_validate(description["model"])
        size = tuple(description["size"]) if description["size"] else None
        oracle = bool(description["oracle"])
    except (KeyError, ValueError, TypeError) as error:
        raise SegadaptError(
            f"{path}: was not written by segadapt, or by another version of it ({error}); "
            "give a checkpoint of a run, or a published .pth file with its family"
        ) from error
    model = build_segmenter(config, len(classes.names))
    _fill(model, tensors, path)
    return TrainedModel(model.eval(), config, classes, size, oracle)  # type: ignore[arg-type]


def _load_advent(path: Path, family: str | None) -> TrainedModel:
    from segadapt.classes import CITYSCAPES_19

    tensors = read_tensors(path)
    if family is None:
        raise SegadaptError(
            f"{path}: files of this kind do not tell whose classifier they hold (ADVENT's and "
            "AdaptSegNet's entries have the same names); say --family advent if it is ADVENT's"
        )
    if not {"layer6.conv2d_list.3.weight", "layer4.2.conv3.weight"} <= tensors.keys():
        raise SegadaptError(
            f"{path}: has not the entries of an ADVENT checkpoint (layer6.conv2d_list.3.weight "
            "is among those expected); it is of another family or of another backbone"
        )
    num_classes = len(tensors["layer6.conv2d_list.3.weight"])
    if num_classes != len(CITYSCAPES_19.names):
        raise SegadaptError(
            f"{path}: predicts {num_classes} classes; published ADVENT checkpoints have 19"
        )
    config = ModelConfig(
        backbone=_resnet_of(tensors),
        heads="multi_level" if "layer5.conv2d_list.0.weight" in tensors else "single",
        weights="none",
    )
    model = build_segmenter(config, num_classes)
    _fill(model, tensors, path)
    return TrainedModel(model.eval(), config, CITYSCAPES_19, size=(512, 1024))


def _resnet_of(tensors: dict[str, Tensor]) -> str:
    blocks = len({k.split(".")[1] for k in tensors if k.startswith("layer3.")})
    return {6: "resnet50", 23: "resnet101", 36: "resnet152"}.get(blocks, "resnet101")


def _fill(model: Segmenter, tensors: dict[str, Tensor], path: Path) -> None:
    own = model.state_dict()
    # Old files lack the batch counters, which nothing reads; they stay as built.
    optional = {k for k in own if k.endswith("num_batches_tracked")}
    missing = sorted(own.keys() - tensors.keys() - optional)
    surplus = sorted(tensors.keys() - own.keys())
    wrong = sorted(k for k in own.keys() & tensors.keys() if own[k].shape != tensors[k].shape)
    for problem, keys in (("lacks", missing), ("has unknown", surplus), ("has misshapen", wrong)):
        if keys:
            raise SegadaptError(
                f"{path}: does not fit its model: {problem} {len(keys)} entries, first {keys[0]}"
            )
    model.load_state_dict(tensors, strict=False)


def write_advent(path: Path, model: Segmenter) -> None:
    """Write the state dict under the published names, key for key, as PyTorch file.

    Raises:
        SegadaptError: the model is no ResNet with ADVENT's classifiers.
    """
    if "layer4" not in model.trunk:
        raise SegadaptError(f"{path}: only ResNet segmenters have the published ADVENT layout")
    partial = path.with_name(path.name + ".partial")
    torch.save({k: v.detach().cpu().contiguous() for k, v in model.state_dict().items()}, partial)
    partial.replace(path)
