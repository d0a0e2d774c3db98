"""Losses against values worked out by hand, and their properties."""

from __future__ import annotations

import math

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from segadapt.losses.adversarial import domain_loss
from segadapt.losses.class_prior import class_prior_loss
from segadapt.losses.entropy import entropy_loss, entropy_map, weighted_self_information
from segadapt.losses.segmentation import cross_entropy

LN2 = math.log(2)


def pixels(*values: list[float]) -> Tensor:
    """One image, one row: each argument holds the class values of one pixel."""
    return torch.tensor(values, dtype=torch.float64).T[None, :, None, :]


logits = arrays.arrays(
    np.float64,
    st.tuples(st.integers(1, 2), st.integers(2, 6), st.integers(1, 3), st.integers(1, 3)),
    elements=st.floats(-200, 200),
)

# Entropy ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [2, 3, 7, 19])
def test_entropy_of_the_uniform_distribution_is_one(classes: int) -> None:
    uniform = torch.full((1, classes, 2, 3), 1 / classes, dtype=torch.float64)
    torch.testing.assert_close(entropy_map(uniform), torch.ones(1, 2, 3, dtype=torch.float64))


def test_entropy_of_a_certain_prediction_is_zero() -> None:
    assert entropy_map(pixels([0.0, 1.0, 0.0])).item() == 0


def test_entropy_of_a_quarter_by_hand() -> None:
    # -1/4 log2(1/4) = 1/2 and -3/4 log2(3/4) = 3/4 log2(4/3); log2(C) = 1
    information = weighted_self_information(pixels([0.25, 0.75])).flatten().tolist()
    assert information == pytest.approx([0.5, 0.75 * math.log2(4 / 3)], rel=1e-12)
    entropy = entropy_map(pixels([0.25, 0.75])).item()
    assert entropy == pytest.approx(0.5 + 0.75 * math.log2(4 / 3), rel=1e-12)


def test_entropy_is_normalised_by_the_number_of_classes() -> None:
    # two equally probable classes of sixteen: 1 bit of 4
    half = [0.5, 0.5] + [0.0] * 14
    assert entropy_map(pixels(half)).item() == pytest.approx(1 / 4)


def test_entropy_loss_is_the_mean_over_pixels_and_images() -> None:
    certain, uniform = [1.0, 0.0], [0.5, 0.5]
    batch = torch.cat([pixels(certain, uniform), pixels(certain, certain)])
    assert entropy_loss(batch).item() == pytest.approx(1 / 4)


@given(logits)
def test_entropy_lies_between_zero_and_one_and_sums_up_the_information(values: np.ndarray) -> None:
    probability = torch.from_numpy(values).softmax(dim=1)
    entropy = entropy_map(probability)
    assert entropy.min() >= 0
    assert entropy.max() <= 1 + 1e-12
    summed = sum(weighted_self_information(probability).unbind(dim=1))
    torch.testing.assert_close(summed, entropy)


@given(logits)
def test_entropy_is_indifferent_to_the_order_of_classes(values: np.ndarray) -> None:
    probability = torch.from_numpy(values).softmax(dim=1)
    torch.testing.assert_close(entropy_map(probability.flip(1)), entropy_map(probability))


