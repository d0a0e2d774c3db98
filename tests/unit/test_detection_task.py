"""SSD's loss, the padded maps and the entropy of ADVENT's Appendix A."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torchvision.models.detection import ssd300_vgg16
from torchvision.models.detection.image_list import ImageList
from torchvision.ops import box_iou

from segadapt.base.classes import ClassSet
from segadapt.config.model import ModelConfig
from segadapt.losses.boxes import filled_up, ssd_loss
from segadapt.losses.entropy import entropy_loss, entropy_map, weighted_self_information
from segadapt.models.boxes import BoxOutput, Grid, stacked
from segadapt.models.build import build_segmenter
from segadapt.tasks.detection import DetectionTask, Stacked, detections
from segadapt.tasks.segmentation import Level

STEPS = [x / 300 for x in (8, 16, 32, 64, 100, 300)]


def random_boxes(number: int, classes: int, generator: torch.Generator) -> Tensor:
    corner = 220 * torch.rand(number, 2, generator=generator)
    side = 10 + 70 * torch.rand(number, 2, generator=generator)
    kind = torch.randint(0, classes, (number, 1), generator=generator).float()
    return torch.cat([corner, corner + side, kind, torch.zeros(number, 1)], dim=1)


@pytest.fixture(scope="module")
def released() -> torch.nn.Module:
    """torchvision's own SSD-300 with four outputs."""
    torch.manual_seed(3)
    return ssd300_vgg16(weights=None, weights_backbone=None, num_classes=4)


