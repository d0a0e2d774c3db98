"""Checkpoints that somebody published on the Hugging Face hub: ``hf:USER/NAME``."""

from __future__ import annotations

import json
import re
from pathlib import Path

from segadapt.base.errors import SegadaptError, first_line
from segadapt.base.extras import require_extra
from segadapt.base.parts import HEADS, TRUNKS
from segadapt.models.files.tensors import read_safetensors

MODEL_FILE = "model.safetensors"
"""The only file that is read of a repository; it holds the network's description too."""
NAME = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
PREFIX = "hf:"
_REFERENCE = re.compile(rf"{PREFIX}({NAME.pattern})(?:@(.+))?", re.ASCII)


def is_on_hub(path: Path) -> bool:
    """Whether a path is none, and names a repository."""
    return str(path).startswith(PREFIX)


def local_file(path: Path) -> Path:
    """A path as it is; of ``hf:USER/NAME`` or ``hf:USER/NAME@REVISION`` the downloaded checkpoint.

    Nothing in a repository is executed: its checkpoint alone is read, as tensors and JSON, and one
    whose network needs a class of somebody's own is refused.

    Raises:
        SegadaptError: there is no such repository, it cannot be reached, or holds no such file.
    """
    if not is_on_hub(path):
        return path
    found = _REFERENCE.fullmatch(str(path))
    if found is None:
        raise SegadaptError(f"{path}: expected hf:USER/NAME, or hf:USER/NAME@REVISION")
    require_extra(f"{path}:", "hub", huggingface_hub="huggingface_hub")
    from huggingface_hub import hf_hub_download

    try:
        file = Path(hf_hub_download(found[1], MODEL_FILE, revision=found[2]))
    except Exception as error:  # the library has a kind of its own for each failure
        raise SegadaptError(
            f"{path}: {MODEL_FILE} cannot be downloaded ({first_line(error)}); look at the name "
            "and the revision; a private one needs `hf auth login`"
        ) from error
    _require_our_parts(path, file)
    return file


def _require_our_parts(path: Path, file: Path) -> None:
    try:
        model = json.loads(read_safetensors(file)[1]["segadapt"])["model"]
        parts = TRUNKS.is_own(model["backbone"]), HEADS.is_own(model["heads"])
    except (KeyError, ValueError, TypeError) as error:
        raise SegadaptError(f"{path}: {MODEL_FILE} was not written by segadapt") from error
    if any(parts):
        raise SegadaptError(
            f"{path}: its network needs somebody's own class ({model['backbone']} with head "
            f"{model['heads']}), which a download must not ask for; look at it, and give the file "
            f"itself: {file}"
        )
