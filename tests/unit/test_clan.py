"""CLAN's step against a few independent lines, before and after its preheat."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from networks import squeezenet
from segadapt.base.batch import LabelledBatch, UnlabelledBatch
from segadapt.engine.optim import warm_up_factor
from segadapt.losses.focal import focal_loss
from segadapt.methods.clan import CLAN, CLANConfig
from segadapt.tasks.segmentation import SegmentationTask, upsample

CLASSES, LENGTH, SIZE = 4, 100, (40, 56)


def test_focal_loss_by_hand() -> None:
    probability = torch.tensor([[0.9, 0.1], [0.25, 0.75], [0.5, 0.5]], dtype=torch.float64)
    logit = probability.log().T[None, :, None, :]
    label = torch.tensor([[[0, 0, 255]]])
    wanted = -((0.1**2) * math.log(0.9) + (0.75**2) * math.log(0.25)) / 2
    assert float(focal_loss(logit, label, 2)) == pytest.approx(wanted)
    assert float(focal_loss(logit, label, 0)) == pytest.approx(
        float(F.cross_entropy(logit, label, ignore_index=255))
    )
    assert float(focal_loss(logit, torch.full_like(label, 255), 2)) == 0


def expected(nets: dict[str, torch.nn.Module], source: LabelledBatch, image: Tensor, step: int):
    """The sums of the released program, written down once more."""
    model, judge = nets["model"], nets["discriminator_main"]
    damping = 1 - step / LENGTH

    def two(x: Tensor) -> list[Tensor]:
        return [upsample(y, x.shape[-2:]) for y in model(x).summands]

    one, other = two(source.image)
    supervised = torch.zeros(())
    for scores in (one, other):
        p = scores.softmax(1).permute(0, 2, 3, 1)[source.label != 255]
        p = p.gather(1, source.label[source.label != 255].long()[:, None])[:, 0]
        supervised = supervised - ((1 - p) ** 2 * p.log()).mean()
    here, there = two(image)
    a, b = here.softmax(1), there.softmax(1)
    weight = 1 - (a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1))
    seen = upsample(judge((here + there).softmax(1)), image.shape[-2:])[:, 0]
    each = F.binary_cross_entropy_with_logits(seen, torch.zeros_like(seen), reduction="none")
    adversarial = each.mean() if step <= 5 else (0.4 * each + 40 * each * weight).mean()
    flat = [torch.cat([p.flatten() for p in c.parameters()]) for c in classifiers(model)]
    cosine = flat[0] @ flat[1] / (flat[0].norm() * flat[1].norm()) + 1
    return supervised + damping * (0.001 * adversarial + 0.01 * 2 * cosine)


def classifiers(model: torch.nn.Module) -> list[torch.nn.Module]:
    return [model.head.main, model.head.second]


@pytest.mark.parametrize("step", [0, 5, 6, 60])
def test_gradients_of_the_segmenter_are_those_of_the_released_program(step: int) -> None:
    torch.manual_seed(0)
    method = CLAN(CLANConfig(discriminator_width=4), SegmentationTask(CLASSES, iterations=LENGTH))
    model = squeezenet(CLASSES, "sum").eval()
    nets = {"model": model, **method.extra_networks(["main"])}
    method.steps.count = step
    label = torch.randint(0, CLASSES, (1, *SIZE))
    label[:, :5] = 255
    source = LabelledBatch(torch.randn(1, 3, *SIZE), label)
    target = UnlabelledBatch(torch.randn(1, 3, *SIZE))
    twin = copy.deepcopy(nets)
    expected(twin, source, target.image, step).backward()
    wanted = {n: p.grad for n, p in twin["model"].named_parameters()}
    losses = method.step(nets, source, target, lambda loss: loss.backward())
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad, wanted[name], rtol=1e-4, atol=1e-6)
    assert method.steps.count == step + 1
    # Neither of the discriminator's losses is halved.
    judge = nets["discriminator_main"]
    map_ = upsample(model(source.image).main, SIZE).softmax(1)
    seen = upsample(judge(map_.detach()), SIZE)
    told = F.binary_cross_entropy_with_logits(seen, torch.zeros_like(seen))
    assert float(losses["loss_d_source_main"]) == pytest.approx(float(told), rel=1e-4)


def test_number_of_the_step_is_saved_with_the_state() -> None:
    method = CLAN(CLANConfig(), SegmentationTask(CLASSES, iterations=LENGTH))
    method.steps.count = 7
    other = CLAN(CLANConfig(), SegmentationTask(CLASSES, iterations=LENGTH))
    other.load_state_dict(method.state_dict())
    assert other.steps.next() == 7


@pytest.mark.parametrize(("iteration", "wanted"), [(0, 0.0), (50, 0.5), (100, 1.0), (200, 1.0)])
def test_warm_up_by_hand(iteration: int, wanted: float) -> None:
    assert warm_up_factor(iteration, 100, 0.0) == pytest.approx(wanted)
    assert warm_up_factor(iteration, 100, 0.2) == pytest.approx(0.2 + 0.8 * wanted)
