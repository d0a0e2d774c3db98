"""ADDA's step: what is frozen, what learns from what, and when."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import Tensor, nn

from segadapt.base.batch import LabelledBatch, UnlabelledBatch
from segadapt.base.classes import DIGITS_10
from segadapt.config import ModelConfig
from segadapt.methods.adda import ADDA, ADDAConfig
from segadapt.models.build import build_segmenter
from segadapt.models.segmenter import LevelLogits
from segadapt.tasks.classification import ClassificationTask
from segadapt.tasks.of_classes import task_of


class Constant(nn.Module):
    """Scores of two classes that do not depend on the image."""

    def __init__(self, first: float, second: float) -> None:
        super().__init__()
        self.scores = nn.Parameter(torch.tensor([first, second]))

    def forward(self, image: Tensor) -> LevelLogits:
        return LevelLogits(self.scores.view(1, 2, 1, 1).expand(len(image), -1, 1, 1), None)


class FirstScore(nn.Module):
    """Judges by a multiple of the first class's score."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor))

    def forward(self, scores: Tensor) -> Tensor:
        return self.factor * scores[:, :1]


def begun(
    above: float, start: tuple[float, float], now: tuple[float, float]
) -> tuple[ADDA, Constant]:
    method = ADDA(ADDAConfig(confident_above=above), ClassificationTask(2))
    model = Constant(*start)
    method.begin(model)
    with torch.no_grad():
        model.scores.copy_(torch.tensor(now))
    return method, model


def batches() -> tuple[LabelledBatch, UnlabelledBatch]:
    images = torch.zeros(3, 3, 4, 4)
    return LabelledBatch(images, torch.zeros(3, 1, 1)), UnlabelledBatch(images)


def cross_entropy(raw: float, target: bool) -> float:
    return -math.log(1 / (1 + math.exp(-raw if target else raw)))


def test_losses_and_gradients_by_hand() -> None:
    # The source's scores are those of the start, -1; the target's those of now, 2.
    method, model = begun(0.6, (-1.0, 0.0), (2.0, 0.0))
    discriminator = FirstScore(0.5)
    nets = {"model": model, "discriminator_main": discriminator}
    losses = method.step(nets, *batches(), lambda x: x.backward())
    told = (cross_entropy(-0.5, target=False) + cross_entropy(1.0, target=True)) / 2
    assert float(losses["loss_d_main"]) == pytest.approx(told)
    assert float(losses["loss_adv_main"]) == pytest.approx(cross_entropy(1.0, target=False))
    # d/ds of log(1 + exp(0.5 s)) at s = 2.
    assert model.scores.grad is not None
    assert model.scores.grad[0].item() == pytest.approx(0.5 / (1 + math.exp(-1.0)))
    # Of the discriminator's own losses alone: source -1 * sigmoid(-0.5), target -2 * sigmoid(-1).
    wanted = (-1 / (1 + math.exp(0.5)) - 2 / (1 + math.exp(1.0))) / 2
    assert discriminator.factor.grad is not None
    assert discriminator.factor.grad.item() == pytest.approx(wanted)


def test_model_waits_for_a_discriminator_that_is_right_often_enough() -> None:
    # Both sides look the same to it: it is right about one half.
    for above, learns in ((0.4, True), (0.6, False)):
        method, model = begun(above, (2.0, 0.0), (2.0, 0.0))
        discriminator = FirstScore(0.5)
        nets = {"model": model, "discriminator_main": discriminator}
        method.step(nets, *batches(), lambda x: x.backward())
        assert (model.scores.grad is not None) == learns
        assert discriminator.factor.grad is not None


def test_labels_kept_in_mind_by_hand() -> None:
    # Scores (2, 0) and labels of the first class: cross-entropy log(1 + exp(-2)).
    gradients = []
    for weight in (0.0, 0.5):
        method, model = begun(0.6, (-1.0, 0.0), (2.0, 0.0))
        method.config = ADDAConfig(confident_above=0.6, lambda_seg=weight)
        nets = {"model": model, "discriminator_main": FirstScore(0.5)}
        losses = method.step(nets, *batches(), lambda x: x.backward())
        assert ("loss_seg_main" in losses) == (weight > 0)
        assert model.scores.grad is not None
        gradients.append(model.scores.grad[0].item())
    assert float(losses["loss_seg_main"]) == pytest.approx(math.log(1 + math.exp(-2.0)))
    # d/ds of log(1 + exp(-s)) at s = 2, half of it.
    assert gradients[1] - gradients[0] == pytest.approx(-0.5 / (1 + math.exp(2.0)))


def test_frozen_copy_stays_as_the_model_was() -> None:
    torch.manual_seed(0)
    config = ModelConfig(backbone="lenet", heads="single", weights="none")
    model = build_segmenter(config, 10)
    task = task_of(DIGITS_10)
    method = ADDA(ADDAConfig(discriminator_width=8, confident_above=0.0), task)
    method.begin(model)
    nets = {"model": model, **method.extra_networks(["main"])}
    start = copy.deepcopy(model.state_dict())
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    images = torch.rand(2, 4, 3, 28, 28)
    label = torch.zeros(4, 1, 1, dtype=torch.uint8)
    method.step(
        nets, LabelledBatch(images[0], label), UnlabelledBatch(images[1]), lambda x: x.backward()
    )
    optimizer.step()
    assert any(not torch.equal(v, start[k]) for k, v in model.state_dict().items())
    assert method.source_model is not None
    assert all(torch.equal(v, start[k]) for k, v in method.source_model.state_dict().items())
    assert all(p.grad is None for p in method.source_model.parameters())


def test_discriminator_of_scores_is_fully_connected_as_released() -> None:
    nets = ADDA(ADDAConfig(), ClassificationTask(10)).extra_networks(["main"])
    weights = [p for p in nets["discriminator_main"].parameters() if p.ndim > 1]
    assert [tuple(p.shape[:2]) for p in weights] == [(500, 10), (500, 500), (1, 500)]
    assert all(p.shape[2:] == (1, 1) for p in weights)
