"""PixIntraDA's split of pixels, Eq. 2 to 4 and 7, against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from segadapt.split.confidence_histogram import ConfidenceHistogram
from segadapt.split.instance_adaptive import confident_label, updated_thresholds
from segadapt.split.pixel_split import (
    EasinessHistogram,
    balanced_label,
    balanced_thresholds,
    class_thresholds,
    domain_index,
    easiness,
    partial_label,
)

HARD = 255


def pixels(*rows: tuple[float, ...]) -> Tensor:
    """One image of one line; each row holds the class probabilities of a pixel."""
    return torch.tensor(rows, dtype=torch.float64).T[None, :, None, :]


def histogram_of(values: dict[int, list[float]], classes: int) -> ConfidenceHistogram:
    histogram = ConfidenceHistogram(classes)
    for k, found in values.items():
        histogram.add(torch.tensor(found), torch.full((len(found),), k))
    return histogram


# Thresholds ------------------------------------------------------------------------------------


def test_thresholds_are_medians_capped_at_09() -> None:
    histogram = histogram_of({0: [0.5, 0.6, 0.8], 1: [0.97, 0.99, 0.91]}, classes=3)
    # Class 0: the median of three is 0.6. Class 1: 0.97 is cut to 0.9. Class 2 is found nowhere.
    assert class_thresholds(histogram) == pytest.approx([0.6, 0.9, 0.9], abs=5.1e-5)
    assert class_thresholds(histogram, cap=0.7) == pytest.approx([0.6, 0.7, 0.7], abs=5.1e-5)


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=60),
    st.floats(0.01, 1),
    st.integers(1, 5),
)
def test_quantiles_are_those_of_sorted_values_to_half_a_bin(
    values: list[float], share: float, parts: int
) -> None:
    histogram = ConfidenceHistogram(1, bins=100)
    for part in np.array_split(np.array(values), parts):
        histogram.add(torch.from_numpy(part), torch.zeros(len(part), dtype=torch.long))
    rank = max(1, int(np.ceil(share * len(values))))
    (found,) = histogram.quantile(share)
    assert found == pytest.approx(sorted(values)[rank - 1], abs=0.005 + 1e-9)


def test_order_of_the_images_does_not_matter() -> None:
    generator = torch.Generator().manual_seed(0)
    images = [torch.rand(50, generator=generator) for _ in range(7)]
    groups = [torch.randint(0, 3, (50,), generator=generator) for _ in range(7)]
    first, second = ConfidenceHistogram(3), ConfidenceHistogram(3)
    for i in range(7):
        first.add(images[i], groups[i])
        second.add(images[6 - i], groups[6 - i])
    assert torch.equal(first.counts, second.counts)
    assert int(first.counts.sum()) == 350


# Eq. 2 and 3 -----------------------------------------------------------------------------------


def test_pixel_where_no_class_exceeds_its_threshold_is_hard() -> None:
    label = partial_label(pixels((0.5, 0.3, 0.2)), (0.6, 0.6, 0.6), alpha=1.0)
    assert label.tolist() == [[[HARD]]]


def test_class_other_than_the_most_probable_one_may_be_chosen() -> None:
    # 0.5 does not exceed 0.9; 0.3 exceeds 0.25, 0.2 exceeds 0.1: of these, 0.3 is the larger.
    label = partial_label(pixels((0.5, 0.3, 0.2)), (0.9, 0.25, 0.1), alpha=1.0)
    assert label.tolist() == [[[1]]]


def test_most_probable_of_several_exceeding_classes_is_chosen() -> None:
    # All exceed; the ratio y / t is largest for class 2, the probability for class 0.
    probability = pixels((0.5, 0.3, 0.2))
    assert partial_label(probability, (0.4, 0.2, 0.01), alpha=1.0).tolist() == [[[0]]]
    assert balanced_label(probability, (0.4, 0.2, 0.01)).tolist() == [[[2]]]


def test_threshold_itself_is_not_exceeded() -> None:
    assert partial_label(pixels((0.75, 0.25)), (0.75, 0.5), alpha=1.0).tolist() == [[[HARD]]]
    assert partial_label(pixels((0.75, 0.25)), (1.0, 0.5), alpha=0.75).tolist() == [[[HARD]]]


def test_alpha_scales_all_thresholds() -> None:
    probability = pixels((0.6, 0.4), (0.8, 0.2), (0.2, 0.8))
    assert partial_label(probability, (0.9, 0.9), alpha=1.0).tolist() == [[[HARD] * 3]]
    assert partial_label(probability, (0.9, 0.9), alpha=0.8).tolist() == [[[HARD, 0, 1]]]
    assert partial_label(probability, (0.9, 0.9), alpha=0.6).tolist() == [[[0, 0, 1]]]


def test_balanced_rule_keeps_the_same_portion_of_every_class() -> None:
    confidences = {0: [0.9, 0.8, 0.7, 0.6], 1: [0.5, 0.45, 0.4, 0.35]}
    thresholds = balanced_thresholds(histogram_of(confidences, 2), portion=0.5)
    assert thresholds == pytest.approx([0.7, 0.4], abs=5.1e-5)


@given(st.integers(0, 2**31), st.floats(0.05, 2.0))
def test_easy_exactly_where_the_easiness_exceeds_alpha(seed: int, alpha: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    probability = torch.randn(2, 4, 3, 5, generator=generator, dtype=torch.float64).softmax(dim=1)
    thresholds = (torch.rand(4, generator=generator) * 0.8 + 0.1).tolist()
    label = partial_label(probability, thresholds, alpha)
    easy = easiness(probability, thresholds)
    sure = (easy - alpha).abs() > 1e-9
    assert torch.equal((label != HARD)[sure], (easy > alpha)[sure])
    for n, h, w in (label != HARD).nonzero().tolist():
        k = int(label[n, h, w])
        assert float(probability[n, k, h, w]) > alpha * thresholds[k]


# Eq. 4: alpha for a wanted proportion ----------------------------------------------------------


@pytest.mark.parametrize("wanted", [0.3, 0.57, 0.67, 0.79, 1.0])
def test_alpha_is_found_for_a_wanted_proportion(wanted: float) -> None:
    generator = torch.Generator().manual_seed(3)
    probability = torch.randn(4, 5, 40, 50, generator=generator).mul(2).softmax(dim=1)
    thresholds = (0.5, 0.6, 0.7, 0.8, 0.9)
    histogram = EasinessHistogram()
    for image in probability:
        histogram.add(easiness(image[None], thresholds))
    label = partial_label(probability, thresholds, histogram.alpha(wanted))
    assert float((label != HARD).double().mean()) == pytest.approx(wanted, abs=0.003)


def test_alpha_tells_the_pixels_of_a_confident_model_apart() -> None:
    generator = torch.Generator().manual_seed(4)
    probability = torch.randn(1, 3, 200, 200, generator=generator).mul(16).double().softmax(dim=1)
    assert float((probability.amax(dim=1) > 0.99).double().mean()) > 0.6
    histogram = EasinessHistogram()
    histogram.add(easiness(probability, (0.9, 0.9, 0.9)))
    for wanted in (0.57, 0.67):
        label = partial_label(probability, (0.9, 0.9, 0.9), histogram.alpha(wanted))
        assert float((label != HARD).double().mean()) == pytest.approx(wanted, abs=0.01)


# Eq. 7 -----------------------------------------------------------------------------------------


def test_index_is_zero_at_easy_and_the_missing_confidence_at_hard_pixels() -> None:
    probability = pixels((0.9, 0.1), (0.6, 0.4), (0.25, 0.75))
    label = torch.tensor([[[0, HARD, HARD]]], dtype=torch.uint8)
    found = domain_index(probability.amax(dim=1), label)
    assert found[0, 0].tolist() == pytest.approx([0.0, 0.4, 0.25])


# Instance-adaptive selection -------------------------------------------------------------------


def test_instance_adaptive_thresholds_by_hand() -> None:
    image = histogram_of({0: [i / 10 for i in range(1, 10)] + [0.95]}, classes=2)
    # Class 0: the share 0.5 * 0.9 ** 1 = 0.45 of ten pixels; 0.55 of them lie at or below 0.6.
    found = updated_thresholds((0.9, 0.9), image, alpha=0.5, beta=0.75, gamma=1.0)
    assert found[0] == pytest.approx(0.75 * 0.9 + 0.25 * 0.6, abs=5.1e-5)
    assert found[1] == 0.9, "a class that the image has not"


def test_confident_label_takes_the_threshold_of_the_predicted_class() -> None:
    probability = pixels((0.7, 0.3), (0.3, 0.7), (0.4, 0.6))
    assert confident_label(*probability.max(dim=1), (0.75, 0.7)).tolist() == [[[HARD, 1, HARD]]]
