"""Views and ensembles against averages computed one by one."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import Tensor
from torch.nn import functional as F

import segadapt
from segadapt.base.classes import CAMVID_11, STREET_7, ClassSet
from segadapt.base.errors import SegadaptError
from segadapt.base.windows import window_starts
from segadapt.config import ModelConfig, Views
from segadapt.engine.views import further_scales, view_logits
from segadapt.models.build import build_segmenter
from segadapt.models.files.checkpoints import TrainedModel, save_checkpoint

IMAGE = torch.randn(2, 3, 12, 20, generator=torch.Generator().manual_seed(0))


def halving(image: Tensor) -> Tensor:
    """Stands for a network: not symmetric, and at half the resolution."""
    columns = torch.arange(image.shape[-1]) / image.shape[-1]
    return F.avg_pool2d(image * columns, 2)


def pixelwise(image: Tensor) -> Tensor:
    """Stands for a network that looks at each pixel alone, so that windows change nothing."""
    return image * 2 - image.square()


def test_plain_view_is_the_network_itself() -> None:
    assert torch.equal(view_logits(halving, IMAGE, Views()), halving(IMAGE))


def test_mirrored_view_is_mirrored_back() -> None:
    found = view_logits(halving, IMAGE, Views(flip=True))

    def large(x: Tensor) -> Tensor:
        return F.interpolate(x, (12, 20), mode="bilinear", align_corners=True)

    wanted = (large(halving(IMAGE)) + large(halving(IMAGE.flip(-1))).flip(-1)) / 2
    torch.testing.assert_close(found, wanted)
    symmetric = view_logits(pixelwise, IMAGE, Views(flip=True))
    torch.testing.assert_close(symmetric, pixelwise(IMAGE))


def test_scales_are_averaged_at_image_size() -> None:
    seen: list[tuple[int, ...]] = []

    def network(image: Tensor) -> Tensor:
        seen.append(tuple(image.shape[-2:]))
        return torch.full((2, 4, 3, 5), float(image.shape[-1]))

    views = Views(scales=(0.5, 1.0, 1.5))
    assert further_scales(views) == (0.5, 1.5)
    # Made from the original by whoever read it; an enlargement of IMAGE would show no more of it.
    scaled = [torch.zeros(2, 3, 6, 10), torch.zeros(2, 3, 18, 30)]
    found = view_logits(network, IMAGE, views, scaled)
    assert seen == [(6, 10), (12, 20), (18, 30)]
    assert found.shape == (2, 4, 12, 20)
    torch.testing.assert_close(found, torch.full_like(found, (10 + 20 + 30) / 3))


def test_windows_cover_the_image_once_counted() -> None:
    seen: list[tuple[int, ...]] = []

    def network(image: Tensor) -> Tensor:
        seen.append(tuple(image.shape[-2:]))
        return pixelwise(image)

    found = view_logits(network, IMAGE, Views(window=(8, 8), overlap=0.25))
    torch.testing.assert_close(found, pixelwise(IMAGE))
    assert set(seen) == {(8, 8)} and len(seen) == 2 * 3
    # A window larger than the image is the image.
    assert torch.equal(view_logits(network, IMAGE, Views(window=(50, 50))), pixelwise(IMAGE))
    assert seen[-1] == (12, 20)


def test_overlapping_windows_are_averaged() -> None:
    calls = iter(range(10))

    def network(image: Tensor) -> Tensor:
        return torch.full((2, 1, *image.shape[-2:]), float(next(calls)))

    found = view_logits(network, IMAGE[..., :12], Views(window=(12, 8), overlap=0.5))
    # Windows at columns 0 to 7 and 4 to 11: 0, then the mean of 0 and 1, then 1.
    assert found[0, 0, 0].tolist() == [0.0] * 4 + [0.5] * 4 + [1.0] * 4


@given(st.integers(1, 300), st.integers(1, 300), st.floats(0, 0.9))
def test_windows_leave_no_gap_and_overlap_enough(length: int, window: int, overlap: float) -> None:
    window = min(window, length)
    starts = window_starts(length, window, overlap)
    assert starts[0] == 0 and starts[-1] + window == length
    assert starts == sorted(set(starts))
    stride = max(1, math.floor(window * (1 - overlap)))
    assert all(b - a <= stride for a, b in itertools.pairwise(starts))


@pytest.mark.parametrize(
    "wrong", [{"scales": []}, {"scales": [0.0]}, {"window": [0, 4]}, {"overlap": 1.0}]
)
def test_impossible_views_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Views.model_validate(wrong)


# Ensembles -------------------------------------------------------------------------------------

PIXELS = np.random.default_rng(0).integers(0, 256, (64, 96, 3)).astype(np.uint8)


def checkpoint(
    folder: Path, seed: int, classes: ClassSet = STREET_7, size: tuple[int, int] | None = (64, 96)
) -> Path:
    torch.manual_seed(seed)
    config = ModelConfig(backbone="squeezenet1_0", weights="none")
    model = build_segmenter(config, len(classes.names))
    path = folder / f"{seed}-{classes.name}.safetensors"
    save_checkpoint(path, TrainedModel(model, config, classes, size, oracle=seed == 9))
    return path


def test_ensemble_averages_score_maps_with_its_weights(tmp_path: Path) -> None:
    first, second = checkpoint(tmp_path, 0), checkpoint(tmp_path, 1)

    image = torch.from_numpy(PIXELS)[None]

    def scores(path: Path) -> Tensor:
        logit = segadapt.load(path, device="cpu").logits(image)
        return F.interpolate(logit, (64, 96), mode="bilinear", align_corners=True)

    both = segadapt.load({first: 1.0, second: 3.0}, device="cpu")
    torch.testing.assert_close(both.logits(image), (scores(first) + 3 * scores(second)) / 4)
    wanted = (scores(first) + 3 * scores(second)).argmax(dim=1)[0].numpy()
    assert np.array_equal(both.predict(PIXELS).label, wanted)
    assert not np.array_equal(wanted, scores(second).argmax(dim=1)[0].numpy())


def test_ensemble_of_one_model_twice_is_that_model(tmp_path: Path) -> None:
    path, copy = checkpoint(tmp_path, 0), tmp_path / "copy.safetensors"
    copy.write_bytes(path.read_bytes())
    once = segadapt.load(path, device="cpu").predict(PIXELS).probability
    twice = segadapt.load({path: 1.0, copy: 0.5}, device="cpu").predict(PIXELS).probability
    assert np.allclose(once, twice, atol=1e-6)


def test_ensemble_with_an_oracle_is_an_oracle(tmp_path: Path) -> None:
    plain, oracle = checkpoint(tmp_path, 0), checkpoint(tmp_path, 9)
    assert segadapt.load({plain: 1.0, oracle: 1.0}, device="cpu").oracle
    assert not segadapt.load(plain, device="cpu").oracle


def test_ensembles_of_different_classes_or_sizes_are_refused(tmp_path: Path) -> None:
    first = checkpoint(tmp_path, 0)
    with pytest.raises(SegadaptError, match=r"same classes.* 7 .* 11 "):
        segadapt.load({first: 1.0, checkpoint(tmp_path, 1, CAMVID_11): 1.0}, device="cpu")
    other = checkpoint(tmp_path, 2, size=(32, 64))
    with pytest.raises(SegadaptError, match=r"same size.*\(64, 96\).*\(32, 64\)"):
        segadapt.load({first: 1.0, other: 1.0}, device="cpu")
