"""Pictures of what a method learned from, for the report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import Tensor

from segadapt.artefacts import write_json
from segadapt.base.classes import ClassSet
from segadapt.base.pictures import entropy_picture, label_picture, save_jpeg
from segadapt.config.values import InputFormat
from segadapt.models.inputs import to_rgb
from segadapt.tasks.examples import Example

EXAMPLES_FOLDER = "examples"


def save_examples(
    examples: Sequence[Example], directory: Path, classes: ClassSet, input_format: InputFormat
) -> None:
    """Leave ``examples/``, pictures of the images of one batch, and what they are."""
    folder = directory / EXAMPLES_FOLDER
    folder.mkdir(exist_ok=True)
    count = min((len(example.maps) for example in examples), default=0)
    rows = []
    for row in range(count):
        tiles = []
        for place, example in enumerate(examples):
            file = folder / f"{row:02d}-{place:02d}.{'jpg' if example.kind == 'image' else 'png'}"
            _draw(example, row, file, classes, input_format)
            tiles.append({"title": example.title, "kind": example.kind, "file": file.name})
        rows.append(tiles)
    write_json(folder / "examples.json", {"rows": rows})


def _draw(
    example: Example, row: int, file: Path, classes: ClassSet, input_format: InputFormat
) -> None:
    map_: Tensor = example.maps[row].detach().cpu()
    if example.kind == "image":
        rgb = to_rgb(map_[None].float(), input_format)[0].clamp(0, 1)
        save_jpeg((255 * rgb).round().byte().permute(1, 2, 0).numpy(), file)
    elif example.kind == "label":
        label_picture(map_.numpy().astype(np.uint8), classes).save(file)
    else:
        entropy_picture(map_.float().numpy()).save(file)
