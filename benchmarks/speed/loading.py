"""Images and labels from files to a network's input, beside torch's own loader with Pillow."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from benchmarks.measuring.contest import Benchmark, Contest, Setting
from benchmarks.speed.images import cityscapes
from segadapt.data.domain import Domain
from segadapt.data.loader import training_batches
from segadapt.models.inputs import normalise

CAFFE_MEAN = (104.00698793, 116.66876762, 122.67891434)


class PlainImages(Dataset[Any]):
    """One image and its label as the published programs read them."""

    def __init__(self, domain: Domain, size: tuple[int, int]) -> None:
        self._domain, self._size = domain, (size[1], size[0])

    def __len__(self) -> int:
        return len(self._domain)

    def __getitem__(self, index: int) -> Any:
        sample = self._domain.samples[index]
        opened = Image.open(str(sample.image)).convert("RGB")
        image = np.asarray(opened.resize(self._size, Image.Resampling.BICUBIC), np.float32)
        stored = Image.open(str(sample.label)).resize(self._size, Image.Resampling.NEAREST)
        ids = np.asarray(stored, np.float32)
        label = 255 * np.ones(ids.shape, dtype=np.float32)
        for stored_id, train_id in self._domain.class_map.ids.items():
            label[ids == stored_id] = train_id
        image = image[:, :, ::-1] - np.array(CAFFE_MEAN, np.float32)
        return image.transpose((2, 0, 1)).copy(), label.copy()


@contextmanager
def _prepared(setting: Setting) -> Iterator[Contest]:
    torch.set_num_threads(1)
    number, size = 8, setting.size(512, 1024)
    with tempfile.TemporaryDirectory() as folder:
        domain = cityscapes(Path(folder), number, setting.size(1024, 2048), size)

        def ours() -> None:
            for batch in training_batches(domain, 1, 0, (0, number), (0, 1), True, 0):
                normalise(batch.image, "bgr_mean")

        def rival() -> None:
            for _ in DataLoader(PlainImages(domain, size), shuffle=True):
                pass

        yield Contest(ours, rival, number)


BENCHMARK = Benchmark(
    name="loading",
    sentence="PNG images and labels decoded, brought to half their size, mapped and normalised, "
    "in one process with one thread.",
    ours="the training's batches, workers: 0",
    rival="torch's DataLoader over a data set that uses Pillow and numpy",
    unit="image a core",
    prepare=_prepared,
)
