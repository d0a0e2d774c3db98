"""Builds segmenters and fills them with their starting weights."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from torch import Tensor

from segadapt.base.errors import SegadaptError, first_line
from segadapt.config.model import LIBRARIES, ModelConfig
from segadapt.models.files.tensors import read_tensors
from segadapt.models.heads.base import find_head
from segadapt.models.segmenter import Segmenter
from segadapt.models.trunks.base import Trunk, find_trunk
from segadapt.models.two_resolutions import TwoResolutions


def build_segmenter(config: ModelConfig, num_classes: int) -> Segmenter:
    """A segmenter with random weights (from torch's global generator).

    Raises:
        SegadaptError: unknown trunk or head, or two that do not go together.
    """
    trunk_class, head_class = find_trunk(config.backbone), find_head(config.heads)
    with _told("backbone", config.backbone):
        trunk = trunk_class(config.backbone, config.section("backbone"))
        _require_facts(trunk)
    with _told("heads", config.heads):
        misfit = head_class.misfit(trunk)
        if misfit is not None:
            raise SegadaptError(f"model.heads: {config.backbone} {misfit}, not {config.heads}")
        head = head_class(config.section("heads"), trunk, num_classes)
        if config.detail is None:
            return Segmenter(trunk, head)
        if trunk.side is not None or head.level_names != ("main",) or head.is_sum:
            raise SegadaptError(
                f"model.detail: needs a head of one level on maps; {config.heads} on "
                f"{config.backbone} is none. Set heads to single or daformer, or leave detail out"
            )
        attention = head_class.of_attention(config.section("heads"), trunk, num_classes)
    return TwoResolutions(trunk, head, attention, config.detail)


def _require_facts(trunk: Trunk) -> None:
    """What heads and the segmenter rely on must be there."""
    if len(trunk.channels) != len(trunk.strides) or not trunk.channels:
        raise ValueError("channels and strides must have one entry for each of its maps")
    if trunk.middle is not None and not 0 <= trunk.middle < len(trunk.channels):
        raise ValueError(f"middle {trunk.middle} is none of its {len(trunk.channels)} maps")
    if trunk.multiple < 1:
        raise ValueError(f"multiple {trunk.multiple} must be 1 or more")


@contextlib.contextmanager
def _told(key: str, name: str) -> Iterator[None]:
    """Mistakes of a class, which may be a user's own, as a sentence."""
    try:
        yield
    except SegadaptError:
        raise
    except Exception as error:
        raise SegadaptError(
            f"model.{key}: {name} cannot be built ({type(error).__name__}: {first_line(error)})"
        ) from error


def check_weights(config: ModelConfig, data_root: Path) -> None:
    """Fetch or look at the starting weights, so that a lack of them shows before any work.

    Raises:
        SegadaptError: the file is missing or unreadable, or cannot be fetched.
    """
    if config.weights == "none":
        return
    file = config.weights_file
    path = None if file is None else data_root / Path(file).expanduser()
    changed = path.stat().st_mtime_ns if path is not None and path.is_file() else 0
    _load_once(config.model_dump_json(), data_root, changed)


@lru_cache(maxsize=64)
def _load_once(settings: str, data_root: Path, changed: int) -> None:
    """The trainings of a recipe mostly start from the same weights."""
    config = ModelConfig.model_validate_json(settings)
    load_starting_weights(build_segmenter(config, num_classes=2), config, data_root)


def load_starting_weights(model: Segmenter, config: ModelConfig, data_root: Path) -> None:
    """Fill the trunk of ``model``; its head keeps its random start.

    Raises:
        SegadaptError: the weights cannot be had, or do not fit the trunk.
    """
    if config.weights == "none":
        return
    if config.weights in LIBRARIES:
        tensors = _from_library(model, config)
        origin = f"{config.weights}'s weights of {config.backbone}"
    else:
        path = data_root / Path(config.weights).expanduser()
        tensors, origin = _without_prefixes(read_tensors(path)), str(path)
    tensors = model.trunk.rename_pretrained(tensors)
    own = model.trunk.state_dict()
    # Files written before PyTorch 0.4 lack the batch counter, which nothing reads.
    optional = ("num_batches_tracked", *model.trunk.never_pretrained())
    missing = [k for k in own if k not in tensors and not k.endswith(optional)]
    if missing:
        raise SegadaptError(
            f"{origin}: lacks {len(missing)} of the {len(own)} entries of {config.backbone} "
            f"(first: {missing[0]}); give a file of that backbone in model.weights"
        )
    wrong = [k for k in own if k in tensors and tensors[k].shape != own[k].shape]
    if wrong:
        key = wrong[0]
        raise SegadaptError(
            f"{origin}: entry {key} has shape {tuple(tensors[key].shape)}, but {config.backbone} "
            f"needs {tuple(own[key].shape)}; give a file of that backbone in model.weights"
        )
    model.trunk.load_state_dict({k: tensors[k] for k in own if k in tensors}, strict=False)


def _from_library(model: Segmenter, config: ModelConfig) -> dict[str, Tensor]:
    library = model.trunk.library
    if library != config.weights:
        offered = "none, or a file's name" if library is None else f"{library}, none, or a file"
        raise SegadaptError(
            f"model.weights: {config.weights} has no weights of {config.backbone}; set {offered}"
        )
    try:
        return model.trunk.fetch()
    except Exception as error:  # no network, or a damaged file in the cache: it may be anything
        raise SegadaptError(
            f"model.weights: {library}'s weights of {config.backbone} cannot be fetched or read "
            f"({first_line(error)}); name a local file in model.weights, or set model.weights=none "
            "to start from random weights"
        ) from error


def _without_prefixes(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Entries of a trunk in any file that has one.

    The published ImageNet and COCO files name their entries ``Scale.conv1.weight`` and so on, our
    checkpoints ``trunk.conv1.weight``. No classifier is taken over from any file (COCO's layer5
    predicts its 21 classes).
    """
    if any(key.startswith("trunk.") for key in tensors):
        return {k.removeprefix("trunk."): v for k, v in tensors.items() if k.startswith("trunk.")}
    return {k.removeprefix("Scale."): v for k, v in tensors.items()}
