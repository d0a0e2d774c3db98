"""``segadapt predict`` on photos, beside the network alone on the same."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from benchmarks.measuring.contest import Benchmark, Contest, Setting
from benchmarks.speed.networks import light_network
from segadapt.commands.predict.options import kinds_of
from segadapt.commands.predict.run import predict_files
from segadapt.data.listing import find_images
from segadapt.data.transforms import read_image
from segadapt.engine.predict import Predictor, load
from segadapt.models.files.checkpoints import save_checkpoint


def images_in(photos: Path, predictor: Predictor) -> list[Tensor]:
    """The photos of a folder, decoded and resized, (1, H, W, 3) each."""
    paths = find_images(photos).values()
    return [torch.from_numpy(read_image(x, predictor.size))[None] for x in paths]


def network_alone(predictor: Predictor, images: Sequence[Tensor]) -> None:
    """Scores of decoded photos, thrown away."""
    for image in images:
        predictor.logits(image)


def whole_command(
    checkpoint: Path, photos: Path, write: str | None, workers: int, device: str
) -> None:
    """What ``segadapt predict`` does, into a folder that is removed."""
    with tempfile.TemporaryDirectory() as out:
        predict_files(
            checkpoint,
            [str(photos)],
            Path(out),
            kinds=kinds_of(write),
            workers=workers,
            device=device,
        )


def _write_photos(folder: Path, number: int, size: tuple[int, int]) -> None:
    folder.mkdir()
    generator = np.random.default_rng(0)
    for i in range(number):
        small = generator.integers(0, 256, (size[0] // 16, size[1] // 16, 3)).astype(np.uint8)
        Image.fromarray(small).resize(size[::-1]).save(folder / f"{i:03}.jpg")


@contextmanager
def _prepared(setting: Setting) -> Iterator[Contest]:
    number, size = 48, setting.size(160, 224)
    with tempfile.TemporaryDirectory() as folder:
        checkpoint, photos = Path(folder, "light.safetensors"), Path(folder, "photos")
        save_checkpoint(checkpoint, light_network(size))
        _write_photos(photos, number, setting.size(360, 480))
        predictor = load(checkpoint, device=setting.device)
        images = images_in(photos, predictor)
        yield Contest(
            lambda: whole_command(checkpoint, photos, None, 2, setting.device),
            lambda: network_alone(predictor, images),
            number,
        )


BENCHMARK = Benchmark(
    name="predict",
    sentence="Photos of 480x360 segmented at 160x224 with a light network.",
    ours="predict, which decodes, and writes labels and overlays",
    rival="the network alone on decoded images, nothing written",
    unit="image",
    prepare=_prepared,
)