def test_entropy_gradient_by_hand() -> None:
    # dE/dz for two classes with p = sigmoid(z) is -p (1 - p) z / ln 2
    z = torch.tensor([0.7], dtype=torch.float64, requires_grad=True)
    logit = torch.stack([z, torch.zeros_like(z)], dim=1)[..., None, None]
    entropy_loss(logit.softmax(dim=1)).backward()
    p = 1 / (1 + math.exp(-0.7))
    assert z.grad is not None
    assert z.grad.item() == pytest.approx(-p * (1 - p) * 0.7 / LN2, rel=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_entropy_gradient_is_finite_where_a_probability_underflows(dtype: torch.dtype) -> None:
    logit = torch.tensor([2000.0, 0.0, -2000.0], dtype=dtype)[None, :, None, None]
    logit.requires_grad_()
    entropy_loss(logit.softmax(dim=1)).backward()
    assert logit.grad is not None
    assert logit.grad.isfinite().all()


# Domain classification -------------------------------------------------------------------------


@pytest.mark.parametrize("domain", ["source", "target"])
def test_undecided_discriminator_has_a_loss_of_ln_2(domain: str) -> None:
    assert domain_loss(torch.zeros(2, 1, 3, 3), domain).item() == pytest.approx(LN2)  # type: ignore[arg-type]


def test_binary_cross_entropy_by_hand() -> None:
    # sigmoid(ln 3) = 3/4, and the target's label is 1
    logit = torch.full((1, 1, 2, 2), math.log(3), dtype=torch.float64)
    assert domain_loss(logit, "target").item() == pytest.approx(-math.log(3 / 4), rel=1e-12)
    assert domain_loss(logit, "source").item() == pytest.approx(-math.log(1 / 4), rel=1e-12)


def test_least_squares_is_the_squared_distance_to_the_domain_label() -> None:
    zero, three = torch.zeros(1, 1, 2, 2), torch.full((1, 1, 2, 2), 3.0)
    assert domain_loss(zero, "source", "least_squares").item() == 0
    assert domain_loss(zero, "target", "least_squares").item() == 1
    assert domain_loss(three, "source", "least_squares").item() == 9
    assert domain_loss(three, "target", "least_squares").item() == 4


@pytest.mark.parametrize("gan", ["vanilla", "least_squares"])
def test_domain_loss_is_the_mean_over_locations(gan: str) -> None:
    logit = torch.tensor([-1.5, 0.25, 4.0], dtype=torch.float64)
    single = [domain_loss(x[None], "target", gan).item() for x in logit]  # type: ignore[arg-type]
    whole = domain_loss(logit, "target", gan).item()  # type: ignore[arg-type]
    assert whole == pytest.approx(sum(single) / 3, rel=1e-12)


# Cross-entropy ---------------------------------------------------------------------------------


def test_cross_entropy_of_a_uniform_prediction_is_the_log_of_the_class_number() -> None:
    logit = torch.zeros(1, 4, 2, 2, dtype=torch.float64)
    label = torch.tensor([[[0, 1], [2, 3]]])
    assert cross_entropy(logit, label).item() == pytest.approx(math.log(4))


def test_cross_entropy_leaves_out_ignored_pixels() -> None:
    # p(class 0) = 3/4 at the first pixel, 1/2 at the second; the third is ignored
    logit = pixels([math.log(3), 0.0], [0.0, 0.0], [50.0, -50.0])
    label = torch.tensor([[[0, 1, 255]]])
    expected = -(math.log(3 / 4) + math.log(1 / 2)) / 2
    assert cross_entropy(logit, label).item() == pytest.approx(expected, rel=1e-12)


def test_ignored_pixels_get_no_gradient() -> None:
    logit = pixels([1.0, 0.0], [3.0, -1.0]).requires_grad_()
    cross_entropy(logit, torch.tensor([[[1, 255]]])).backward()
    assert logit.grad is not None
    assert logit.grad[..., 1].eq(0).all()
    assert logit.grad[..., 0].ne(0).all()


def test_labels_may_be_bytes() -> None:
    logit = pixels([1.0, 0.0], [3.0, -1.0])
    label = torch.tensor([[[1, 255]]])
    assert cross_entropy(logit, label.to(torch.uint8)) == cross_entropy(logit, label)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_image_without_labelled_pixels_costs_nothing(dtype: torch.dtype) -> None:
    logit = torch.randn(1, 3, 2, 2, dtype=dtype, requires_grad=True)
    loss = cross_entropy(logit, torch.full((1, 2, 2), 255))
    loss.backward()
    assert loss.item() == 0
    assert logit.grad is not None
    assert logit.grad.eq(0).all()


@given(st.lists(st.integers(0, 9), min_size=2, max_size=4), st.integers(0, 2**31))
def test_mean_over_processes_is_the_loss_of_the_whole_batch(labelled: list[int], seed: int) -> None:
    """Process i has ``labelled[i]`` of its nine pixels labelled."""
    torch.manual_seed(seed)
    logit = torch.randn(len(labelled), 3, 1, 9, dtype=torch.float64)
    label = torch.randint(3, (len(labelled), 1, 9))
    for i, number in enumerate(labelled):
        label[i, :, number:] = 255
    counts = torch.tensor(labelled, dtype=torch.float64)

    def mean(own: Tensor) -> Tensor:
        assert own in counts
        return counts.mean()

    shards = logit.clone().requires_grad_()
    losses = [
        cross_entropy(shards[i : i + 1], label[i : i + 1], mean) for i in range(len(labelled))
    ]
    averaged = torch.stack(losses).mean()
    averaged.backward()
    whole = logit.clone().requires_grad_()
    total = F.cross_entropy(whole, label, ignore_index=255, reduction="sum")
    expected = total / max(sum(labelled), 1)
    expected.backward()
    torch.testing.assert_close(averaged, expected)
    torch.testing.assert_close(shards.grad, whole.grad)


# MinEnt+ER -------------------------------------------------------------------------------------


def test_entropy_of_the_hardest_share_by_hand() -> None:
    # Entropies of two classes in bits: 0, 1, H(1/4), 0 in the first image; all 1 in the second.
    quarter = 0.5 + 0.75 * math.log2(4 / 3)
    first = pixels([1.0, 0.0], [0.5, 0.5], [0.25, 0.75], [0.0, 1.0])
    second = pixels(*[[0.5, 0.5]] * 4)
    both = torch.cat([first, second])
    # The selected entropies are summed and divided by the number of all pixels.
    assert entropy_loss(first, 0.25).item() == pytest.approx(1 / 4)
    assert entropy_loss(first, 0.5).item() == pytest.approx((1 + quarter) / 4)
    assert entropy_loss(first, 0.01).item() == pytest.approx(1 / 4)  # one pixel at least
    # The share is taken of each image, not of the batch.
    assert entropy_loss(both, 0.5).item() == pytest.approx((1 + quarter + 2) / 8)


@given(logits, st.floats(0.01, 0.99))
def test_hardest_share_selects_the_highest_entropies(values: np.ndarray, share: float) -> None:
    logit = torch.from_numpy(values).requires_grad_()
    entropy = entropy_map(logit.softmax(dim=1)).detach().flatten(1)
    number = max(1, round(share * entropy.shape[1]))
    wanted = np.sort(entropy.numpy(), axis=1)[:, ::-1][:, :number].sum() / entropy.numel()
    found = float(entropy_loss(logit.softmax(dim=1), share).detach())
    assert found == pytest.approx(float(wanted), abs=1e-12)
    assert -1e-12 <= found <= float(entropy_map(logit.softmax(dim=1)).detach().mean()) + 1e-12


def test_pixels_outside_the_hardest_share_get_no_gradient() -> None:
    logit = torch.tensor([[[[0.0, 4.0, 1.0]], [[0.1, 0.0, 0.0]]]], requires_grad=True)
    entropy_loss(logit.softmax(dim=1), 1 / 3).backward()
    assert logit.grad is not None
    reached = logit.grad.abs().sum(dim=1).flatten() > 0
    assert reached.tolist() == [True, False, False]


# Class-ratio prior -----------------------------------------------------------------------------


def test_class_prior_loss_by_hand() -> None:
    # Expected shares: (0.5, 0.4, 0.1); half the prior: (0.3, 0.15, 0.05) -> met everywhere.
    first = pixels([0.6, 0.3, 0.1], [0.4, 0.5, 0.1])
    prior = torch.tensor([0.6, 0.3, 0.1], dtype=torch.float64)
    assert class_prior_loss(first, prior, 0.5).item() == 0
    # The whole prior is missed in the first class alone, by 0.1.
    assert class_prior_loss(first, prior, 1.0).item() == pytest.approx(0.1)
    # (0, 0, 1) falls short of half the prior by 0.3 and 0.15; the batch's mean is half of that.
    second = pixels([0.0, 0.0, 1.0], [0.0, 0.0, 1.0])
    assert class_prior_loss(second, prior, 0.5).item() == pytest.approx(0.45)
    both = torch.cat([first, second])
    assert class_prior_loss(both, prior, 0.5).item() == pytest.approx(0.225)


@given(logits, st.floats(0, 1))
def test_class_prior_loss_is_zero_where_the_prior_is_met(values: np.ndarray, mu: float) -> None:
    probability = torch.from_numpy(values).softmax(dim=1)[:1]
    met = probability.mean(dim=(0, 2, 3))
    assert class_prior_loss(probability, met, mu).item() == pytest.approx(0, abs=1e-12)
    uniform = torch.full_like(met, 1 / len(met))
    loss = class_prior_loss(probability, uniform, mu).item()
    assert 0 <= loss <= mu + 1e-12
    assert class_prior_loss(probability, uniform, 0.0).item() == 0
