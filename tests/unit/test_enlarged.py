"""Score maps enlarged into the same memory, and what is read off them in strips."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from segadapt.split.entropy_ranking import image_entropies, image_entropy, rows_for_ranking
from segadapt.tasks.enlarged import ROWS, Enlarged
from segadapt.tasks.segmentation import upsample

SIZES = (((7, 9), (61, 80)), ((3, 4), (20, 11)), ((9, 9), (90, 95)), ((1, 1), (1, 1)))
LAYOUTS = (torch.contiguous_format, torch.channels_last)


def scores(height: int, width: int, classes: int = 5, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 4 * torch.randn(2, classes, height, width, generator=generator)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_scores_are_those_of_the_task(layout: torch.memory_format, dtype: torch.dtype) -> None:
    enlarged = Enlarged()
    for small, size in (
        ((7, 9), (61, 80)),
        ((3, 4), (20, 11)),
        ((9, 9), (90, 95)),
        ((1, 1), (1, 1)),
    ):
        logits = scores(*small).to(dtype).contiguous(memory_format=layout)
        found, scores_ = enlarged.scores(logits, size), logits.to(upsample(logits, size).dtype)
        expected = F.interpolate(scores_, size, mode="bilinear", align_corners=True)
        assert found.dtype == expected.dtype
        assert torch.equal(found, expected)


def test_the_most_probable_classes_are_those_of_the_scores() -> None:
    logits, size = scores(8, 8), (70, 50)
    last = logits.contiguous(memory_format=torch.channels_last)
    large = F.interpolate(last, size, mode="bilinear", align_corners=True)
    first = Enlarged()
    found = first.most_probable(logits, size)
    first.most_probable(scores(8, 8, seed=1), size)  # writes over the scores, not over the classes
    assert torch.equal(found, large.argmax(dim=1))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("height", [1, ROWS, ROWS + 1, 3 * ROWS - 1])
def test_strips_read_the_probabilities_of_the_whole(
    layout: torch.memory_format, height: int
) -> None:
    logits, size = scores(8, 6), (height, 47)
    probability = upsample(logits, size).softmax(dim=1)
    logits = logits.contiguous(memory_format=layout)
    found = Enlarged().read(logits, size, lambda p: (*p.max(dim=1), p.sum(dim=(1, 3))))
    assert torch.equal(found[0], probability.amax(dim=1))
    assert torch.equal(found[1], probability.argmax(dim=1))
    assert found[2].shape == (2, height)


def test_an_image_in_strips_ranks_as_a_whole() -> None:
    logits, size = scores(8, 6), (3 * ROWS + 5, 40)
    rows, label = Enlarged().read(logits, size, rows_for_ranking)
    whole = image_entropies(upsample(logits, size).softmax(dim=1))
    for one, expected in enumerate(whole):
        found = image_entropy(rows[one], label[one], 5)
        assert found.mean_entropy == pytest.approx(expected.mean_entropy, rel=1e-12)
        assert found.predicted_classes == expected.predicted_classes == (0, 1, 2, 3, 4)
