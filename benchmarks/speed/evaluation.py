"""Evaluation beside scoring each image on the CPU with numpy.

The other way is that of the released programs: one image at a time, the score maps enlarged to
label size and handed to numpy, which takes the most probable class and counts. Both read the same
files and must count the same pixels.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.measuring.contest import Benchmark, Contest, Setting
from benchmarks.speed.images import cityscapes
from benchmarks.speed.networks import as_published, light_network, processes_on
from segadapt.base.errors import SegadaptError
from segadapt.data.domain import Domain
from segadapt.engine.evaluate import evaluate
from segadapt.engine.predict import Predictor

OTHERWISE = 1e-3
"""Share of pixels that may be counted otherwise: on an exact tie of two classes, or a rounding
apart, a batch may decide otherwise than a single image."""


@torch.inference_mode()
def with_numpy(network: Callable[[Tensor], Tensor], domain: Domain) -> np.ndarray:
    """Confusion counts as the released programs make them."""
    classes = len(domain.classes.names)
    counts = np.zeros((classes, classes), np.int64)
    for i in range(len(domain)):
        image = torch.from_numpy(domain.image(i))[None]
        label = domain.label(i)
        large = F.interpolate(network(image), label.shape, mode="bilinear", align_corners=True)
        prediction = np.argmax(large.cpu().numpy()[0].transpose(1, 2, 0), axis=2)
        known = label < classes
        joint = classes * label[known].astype(int) + prediction[known]
        counts += np.bincount(joint, minlength=classes**2).reshape(classes, classes)
    return counts


@contextmanager
def _prepared(setting: Setting) -> Iterator[Contest]:
    number, size = 8, setting.size(512, 1024)
    processes = processes_on(setting.device)
    predictor = Predictor(light_network(size), processes)
    with tempfile.TemporaryDirectory() as folder:
        domain = cityscapes(Path(folder), number, setting.size(1024, 2048), size)

        def ours() -> np.ndarray:
            return np.array(evaluate(predictor, domain, 4, processes, "evaluate").confusion)

        network = as_published(light_network(size))
        counted, theirs = ours(), with_numpy(network, domain)
        differing = np.abs(counted - theirs).sum() / 2 / theirs.sum()
        if differing > OTHERWISE:
            raise SegadaptError(f"evaluation: {differing:.1e} of the pixels are counted otherwise")
        yield Contest(ours, lambda: with_numpy(network, domain), number)


BENCHMARK = Benchmark(
    name="evaluation",
    sentence="Images of 1024x512 scored on labels of 2048x1024 with a light network.",
    ours="evaluate, 2 workers",
    rival="image by image, argmax and counts with numpy",
    unit="image",
    prepare=_prepared,
)
