"""IntraDA's ranking against values worked out by hand, and its properties."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from segadapt.base.classes import CITYSCAPES_19
from segadapt.split.entropy_ranking import image_entropies, normaliser, split_by_score

RARE = (1, 2, 5, 7)


def one_hot(number: int, classes: int) -> list[float]:
    return [float(i == number) for i in range(classes)]


def test_mean_entropy_by_hand() -> None:
    # Eq. 4 is the mean over the pixels of -sum p log p: here of 0, 0, 1/2 (1 bit of 2) and 1.
    half, quarter = [0.5, 0.0, 0.5, 0.0], [0.25] * 4
    image = torch.tensor([[one_hot(1, 4), one_hot(3, 4)], [half, quarter]])  # (H, W, C)
    (found,) = image_entropies(image.permute(2, 0, 1)[None])
    assert found.mean_entropy == pytest.approx((0 + 0 + 0.5 + 1) / 4)
    assert found.mean_self_information == pytest.approx((0 + 0 + 0.5 + 1) / 4 / 4)
    assert {1, 3} <= set(found.predicted_classes) <= {0, 1, 3}


def test_predicted_classes_are_those_that_win_somewhere_in_ascending_order() -> None:
    image = torch.tensor([[0.1, 0.2, 0.7], [0.6, 0.3, 0.1], [0.0, 0.45, 0.55]])
    (found,) = image_entropies(image.T[None, :, None, :])
    assert found.predicted_classes == (0, 2)


@given(st.integers(1, 4), st.integers(2, 5), st.integers(0, 2**31))
def test_images_of_a_batch_are_measured_each_for_itself(
    images: int, classes: int, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    logit = 5 * torch.randn(images, classes, 3, 4, generator=generator, dtype=torch.float64)
    probability = logit.softmax(dim=1)
    together = image_entropies(probability)
    assert len(together) == images
    for found, p in zip(together, probability, strict=True):
        bits = -sum(float(x) * math.log2(float(x)) for x in p.flatten())
        expected = bits / math.log2(classes) / 12
        assert found.mean_entropy == pytest.approx(expected, rel=1e-9)
        assert found.mean_self_information == pytest.approx(expected / classes, rel=1e-9)
        assert found.predicted_classes == tuple(sorted(set(p.argmax(0).flatten().tolist())))


@pytest.mark.parametrize(
    ("normalisation", "predicted", "expected"),
    [
        ("none", (0, 1, 5), 1.0),
        ("none", (), 1.0),
        # the paper divides by the number of rare classes
        ("rare_classes", (0, 1, 5), 1 / 2),
        ("rare_classes", (1, 2, 5, 7), 1 / 4),
        ("rare_classes", (0, 3), 1.0),
        ("rare_classes", (), 1.0),
        # the released program: (R - n) / R + 1/2
        ("released", (0, 1, 5), 2 / 4 + 0.5),
        ("released", (0, 1, 2, 5, 7), 0.5),
        ("released", (0, 3), 1.5),
        ("released", (), 1.5),
    ],
)
def test_normaliser(normalisation: str, predicted: tuple[int, ...], expected: float) -> None:
    assert normaliser(predicted, RARE, normalisation) == expected  # type: ignore[arg-type]


def test_rare_classes_of_cityscapes_are_the_papers() -> None:
    # Sec. 4.2; Cityscapes calls the last one motorcycle
    named = (
        "wall, fence, pole, traffic light, traffic sign, terrain, rider, truck, bus, train, "
        "motorcycle"
    )
    rare = [CITYSCAPES_19.names[i] for i in CITYSCAPES_19.rare]
    assert sorted(rare) == sorted(named.split(", "))


@pytest.mark.parametrize("normalisation", ["rare_classes", "released"])
def test_class_that_is_named_twice_counts_once(normalisation: str) -> None:
    once, twice = (normaliser(x, RARE, normalisation) for x in ((1, 0), (1, 0, 1)))  # type: ignore[arg-type]
    assert once == twice


@pytest.mark.parametrize("normalisation", ["rare_classes", "released"])
@given(st.sets(st.integers(0, 9)), st.sampled_from(RARE))
def test_rare_classes_never_make_an_image_harder(
    normalisation: str, predicted: set[int], more: int
) -> None:
    before = normaliser(predicted, RARE, normalisation)  # type: ignore[arg-type]
    after = normaliser(predicted | {more}, RARE, normalisation)  # type: ignore[arg-type]
    assert 0 < after <= before


@pytest.mark.parametrize(
    ("number", "ratio", "easy"),
    [(3, 0.67, 2), (10, 0.67, 6), (2975, 0.67, 1993), (5, 0.5, 2), (1, 0.99, 0), (0, 0.67, 0)],
)
def test_easy_part_has_floor_of_lambda_times_number_images(
    number: int, ratio: float, easy: int
) -> None:
    parts = split_by_score([0.0] * number, ratio)
    assert [len(part) for part in parts] == [easy, number - easy]


def test_low_scores_are_easy_and_both_parts_ascend() -> None:
    assert split_by_score([0.5, 0.1, 0.9, 0.3, 0.7], 0.4) == ([1, 3], [0, 4, 2])


def test_equal_scores_keep_their_order() -> None:
    assert split_by_score([0.2, 0.1, 0.2, 0.1, 0.2], 0.6) == ([1, 3, 0], [2, 4])


def test_everything_is_hard_at_zero_and_easy_at_one() -> None:
    assert split_by_score([3.0, 1.0, 2.0], 0.0) == ([], [1, 2, 0])
    assert split_by_score([3.0, 1.0, 2.0], 1.0) == ([1, 2, 0], [])


@given(st.lists(st.floats(0, 1), max_size=40), st.integers(0, 64))
def test_split_parts_the_images_by_score(scores: list[float], of_64: int) -> None:
    easy, hard = split_by_score(scores, of_64 / 64)
    assert len(easy) == math.floor(Fraction(of_64, 64) * len(scores))
    order = easy + hard
    assert sorted(order) == list(range(len(scores)))
    keys = [(scores[i], i) for i in order]
    assert keys == sorted(keys)
