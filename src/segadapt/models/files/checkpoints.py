"""Trained segmenters as files: our own format; published ones go through `conversion.py`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from torch import Tensor

from segadapt.artefacts import CHECKPOINT_FILE
from segadapt.base.classes import ClassSet
from segadapt.base.errors import SegadaptError
from segadapt.base.section import found_in
from segadapt.config.model import ModelConfig
from segadapt.models.build import build_segmenter
from segadapt.models.files import earlier
from segadapt.models.files.conversion import from_published, to_published
from segadapt.models.files.hub import local_file
from segadapt.models.files.published import PROGRAMS
from segadapt.models.files.tensors import (
    read_safetensors,
    read_tensors,
    write_safetensors,
    write_state_dict,
)
from segadapt.models.segmenter import Segmenter

FORMAT = "segadapt-3"


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
    description = json.dumps(description_of(trained))
    write_safetensors(path, trained.model.state_dict(), {"segadapt": description})


def description_of(trained: TrainedModel) -> dict[str, Any]:
    """What a checkpoint says of itself beside its tensors, as JSON values."""
    return {
        "format": FORMAT,
        "model": trained.config.model_dump(),
        "classes": asdict(trained.classes),
        "size": trained.size,
        "oracle": trained.oracle,
    }


def save_published(path: Path, trained: TrainedModel, family: str | None) -> None:
    """Write a state dict that the released program of ``family`` loads (weights alone).

    Raises:
        SegadaptError: that program would not compute what this model does.
    """
    _check_family(family)
    write_state_dict(path, to_published(trained.model.state_dict(), trained.config, family, path))


def checkpoint_of(path: Path) -> Path:
    """A checkpoint file, the one in the folder of a stage or of a run, or one from the hub.

    Raises:
        SegadaptError: the folder holds none, or several; it names them. ``hf:USER/NAME`` cannot be
            downloaded.
    """
    if not path.is_dir():
        return local_file(path)
    inside = [path / CHECKPOINT_FILE, *sorted(path.glob(f"*-*/{CHECKPOINT_FILE}"))]
    found = [file for file in inside if file.is_file()]
    if len(found) == 1:
        return found[0]
    if not found:
        raise SegadaptError(f"{path}: is a folder without a checkpoint; give a checkpoint's file")
    names = ", ".join(str(file.relative_to(path)) for file in found[:5])
    raise SegadaptError(
        f"{path}: is a run of {len(found)} checkpoints; name the one that is meant: {names}"
    )


def load_checkpoint(path: Path, family: str | None = None) -> TrainedModel:
    """Read a checkpoint.

    Args:
        path: our own file (``.safetensors``), or a published one (any other ending).
        family: whose program a published file belongs to, where its entries do not tell. Our own
            files need none.

    Raises:
        SegadaptError: missing or damaged file, or one of another family.
    """
    _check_family(family)
    if path.suffix != ".safetensors":
        published = from_published(read_tensors(path), family, path)
        model = _built(published.config, len(published.classes.names), path)
        _fill(model, published.tensors, path, published.their_name)
        return TrainedModel(model.eval(), published.config, published.classes, published.size)
    tensors, metadata = read_safetensors(path)
    try:
        description = json.loads(metadata["segadapt"])
        model_settings = description["model"]
        if description["format"] == earlier.FORMAT:
            tensors = earlier.todays_tensors(tensors, model_settings["heads"])
            model_settings = earlier.todays_settings(model_settings)
        elif description["format"] != FORMAT:
            raise ValueError(f"its format is {description['format']}, this version reads {FORMAT}")
        classes = ClassSet.from_dict(description["classes"])
        config = network_settings(model_settings, path)
        size = _size(description["size"])
        oracle = bool(description["oracle"])
    except (KeyError, ValueError, TypeError) as error:
        raise SegadaptError(
            f"{path}: was not written by segadapt, or by another version of it ({error}); "
            "give a checkpoint of a run, or a published .pth file with its family"
        ) from error
    model = _built(config, len(classes.names), path)
    _fill(model, tensors, path)
    return TrainedModel(model.eval(), config, classes, size, oracle)


def _size(value: Any) -> tuple[int, int] | None:
    if value is None:
        return None
    height, width = (int(side) for side in value)
    if height < 1 or width < 1:
        raise ValueError(f"its size is {value!r}")
    return height, width


def network_settings(settings: dict[str, Any], path: Path) -> ModelConfig:
    """The network's settings, as a file has them; those of a user's own class need it to be
    importable.

    Raises:
        SegadaptError: they are none of a network that there is.
    """
    try:
        return ModelConfig.model_validate(settings)
    except ValidationError as error:
        problem = found_in(error, "model")[0]
        raise SegadaptError(
            f"{path}: its network cannot be built: {problem.path}: {problem.message}"
        ) from error


def _built(config: ModelConfig, num_classes: int, path: Path) -> Segmenter:
    try:
        return build_segmenter(config, num_classes)
    except SegadaptError as error:
        raise SegadaptError(f"{path}: its network cannot be built: {error}") from error


def _check_family(family: str | None) -> None:
    if family is not None and family not in PROGRAMS:
        raise SegadaptError(f"family {family!r} is unknown; choose one of {', '.join(PROGRAMS)}")


def _fill(
    model: Segmenter,
    tensors: dict[str, Tensor],
    path: Path,
    in_file: Callable[[str], str] = str,
) -> None:
    """``in_file`` gives what the file calls an entry of ours."""
    own = model.state_dict()
    # Old files lack the batch counters, which nothing reads; they stay as built.
    optional = {k for k in own if k.endswith("num_batches_tracked")}
    missing = sorted(own.keys() - tensors.keys() - optional)
    surplus = sorted(tensors.keys() - own.keys())
    wrong = sorted(k for k in own.keys() & tensors.keys() if own[k].shape != tensors[k].shape)
    for problem, keys in (("lacks", missing), ("has unknown", surplus), ("has misshapen", wrong)):
        if keys:
            raise SegadaptError(
                f"{path}: does not fit its model: {problem} {len(keys)} entries, "
                f"first {min(map(in_file, keys))}"
            )
    model.load_state_dict(tensors, strict=False)
