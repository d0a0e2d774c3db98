"""Entropy straight from scores is that of their probabilities, and so are its gradients."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from segadapt.losses.entropy import entropy_map, weighted_self_information
from segadapt.losses.entropy_of_scores import entropy_of_scores, self_information

PAIRS = (
    (self_information, weighted_self_information),
    (entropy_of_scores, entropy_map),
)


def scores(strength: float, dtype: torch.dtype = torch.float64) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return strength * torch.randn(2, 5, 3, 4, generator=generator, dtype=dtype)


@pytest.mark.parametrize(("ours", "by_way"), PAIRS)
@pytest.mark.parametrize("strength", [0.0, 1.0, 30.0])
def test_values_and_gradients(ours, by_way, strength: float) -> None:  # type: ignore[no-untyped-def]
    first, second = scores(strength).requires_grad_(), scores(strength).requires_grad_()
    found, expected = ours(first), by_way(second.softmax(dim=1))
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    weight = torch.randn(found.shape, dtype=torch.float64)
    (found * weight).sum().backward()
    (expected * weight).sum().backward()
    torch.testing.assert_close(first.grad, second.grad, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("ours", [self_information, entropy_of_scores])
def test_gradients_are_those_of_small_steps(ours) -> None:  # type: ignore[no-untyped-def]
    assert torch.autograd.gradcheck(ours, (scores(1.0).requires_grad_(),))


@pytest.mark.parametrize("ours", [self_information, entropy_of_scores])
def test_certain_pixels_have_finite_gradients(ours) -> None:  # type: ignore[no-untyped-def]
    logit = torch.tensor([200.0, -200.0, 0.0])[None, :, None, None].requires_grad_()
    found = ours(logit)
    found.sum().backward()
    assert found.abs().sum() == 0
    assert logit.grad is not None and logit.grad.isfinite().all()


@pytest.mark.parametrize("ours", [self_information, entropy_of_scores])
def test_one_map_is_kept(ours) -> None:  # type: ignore[no-untyped-def]
    logit = scores(1.0, torch.float32).requires_grad_()
    kept: list[int] = []
    with torch.autograd.graph.saved_tensors_hooks(
        lambda x: kept.append(x.numel()) or x, lambda x: x
    ):
        ours(logit)
    assert sum(number == logit.numel() for number in kept) == 1
