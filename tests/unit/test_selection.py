"""Label-free scores and the rank correlation, against values worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from segadapt.selection import label_free
from segadapt.selection.label_free import (
    LabelFreeScores,
    label_free_scores,
    neighbourhood_density,
)
from segadapt.selection.ranking import spearman


def image(*pixels: list[float]) -> Tensor:
    """(1, C, 1, pixels): each argument holds the class probabilities of one pixel."""
    return torch.tensor(pixels, dtype=torch.float64).T[None, :, None, :]


def scores(*images: Tensor) -> dict[str, float]:
    sums = LabelFreeScores(images[0].shape[1], torch.device("cpu"))
    for probability in images:
        sums.update(probability)
    return dict(label_free_scores(sums.sums()))


CERTAIN = image([1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0])
COLLAPSED = image(*[[1.0, 0.0]] * 4)
UNDECIDED = image(*[[0.5, 0.5]] * 4)


def test_mean_entropy_and_information_by_hand() -> None:
    # entropy 0; mean prediction (1/2, 1/2) has entropy 1
    found = scores(CERTAIN)
    assert found["mean_entropy"] == pytest.approx(0.0)
    assert found["information_maximisation"] == pytest.approx(1.0)
    # a collapsed model is as certain, but tells nothing
    assert scores(COLLAPSED)["mean_entropy"] == pytest.approx(0.0)
    assert scores(COLLAPSED)["information_maximisation"] == pytest.approx(0.0)
    assert scores(UNDECIDED)["mean_entropy"] == pytest.approx(-1.0)
    assert scores(UNDECIDED)["information_maximisation"] == pytest.approx(0.0)


def test_every_image_counts_alike() -> None:
    # diversity: mean of (1/2, 1/2) and (1, 0) is (3/4, 1/4)
    diversity = -(0.75 * math.log2(0.75) + 0.25 * math.log2(0.25))
    small = image([1.0, 0.0], [1.0, 0.0], [1.0, 0.0])
    assert scores(CERTAIN, small)["information_maximisation"] == pytest.approx(diversity)


def test_sums_of_two_processes_make_the_whole() -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(4, 3, 5, 6, generator=generator).softmax(dim=1)
    parts = []
    for half in (images[:2], images[2:]):
        sums = LabelFreeScores(3, torch.device("cpu"))
        sums.update(half)
        parts.append(sums.sums())
    assert dict(label_free_scores(parts[0] + parts[1])) == pytest.approx(scores(images))


def test_density_by_hand() -> None:
    # Three positions; 1 and 2 alike, 3 orthogonal to both. Similarities over the temperature 0.05:
    # position 1 sees (20, 0) -> entropy h; position 2 the same; position 3 sees (0, 0) -> ln 2.
    share = math.exp(20) / (math.exp(20) + 1)
    h = -(share * math.log(share) + (1 - share) * math.log(1 - share))
    found = neighbourhood_density(image([1.0, 0.0], [1.0, 0.0], [0.0, 1.0])[0])
    assert float(found) == pytest.approx((2 * h + math.log(2)) / 3, abs=1e-6)


def test_density_of_equal_positions_is_that_of_the_uniform_distribution() -> None:
    found = neighbourhood_density(image(*[[0.2, 0.8]] * 9)[0])
    assert float(found) == pytest.approx(math.log(8), abs=1e-5)


def test_density_looks_at_a_bounded_number_of_positions(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = [[1.0, 0.0], [0.3, 0.7]] * 8
    monkeypatch.setattr(label_free, "POSITIONS", 4)
    found = neighbourhood_density(image(*pixels)[0])
    # Of sixteen positions 0, 5, 10 and 15 are taken: first, second, first, second kind.
    wanted = neighbourhood_density(image(pixels[0], pixels[5], pixels[10], pixels[15])[0])
    assert float(found) == pytest.approx(float(wanted))


def test_spearman_by_hand() -> None:
    assert spearman([1, 2, 3], [10, 20, 30]) == pytest.approx(1)
    assert spearman([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)
    # ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: covariance 4.5, spread sqrt(4.5 * 5)
    assert spearman([1, 5, 5, 9], [1, 2, 3, 4]) == pytest.approx(4.5 / math.sqrt(4.5 * 5))
    assert math.isnan(spearman([1, 1], [1, 2]))
    assert math.isnan(spearman([1], [1]))


@given(st.lists(st.integers(0, 5), min_size=2, max_size=12), st.integers(0, 2**32 - 1))
def test_spearman_is_pearson_of_ranks(values: list[int], seed: int) -> None:
    other = np.random.default_rng(seed).permutation(len(values)).tolist()

    def ranks(x: list[int]) -> list[float]:
        return [sum(b < a for b in x) + (1 + sum(b == a for b in x)) / 2 for a in x]

    found = spearman(values, other)
    if len(set(values)) == 1:
        assert math.isnan(found)
    else:
        assert found == pytest.approx(np.corrcoef(ranks(values), ranks(other))[0, 1], abs=1e-9)