def test_network_and_loss_are_those_of_torchvision(released: torch.nn.Module) -> None:
    config = ModelConfig(backbone="ssd_vgg16", weights="none", heads="ssd", steps=STEPS)
    model = build_segmenter(config, 3)
    model.trunk.load_state_dict(released.backbone.state_dict())
    for own, theirs in (
        (model.head.classifiers, released.head.classification_head.module_list),
        (model.head.regressors, released.head.regression_head.module_list),
    ):
        own.load_state_dict(theirs.state_dict())
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(2, 3, 300, 300, generator=generator)
    rows = [random_boxes(number, 3, generator) for number in (5, 2)]
    with torch.no_grad():
        maps = list(released.backbone(image).values())
        theirs = released.head(maps)
        anchors = released.anchor_generator(ImageList(image, [(300, 300)] * 2), maps)
        targets = [{"boxes": x[:, :4], "labels": x[:, 4].long() + 1} for x in rows]
        matched = [
            released.proposal_matcher(box_iou(t["boxes"], a))
            for t, a in zip(targets, anchors, strict=True)
        ]
        wanted = released.compute_loss(targets, theirs, anchors, matched)
        (level,) = DetectionTask(3).levels(model, image)
        assert level.boxes is not None
        torch.testing.assert_close(level.boxes.scores, theirs["cls_logits"])
        torch.testing.assert_close(level.boxes.offsets, theirs["bbox_regression"])
        torch.testing.assert_close(level.boxes.anchors, anchors[0], atol=1e-3, rtol=0)
        found = ssd_loss(
            theirs["cls_logits"], theirs["bbox_regression"], anchors[0], filled_up(rows)
        )
        loss = DetectionTask(3).supervised_loss(level, filled_up(rows))
    torch.testing.assert_close(found.classification, wanted["classification"], rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(found.regression, wanted["bbox_regression"], rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(loss, sum(wanted.values()), rtol=1e-5, atol=1e-5)


def test_boxes_found_are_those_of_torchvision(released: torch.nn.Module) -> None:
    generator = torch.Generator().manual_seed(1)
    anchors = torch.rand(50, 2, generator=generator) * 200
    anchors = torch.cat([anchors, anchors + 60], dim=1)
    scores = 3 * torch.randn(1, 50, 4, generator=generator)
    offsets = torch.randn(1, 50, 4, generator=generator)
    wanted = released.postprocess_detections(
        {"cls_logits": scores, "bbox_regression": offsets}, [anchors], [(300, 300)]
    )[0]
    output = BoxOutput(scores, offsets, anchors, (Grid(5, 10, 1),))
    (found,) = detections(Level("main", stacked(output), boxes=output), (300, 300))
    torch.testing.assert_close(found.boxes, wanted["boxes"])
    torch.testing.assert_close(found.scores, wanted["scores"])
    assert torch.equal(found.labels, wanted["labels"] - 1)


def two_grids() -> BoxOutput:
    """2x2 places with one anchor, and one place with two: six anchors, three outputs."""
    scores = torch.arange(18.0).reshape(1, 6, 3) / 7
    return BoxOutput(scores, torch.zeros(1, 6, 4), torch.rand(6, 4), (Grid(2, 2, 1), Grid(1, 1, 2)))


def test_maps_are_padded_with_zeros_and_stacked_by_hand() -> None:
    output = two_grids()
    probability = output.scores[0].softmax(dim=-1)
    self_information = -probability * probability.log2() / math.log2(3)
    maps = weighted_self_information(stacked(output).softmax(dim=1))
    assert maps.shape == (1, 3, 3, 2, 2)
    for kind in range(3):
        a, b, c, d, e, f = self_information[:, kind].tolist()
        wanted = torch.tensor([[[a, b], [c, d]], [[e, 0], [0, 0]], [[f, 0], [0, 0]]])
        torch.testing.assert_close(maps[0, kind], wanted)
    assert (maps[0, :, 1:].flatten(2)[..., 1:] == 0).all()  # exactly
    seen = Stacked()(maps)
    assert seen.shape == (1, 9, 32, 32)
    torch.testing.assert_close(seen[:, :, :2, :2], maps.flatten(1, 2))
    assert seen[:, :, 2:].abs().sum() == 0 and seen[:, :, :, 2:].abs().sum() == 0


def test_equations_11_and_12_by_hand() -> None:
    output = two_grids()
    total = 0.0
    for row in output.scores[0].tolist():
        weights = [math.exp(x) for x in row]
        probabilities = [x / sum(weights) for x in weights]
        total += -sum(p * math.log(p) for p in probabilities) / math.log(3)
    probability = stacked(output).softmax(dim=1)
    assert float(entropy_map(probability).sum()) == pytest.approx(total, rel=1e-5)
    # The loss of methods is Eq. 12 over the places of the stack.
    assert float(entropy_loss(probability)) == pytest.approx(total / (3 * 2 * 2), rel=1e-5)


def test_padding_has_no_gradient() -> None:
    output = two_grids()
    scores = output.scores.clone().requires_grad_()
    loss = entropy_loss(stacked(output._replace(scores=scores)).softmax(dim=1))
    loss.backward()
    assert scores.grad is not None and scores.grad.isfinite().all()
    assert (scores.grad.abs().sum(dim=-1) > 0).all()


def test_anchors_at_ignored_boxes_are_no_background() -> None:
    anchors = torch.tensor([[0.0, 0, 10, 10], [20, 20, 30, 30], [40, 40, 50, 50]])
    scores = torch.tensor([[[0.0, 2.0], [0.0, 5.0], [0.0, 1.0]]])  # the second is surely wrong
    label = torch.tensor([[[0.0, 0, 10, 10, 0, 0], [20, 20, 30, 30, 0, 1]]])
    found = ssd_loss(scores, torch.zeros(1, 3, 4), anchors, label)
    wanted = math.log(1 + math.exp(-2)) + math.log(1 + math.exp(1))
    assert float(found.classification) == pytest.approx(wanted, rel=1e-5)
    without = ssd_loss(scores, torch.zeros(1, 3, 4), anchors, label[:, :1])
    more = wanted + math.log(1 + math.exp(5))
    assert float(without.classification) == pytest.approx(more, rel=1e-5)


def test_images_without_boxes_cost_nothing_and_do_not_fail() -> None:
    scores = torch.randn(2, 3, 2, requires_grad=True)
    label = filled_up([torch.zeros(0, 6), torch.zeros(0, 6)])
    found = ssd_loss(scores, torch.zeros(2, 3, 4), torch.rand(3, 4), label)
    assert float(found.classification.detach()) == 0 and float(found.regression) == 0
    found.classification.backward()


def test_unsure_boxes_are_ignored_in_pseudo_labels() -> None:
    anchors = torch.tensor([[0.0, 0, 40, 40], [50, 50, 90, 90], [0, 50, 40, 90]])
    logits = torch.tensor([[[0.0, 3.0, 0], [0.0, 0.0, 0.6], [5.0, 0, 0]]])
    output = BoxOutput(logits, torch.zeros(1, 3, 4), anchors, (Grid(1, 3, 1),))
    label = DetectionTask(2).pseudo_label(Level("main", stacked(output), boxes=output), 0.7)
    torch.testing.assert_close(
        label[0], torch.tensor([[0.0, 0, 40, 40, 0, 0], [50, 50, 90, 90, 1, 1]])
    )
    assert float(DetectionTask(2).share_known(label)) == 0.5


def test_the_loss_of_two_processes_is_that_of_one() -> None:
    generator = torch.Generator().manual_seed(5)
    anchors = random_boxes(40, 1, generator)[:, :4]
    label = filled_up([random_boxes(n, 2, generator) for n in (4, 1)])
    label[0, 0, :4], label[1, 0, :4] = anchors[0], anchors[7]
    scores, offsets = torch.randn(2, 40, 3, generator=generator), torch.zeros(2, 40, 4)
    whole = sum(ssd_loss(scores, offsets, anchors, label))
    counts: list[Tensor] = []

    def remember(x: Tensor) -> Tensor:
        counts.append(x)
        return x

    for i in range(2):
        ssd_loss(scores[i : i + 1], offsets[i : i + 1], anchors, label[i : i + 1], remember)
    mean = sum(counts) / 2
    parts = [
        sum(
            ssd_loss(
                scores[i : i + 1], offsets[i : i + 1], anchors, label[i : i + 1], lambda _: mean
            )
        )
        for i in range(2)
    ]
    torch.testing.assert_close((parts[0] + parts[1]) / 2, whole)


def test_boxes_are_a_kind_of_label() -> None:
    classes = ClassSet("one", ("car",), ((0, 0, 142),), boxes=True)
    assert ClassSet.from_dict(classes.__dict__).boxes
