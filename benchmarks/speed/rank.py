"""The ranking of target images by entropy beside IntraDA's loop."""

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
from benchmarks.speed.networks import as_published, light_network
from benchmarks.speed.stages import stage_at_work
from segadapt.data.domain import Domain
from segadapt.losses.entropy import weighted_self_information
from segadapt.stages.rank.run import run


@torch.inference_mode()
def plain_ranking(
    network: Callable[[Tensor], Tensor], domain: Domain, size: tuple[int, int]
) -> list[int]:
    """Numbers of the images by ascending entropy; also finds the classes that each shows."""
    means, classes = [], []
    for i in range(len(domain)):
        image = torch.from_numpy(domain.image(i))[None]
        large = F.interpolate(network(image), size, mode="bilinear", align_corners=True)
        probability = large.softmax(dim=1)
        means.append(weighted_self_information(probability).sum(dim=1).mean().item())
        prediction = np.argmax(probability.cpu().numpy()[0].transpose(1, 2, 0), axis=2)
        classes.append(np.unique(prediction))
    return sorted(range(len(means)), key=lambda i: means[i])


@contextmanager
def _prepared(setting: Setting) -> Iterator[Contest]:
    number, size = 8, setting.size(512, 1024)
    with tempfile.TemporaryDirectory() as folder:
        stage, work = stage_at_work("rank", Path(folder), number, size, setting.device)
        domain = work.context.domain("target", labelled=False)
        network = as_published(light_network(size))
        yield Contest(
            lambda: run(stage, work), lambda: plain_ranking(network, domain, size), number
        )


BENCHMARK = Benchmark(
    name="rank",
    sentence="Target images of 1024x512 ranked by entropy with a light network.",
    ours="the rank stage, 2 workers",
    rival="image by image, classes found with numpy",
    unit="image",
    prepare=_prepared,
)
