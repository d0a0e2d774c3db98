"""PixIntraDA's split of pixels beside the same passes written with numpy."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from benchmarks.measuring.contest import Benchmark, Contest, Setting
from benchmarks.speed.networks import as_published, light_network
from benchmarks.speed.stages import stage_at_work
from segadapt.data.domain import Domain
from segadapt.stages.pixel_split.run import run

CAP, PROPORTION = 0.9, 0.6


def plain_split(
    network: Callable[[Tensor], Tensor], domain: Domain, size: tuple[int, int], out: Path
) -> None:
    """Thresholds, then alpha, then labels and indices as PNG: a pass over the images for each.

    Eq. 2 to 4 and 7 with all confidences in memory, which the released programs of self-training
    keep too.
    """

    def probability(i: int) -> np.ndarray:
        image = torch.from_numpy(domain.image(i))[None]
        large = F.interpolate(network(image), size, mode="bilinear", align_corners=True)
        found: np.ndarray = large.softmax(dim=1)[0].cpu().numpy()
        return found

    classes = len(domain.classes.names)
    confidences: list[np.ndarray] = []
    predictions: list[np.ndarray] = []
    for i in range(len(domain)):
        p = probability(i)
        predictions.append(p.argmax(axis=0))
        confidences.append(p.max(axis=0))
    confidence, predicted = np.array(confidences), np.array(predictions)
    found = [confidence[predicted == k] for k in range(classes)]
    t = np.array([min(np.median(x), CAP) if len(x) else CAP for x in found], np.float32)
    easiness = [(probability(i) / t[:, None, None]).max(axis=0) for i in range(len(domain))]
    alpha = np.quantile(np.array(easiness), 1 - PROPORTION)
    for i, sample in enumerate(domain.samples):
        p = probability(i)
        exceeding = np.where(p > alpha * t[:, None, None], p, -1.0)
        label = np.where(exceeding.max(axis=0) >= 0, exceeding.argmax(axis=0), 255)
        index = np.where(label == 255, 1 - p.max(axis=0), 0.0)
        for folder, values in (("label", label), ("index", np.round(255 * index))):
            path = out / folder / f"{sample.name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(values.astype(np.uint8)).save(path)


@contextmanager
def _prepared(setting: Setting) -> Iterator[Contest]:
    number, size = 4, setting.size(512, 1024)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        stage, work = stage_at_work("split", root, number, size, setting.device)
        domain = work.context.domain("target", labelled=False)
        network = as_published(light_network(size))
        yield Contest(
            lambda: run(stage, work),
            lambda: plain_split(network, domain, size, root / "plain"),
            number,
        )


BENCHMARK = Benchmark(
    name="pixel-split",
    sentence="The pixels of 1024x512 target images split, 60 % of them easy, with a light network.",
    ours="the pixel_split stage, 2 workers",
    rival="a pass each for thresholds, alpha and labels, with numpy",
    unit="image",
    prepare=_prepared,
)
