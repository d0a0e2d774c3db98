"""Peak memory of ranking, pseudo-labelling, selection and evaluation at two numbers of images.

python benchmarks/memory.py [--images 100 1000] [--size 160 224]

Every number of images runs in a process of its own; pictures are noise, the network is a light one
with random weights. Memory that grew with the number of images would show as a difference.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
from pathlib import Path
from typing import Any

CLASSES = """
classes:
  - {name: road, colour: [128, 64, 128], ids: [0]}
  - {name: car, colour: [0, 0, 142], ids: [1], rare: true}
"""


def write_images(root: Path, number: int, size: tuple[int, int]) -> None:
    import numpy as np
    from PIL import Image

    generator = np.random.default_rng(0)
    for part in ("images", "labels"):
        (root / part / "all").mkdir(parents=True)
    (root / "classes.yaml").write_text(CLASSES)
    for i in range(number):
        pixels = generator.integers(0, 256, (*size, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(root / f"images/all/{i:05}.jpg")
        label = Image.fromarray((pixels[..., 0] > 127).astype(np.uint8))
        label.save(root / f"labels/all/{i:05}.png")


def recipe(size: tuple[int, int]) -> dict[str, Any]:
    domain = {"dataset": "folder", "root": "data", "split": "all", "size": list(size)}
    model = {"backbone": "squeezenet1_0", "weights": "none"}
    return {
        "name": "memory",
        "domains": {
            "source": {**domain, "role": "source", "limit": 8},
            "target": {**domain, "role": "target"},
            "test": {**domain, "role": "test"},
        },
        "stages": {
            "train": {
                "stage": "train",
                "method": "source_only",
                "source": "source",
                "model": model,
                "iterations": 2,
                "snapshots": 2,
            },
            "rank": {"stage": "rank", "checkpoint": "train.checkpoint", "images": "target"},
            "labels": {
                "stage": "pseudo_label",
                "checkpoint": "train.checkpoint",
                "images": "target",
            },
            "select": {"stage": "select", "snapshots": "train.snapshots", "images": "target"},
            "evaluate": {
                "stage": "evaluate",
                "domain": "test",
                "checkpoints": ["train.checkpoint"],
            },
        },
    }


def measure(number: int, size: tuple[int, int], answer: Any) -> None:
    """Run in a fresh process; answers with the peak resident memory in MiB."""
    from segadapt.config.load import validate
    from segadapt.runs.pipeline import run

    with tempfile.TemporaryDirectory() as folder:
        write_images(Path(folder) / "data", number, size)
        run(validate(recipe(size), "memory"), Path(folder) / "run", folder, device="cpu")
    answer.put(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--images", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--size", type=int, nargs=2, default=[160, 224], metavar=("H", "W"))
    arguments = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    for number in arguments.images:
        answer = context.Queue()
        process = context.Process(target=measure, args=(number, tuple(arguments.size), answer))
        process.start()
        print(f"{number} images: peak {answer.get():.0f} MiB", flush=True)
        process.join()


if __name__ == "__main__":
    main()
