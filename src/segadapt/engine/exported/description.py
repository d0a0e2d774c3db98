"""What an exported file says of itself, beside its network."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

import torch

from segadapt.base.classes import ClassSet
from segadapt.base.errors import SegadaptError
from segadapt.base.version import __version__
from segadapt.engine.exported.graph import Graph, Input, Output
from segadapt.models.files.checkpoints import TrainedModel

KEY = "segadapt"
ONNX, PROGRAM = ".onnx", ".pt2"
"""Endings of the files."""
FORMAT = "segadapt-export-1"


@dataclass(frozen=True)
class Description:
    """Enough to use the file: what goes in, what comes out, and what the classes are called."""

    classes: ClassSet
    size: tuple[int, int] | None
    """(height, width) that pictures are brought to inside; None: they are seen as they come."""
    input: Input
    output: Output
    half: bool
    oracle: bool
    """Target labels took part in training."""
    checkpoint_sha256: str
    network: dict[str, Any]
    """Settings of trunk and head, input format included."""

    def text(self) -> str:
        """As it is written into the file."""
        versions = {"segadapt": __version__, "torch": torch.__version__}
        values = {**asdict(self), "format": FORMAT, "versions": versions}
        values["classes"]["colours"] = [list(colour) for colour in self.classes.colours]
        return json.dumps(values)


def description_of(graph: Graph, trained: TrainedModel, checkpoint: Path) -> Description:
    """Of a checkpoint's network in that form."""
    with checkpoint.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Description(
        trained.classes,
        trained.size,
        graph.input,
        graph.output,
        graph.half_,
        trained.oracle,
        digest,
        trained.config.model_dump(mode="json"),
    )


def read_description(text: str | None, path: Path) -> Description:
    """What a file says of itself.

    Raises:
        SegadaptError: it says nothing, or was written by another version.
    """
    try:
        if text is None:
            raise ValueError("it says nothing of its classes")
        values = dict(json.loads(text))
        if values.pop("format") != FORMAT:
            raise ValueError("it has another format")
        values.pop("versions")
        size = values.pop("size")
        classes = ClassSet.from_dict(values.pop("classes"))
        if not isinstance(values["network"], dict):
            raise ValueError("it has no settings of a network")
        if values["input"] not in get_args(Input) or values["output"] not in get_args(Output):
            raise ValueError("what goes in or comes out is of a kind that is not known")
        return Description(classes, None if size is None else (size[0], size[1]), **values)
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise SegadaptError(
            f"{path}: was not written by `segadapt export`, or by another version of it ({error}); "
            "export the checkpoint anew"
        ) from error
