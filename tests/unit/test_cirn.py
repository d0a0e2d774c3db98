"""CIRN's stage 2, Eq. 6 to 8, and its ancillary classifier against values worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from networks import squeezenet
from segadapt.base.batch import LabelledBatch, UnlabelledBatch
from segadapt.losses.two_views import cosine_distance, weight_discrepancy, weighted_domain_loss
from segadapt.methods.cirn import CIRN, CIRNConfig
from segadapt.models.layers.ancillary import AncillaryClassifier
from segadapt.models.layers.aspp import ASPPClassifier
from segadapt.tasks.segmentation import Level, SegmentationTask


def pixels(*rows: tuple[float, ...]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64).T[None, :, None, :]


# Losses ----------------------------------------------------------------------------------------


def test_cosine_distance_by_hand() -> None:
    first = pixels((1.0, 0.0, 0.0), (0.6, 0.4, 0.0), (0.5, 0.5, 0.0))
    second = pixels((1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.5, 0.0, 0.5))
    assert cosine_distance(first, second)[0, 0].tolist() == pytest.approx([0.0, 1.0, 0.5])


def test_weighted_domain_loss_by_hand() -> None:
    logit = torch.tensor([[[0.25, 0.5]]], dtype=torch.float64).logit()
    weight = torch.tensor([[[2.0, 0.4]]], dtype=torch.float64)
    # The source is 0 and the target 1, as in the released programs.
    source = -(2.0 * math.log(0.75) + 0.4 * math.log(0.5)) / 2
    target = -(2.0 * math.log(0.25) + 0.4 * math.log(0.5)) / 2
    assert float(weighted_domain_loss(logit, "source", weight)) == pytest.approx(source)
    assert float(weighted_domain_loss(logit, "target", weight)) == pytest.approx(target)


def test_weight_discrepancy_by_hand() -> None:
    first = torch.tensor([3.0, 4.0])
    assert float(weight_discrepancy(first, torch.tensor([4.0, 3.0]))) == pytest.approx(24 / 25)
    assert float(weight_discrepancy(first, -2 * first)) == pytest.approx(-1.0)


def test_weights_of_the_adversarial_loss_by_hand() -> None:
    method = CIRN(CIRNConfig(lambda_cos=10.0, epsilon=0.5), SegmentationTask(2))
    first, second = pixels((0.8, 0.2)).log(), pixels((0.2, 0.8)).log()
    cosine = 2 * 0.8 * 0.2 / (0.8**2 + 0.2**2)
    level = Level("main", first + second, (first, second))
    assert float(method.weights(level)) == pytest.approx(10 * (1 - cosine) + 0.5)


# Ancillary classifier --------------------------------------------------------------------------


def test_attention_lies_between_zero_and_one() -> None:
    module = AncillaryClassifier(32, 5, (1, 2), modules=3)
    maps = module.attention_maps(100 * torch.randn(2, 32, 7, 9))
    assert len(maps) == 3
    assert all(map_.shape == (2, 1, 7, 9) for map_ in maps)
    assert all(0 <= float(map_.detach().min()) <= float(map_.detach().max()) <= 1 for map_ in maps)


def test_without_modules_it_is_the_plain_classifier() -> None:
    module = AncillaryClassifier(16, 5, (1, 2), modules=0)
    plain = ASPPClassifier(16, 5, (1, 2))
    plain.load_state_dict(module.classifier.state_dict())
    features = torch.randn(2, 16, 7, 9)
    assert torch.equal(module(features), plain(features))


def test_output_is_the_sum_of_what_the_classifier_sees_through_each_map() -> None:
    module = AncillaryClassifier(16, 5, (1, 2), modules=2)
    features = torch.randn(2, 16, 7, 9)
    seen = [module.classifier(map_ * features) for map_ in module.attention_maps(features)]
    assert torch.allclose(module(features), seen[0] + seen[1], atol=1e-6)


def test_model_without_modules_is_the_sum_of_two_classifiers() -> None:
    model = squeezenet(3, "ancillary", attention_modules=0).eval()
    other = squeezenet(3, "sum").eval()
    renamed = {k.replace("second.classifier.", "second."): v for k, v in model.state_dict().items()}
    other.load_state_dict(renamed)
    image = torch.randn(1, 3, 64, 64)
    ours, theirs = model(image), other(image)
    assert torch.equal(ours.main, theirs.main)
    assert torch.equal(ours.main, ours.summands[0] + ours.summands[1])
    assert torch.equal(model.head.classifier_weights()[1], other.head.classifier_weights()[1])


# The step --------------------------------------------------------------------------------------


def gradients(**settings: float) -> dict[str, Tensor]:
    torch.manual_seed(0)
    weights = {"lambda_adv": 0.0, "lambda_weight": 0.0, **settings}
    method = CIRN(CIRNConfig(discriminator_width=4, **weights), SegmentationTask(3))
    nets = {"model": squeezenet(3, "ancillary").eval()}
    nets |= method.extra_networks(["main"])  # type: ignore[arg-type]
    images = torch.randn(2, 1, 3, 64, 64)
    source = LabelledBatch(images[0], torch.randint(0, 3, (1, 64, 64)))
    method.step(nets, source, UnlabelledBatch(images[1]), lambda loss: loss.backward())
    return {
        f"{name}.{key}": p.grad
        for name, net in nets.items()
        for key, p in net.named_parameters()
        if p.grad is not None
    }


def test_distance_carries_gradient_to_the_segmenter_and_not_to_the_discriminator() -> None:
    # With epsilon 0 and a huge lambda_cos, a constant weight would leave the two classifiers'
    # gradients proportional to the loss alone; through the distance they are pulled together.
    plain = gradients()
    weighted = gradients(lambda_adv=0.1)
    key = "model.head.second.attention.0.judge.weight"
    assert not torch.equal(plain[key], weighted[key])
    names = [k for k in plain if k.startswith("discriminator_main")]
    assert names and all(torch.equal(plain[k], weighted[k]) for k in names)


def test_distance_pulls_the_two_classifiers_together() -> None:
    first = pixels((0.9, 0.1)).log().requires_grad_()
    second = pixels((0.3, 0.7)).log().requires_grad_()
    method = CIRN(CIRNConfig(), SegmentationTask(2))
    level = Level("main", first + second, (first, second))
    judged = torch.zeros(1, 1, 1, dtype=torch.float64)
    weighted_domain_loss(judged, "source", method.weights(level)).backward()
    assert first.grad is not None and second.grad is not None
    # Descent lowers the first class where the first classifier is surer of it, and raises it in
    # the other.
    assert float(first.grad[0, 0]) > 0 > float(second.grad[0, 0])


def test_weight_discrepancy_reaches_both_classifiers_alone() -> None:
    plain, pushed = gradients(), gradients(lambda_weight=1.0)
    changed = {k for k in plain if not torch.equal(plain[k], pushed[k])}
    assert changed and all("second.classifier" in k or "head.main" in k for k in changed)
    assert any("head.main" in k for k in changed) and any("second" in k for k in changed)
