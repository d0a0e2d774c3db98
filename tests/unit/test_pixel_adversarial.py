"""PixIntraDA's losses, Eq. 5, 6 and 8, and KLD regularisation against values worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from networks import squeezenet
from segadapt.base.batch import LabelledBatch
from segadapt.losses.confidence_regularisation import kld_regularisation
from segadapt.losses.pixel_adversarial import (
    indexed_discriminator_loss,
    indexed_fooling_loss,
    masked_mean,
    pixel_discriminator_loss,
    pixel_fooling_loss,
)
from segadapt.methods.pixintrada import PixIntraDA, PixIntraDAConfig
from segadapt.tasks.segmentation import SegmentationTask


def logit_of(*shares: float) -> Tensor:
    """Raw outputs whose sigmoid is ``shares``, one line of an image."""
    return torch.tensor(shares, dtype=torch.float64).logit()[None, None]


HARD = torch.tensor([[[True, True, False, False]]])
D = logit_of(0.8, 0.4, 0.1, 0.5)


def test_discriminator_of_two_kinds_by_hand() -> None:
    hard = -(math.log(0.8) + math.log(0.4)) / 2
    easy = -(math.log(0.9) + math.log(0.5)) / 2
    assert float(pixel_discriminator_loss(D, HARD)) == pytest.approx(hard + easy, rel=1e-12)


def test_fooling_of_two_kinds_by_hand() -> None:
    expected = -(math.log(0.2) + math.log(0.6)) / 2
    assert float(pixel_fooling_loss(D, HARD)) == pytest.approx(expected, rel=1e-12)


def test_indexed_discriminator_by_hand() -> None:
    z = torch.tensor([[[0.5, 0.6, 0.0, 0.0]]], dtype=torch.float64)
    expected = (0.3**2 + 0.2**2 + 0.1**2 + 0.5**2) / 4
    assert float(indexed_discriminator_loss(D, z)) == pytest.approx(expected, rel=1e-12)


def test_indexed_fooling_by_hand() -> None:
    expected = (0.8**2 + 0.4**2) / 4
    assert float(indexed_fooling_loss(D, HARD)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("hard", [False, True])
def test_all_easy_and_all_hard_give_no_nan(hard: bool) -> None:
    mask = torch.full_like(HARD, hard)
    logit = D.clone().requires_grad_()
    losses = [
        pixel_discriminator_loss(logit, mask),
        pixel_fooling_loss(logit, mask),
        indexed_discriminator_loss(logit, mask.double() / 2),
        indexed_fooling_loss(logit, mask),
    ]
    sum(losses).backward()  # type: ignore[union-attr]
    assert logit.grad is not None and torch.isfinite(logit.grad).all()
    assert all(torch.isfinite(loss) for loss in losses)
    if not hard:
        assert losses[1].item() == 0.0 == losses[3].item()


def test_shares_of_two_processes_average_to_one_process() -> None:
    halves = [(D[..., :3], HARD[..., :3]), (D[..., 3:], HARD[..., 3:])]
    # Two hard pixels in all, so one for each process on average; the second has none of its own.
    parts = [masked_mean(d, m, torch.ones_like) for d, m in halves]
    assert float(parts[1]) == 0.0
    assert float(sum(parts) / 2) == pytest.approx(float(masked_mean(D, HARD)))  # type: ignore[arg-type]


def test_kld_by_hand() -> None:
    probability = torch.tensor([[0.7, 0.5], [0.2, 0.25], [0.1, 0.25]], dtype=torch.float64)
    logit = probability.log()[None, :, None]
    label = torch.tensor([[[0, 255]]])
    expected = -(math.log(0.7) + math.log(0.2) + math.log(0.1)) / 3
    assert float(kld_regularisation(logit, label)) == pytest.approx(expected, rel=1e-12)
    both = expected / 2 - (math.log(0.5) + 2 * math.log(0.25)) / 6
    assert float(kld_regularisation(logit, torch.zeros_like(label))) == pytest.approx(both)
    uniform = torch.zeros(1, 3, 1, 2, dtype=torch.float64)
    assert float(kld_regularisation(uniform, label)) == pytest.approx(math.log(3))


# The whole step --------------------------------------------------------------------------------


def step(label: Tensor, **settings: object) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Losses and the model's gradients of one step on fixed images and networks."""
    torch.manual_seed(0)
    config = PixIntraDAConfig(discriminator_width=4, **settings)  # type: ignore[arg-type]
    method = PixIntraDA(config, SegmentationTask(3))
    nets = {"model": squeezenet(3).eval()}
    nets |= method.extra_networks(["main", "aux"])  # type: ignore[arg-type]
    image = torch.randn(1, 3, 64, 64)
    batch = LabelledBatch(image, label, (label == 255).float() * 0.4)
    losses = method.step(nets, batch, None, lambda loss: loss.backward())
    found = {k: p.grad for k, p in nets["model"].named_parameters() if p.grad is not None}
    return losses, found


def half_hard() -> Tensor:
    label = torch.ones(1, 64, 64, dtype=torch.uint8)
    label[:, :32] = 255
    return label


@pytest.mark.parametrize("continuous", [False, True])
def test_without_hard_pixels_it_is_self_training(continuous: bool) -> None:
    easy = torch.ones(1, 64, 64, dtype=torch.uint8)
    losses, found = step(easy, continuous=continuous)
    assert float(losses["loss_adv_main"]) == 0.0 == float(losses["loss_adv_aux"])
    _, alone = step(easy, continuous=continuous, beta={"main": 0.0, "aux": 0.0})
    assert all(torch.equal(found[k], alone[k]) for k in found)


@pytest.mark.parametrize("continuous", [False, True])
def test_without_easy_pixels_nothing_is_nan(continuous: bool) -> None:
    losses, found = step(torch.full((1, 64, 64), 255), continuous=continuous, lambda_kld=0.1)
    assert all(bool(torch.isfinite(x).all()) for x in (*losses.values(), *found.values()))
    assert float(losses["loss_seg_main"]) == 0.0 == float(losses["loss_kld_main"])
    assert float(losses["loss_adv_main"]) > 0.0


def test_beta_weighs_the_adversarial_gradient_alone() -> None:
    label = half_hard()
    grads = [
        step(label, beta={"main": b, "aux": 0.0})[1]["head.main.conv2d_list.0.weight"]
        for b in (0.0, 100.0, 300.0)
    ]
    assert torch.allclose(grads[2] - grads[0], 3 * (grads[1] - grads[0]), rtol=1e-3, atol=1e-5)
    assert not torch.equal(grads[0], grads[1])


def test_both_discriminators_learn_which_pixels_are_hard() -> None:
    torch.manual_seed(0)
    method = PixIntraDA(PixIntraDAConfig(discriminator_width=4), SegmentationTask(3))
    nets = {"model": squeezenet(3).eval()}
    nets |= method.extra_networks(["main", "aux"])  # type: ignore[arg-type]
    image = torch.randn(1, 3, 64, 64)
    label = half_hard()
    batch = LabelledBatch(image, label, (label == 255).float() * 0.4)
    extra = [p for key, net in nets.items() if key != "model" for p in net.parameters()]
    optimizer = torch.optim.Adam(extra, 1e-2)
    history = []
    for _ in range(30):
        optimizer.zero_grad()
        losses = method.step(nets, batch, None, lambda loss: loss.backward())
        optimizer.step()
        history.append([float(losses["loss_d_main"]), float(losses["loss_d_aux"])])
    assert history[-1][0] < 0.8 * history[0][0] and history[-1][1] < 0.8 * history[0][1]
