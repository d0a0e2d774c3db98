"""Each ingredient of self-training against values by hand, or a few independent lines."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from networks import squeezenet
from segadapt.base.batch import LabelledBatch, UnlabelledBatch
from segadapt.data.crops import Crops
from segadapt.data.loader import _window
from segadapt.data.order import Draw
from segadapt.data.rare_classes import class_probabilities, rare_classes
from segadapt.losses.feature_distance import feature_distance, thing_cells
from segadapt.losses.weighted import weighted_cross_entropy
from segadapt.methods.dacs import DACS, DACSConfig
from segadapt.methods.mic import MIC, MICConfig
from segadapt.models.inputs import from_planes, to_rgb
from segadapt.self_training.augmentation import Strength, strongly_augmented
from segadapt.self_training.block_masks import block_mask
from segadapt.self_training.chance import Chance
from segadapt.self_training.class_mix import classes_present, mixed, mixing_mask
from segadapt.self_training.teacher import MeanTeacher
from segadapt.self_training.trust import ClassThresholds, share_sure
from segadapt.tasks.segmentation import SegmentationTask

CLASSES, SIZE = 5, (48, 64)


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([1.0, -2.0]))
        self.norm = nn.BatchNorm2d(2)
        self.drop = nn.Dropout(0.5)


def test_teacher_is_the_average_of_the_past() -> None:
    student = Small()
    teacher = MeanTeacher(student, 0.999)
    seen, expected = [], None
    for step in range(1002):
        with torch.no_grad():
            student.weight.fill_(float(np.sin(step)))
        teacher.begin_step(student)
        a = 0.0 if step == 0 else min(1 - 1 / (step + 1), 0.999)
        value = float(student.weight[0])
        expected = value if expected is None else a * expected + (1 - a) * value
        if step in (0, 1, 2, 1000, 1001):
            seen.append(step)
            assert float(teacher.network.weight[0]) == pytest.approx(expected, abs=1e-5), step
    assert len(seen) == 5
    # Until the weight of the past is full it is the plain mean.
    assert not any(p.requires_grad for p in teacher.parameters())


def test_teacher_sees_the_batch_without_dropout_and_keeps_its_number() -> None:
    teacher = MeanTeacher(Small(), 0.9)
    assert teacher.network.norm.training and not teacher.network.drop.training
    frozen = Small()
    frozen.norm.eval()
    frozen.train = lambda mode=True: frozen  # type: ignore[method-assign, assignment]
    teacher.begin_step(Small())
    other = MeanTeacher(Small(), 0.9)
    other.load_state_dict(teacher.state_dict())
    assert other.steps.count == 1


def test_half_of_the_classes_are_laid_over_the_target() -> None:
    label = torch.tensor([[[0, 1, 2], [3, 4, 255]], [[0, 0, 0], [1, 1, 1]]], dtype=torch.uint8)
    present = classes_present(label)
    assert present == [0, 1, 2, 3, 4, 255]
    mask = mixing_mask(label, present, Chance(7, 3))
    assert mask.shape == label.shape and int(mask[0].sum()) == 3
    again = mixing_mask(label, present, Chance(7, 3))
    other = mixing_mask(label, present, Chance(7, 4))
    assert torch.equal(mask, again) and not torch.equal(mask, other)
    # A second process that has the second image alone draws for it what one process does.
    alone = mixing_mask(label[1:], present, Chance(7, 3, first=1))
    assert torch.equal(alone[0], mask[1])
    odd = mixing_mask(label[:1, :1], [0, 1, 2], Chance(0, 0))
    assert int(odd.sum()) == 2  # rounded up
    source, target = torch.ones(2, 3, 2, 3), torch.zeros(2, 3, 2, 3)
    assert torch.equal(mixed(mask, source, target), mask[:, None].float().expand(2, 3, 2, 3))


def test_share_of_sure_pixels_and_weighted_loss_by_hand() -> None:
    confidence = torch.tensor([[[0.968, 0.5], [0.99, 0.9679]]])
    assert float(share_sure(confidence, 0.968)) == 0.5
    logit = torch.tensor([[[[2.0, 0.0]], [[0.0, 1.0]]]])
    label = torch.tensor([[[0, 255]]])
    one = math.log(1 + math.exp(-2))
    found = weighted_cross_entropy(logit, label, torch.tensor([[[0.5, 1.0]]]))
    assert float(found) == pytest.approx(0.5 * one / 2)  # by all pixels, labelled or not


def test_thresholds_of_classes_move_as_in_iast() -> None:
    rule = ClassThresholds(2)
    confidence = torch.linspace(0.5, 0.9995, 1000).view(1, 1, -1)
    label = torch.zeros(1, 1, 1000, dtype=torch.long)
    weights = rule.weights(confidence, label, (0.2, 0.9, 8.0))
    share = 0.2 * 0.9**8
    own = float(confidence.flatten().quantile(1 - share))
    assert float(rule.thresholds[0]) == pytest.approx(0.9 * 0.9 + 0.1 * own, abs=2e-3)
    assert float(rule.thresholds[1]) == pytest.approx(0.9)  # it did not occur
    assert torch.equal(weights, (confidence >= rule.thresholds[0]).float())


def test_blocks_are_masked_whole_and_in_the_share_that_is_asked_for() -> None:
    mask = block_mask(40, (64, 96), 16, 0.7, Chance(0, 5))
    blocks = mask.view(40, 4, 16, 6, 16)
    assert torch.equal(blocks.all(4).all(2), blocks.any(4).any(2))
    assert float(mask.float().mean()) == pytest.approx(0.3, abs=0.04)
    uneven = block_mask(1, (50, 70), 16, 0.5, Chance(0, 0))
    assert uneven.shape == (1, 50, 70)


def test_augmentation_is_a_function_of_seed_and_iteration() -> None:
    image = torch.rand(2, 3, 20, 24)
    strength = Strength(colour_probability=1, blur_probability=1)
    first = strongly_augmented(image, strength, Chance(1, 2))
    assert torch.equal(first, strongly_augmented(image, strength, Chance(1, 2)))
    assert not torch.equal(first, strongly_augmented(image, strength, Chance(1, 3)))
    assert not torch.equal(first, strongly_augmented(image, strength, Chance(1, 2), draw=1))
    alone = strongly_augmented(image[1:], strength, Chance(1, 2, first=1))
    assert torch.allclose(alone[0], first[1], atol=1e-6)
    assert float(first.min()) >= 0 and float(first.max()) <= 1
    off = Strength(colour_probability=0, blur_probability=0)
    assert strongly_augmented(image, off, Chance(1, 2)) is image


@pytest.mark.parametrize("form", ["bgr_mean", "rgb", "rgb_mean", "rgb_mean_std", "rgb_signed"])
def test_colours_are_found_behind_what_networks_take(form: str) -> None:
    picture = torch.randint(0, 256, (2, 3, 4, 5))
    found = to_rgb(from_planes(picture, form), form)  # type: ignore[arg-type]
    assert torch.allclose(found * 255, picture.float(), atol=1e-3)


def test_no_two_draws_share_their_numbers() -> None:
    # To numpy, a seed is the same with zeros at its end: whether and how were one number once.
    drawn = {}
    for iteration in (0, 1):
        for first in (0, 2):
            chance = Chance(0, iteration, first)
            for stream in (*range(101, 105), 112, 113):
                if first == 0:
                    drawn[iteration, stream, "batch"] = chance.of_batch(stream).random()
                for row in (0, 1):
                    key = (iteration, stream, first + row)
                    drawn[key] = chance.of_image(stream, row).random()
    assert len(set(drawn.values())) == len(drawn) == 2 * 6 * 5


def test_every_image_is_changed_as_far_as_the_others() -> None:
    strength = Strength(colour=0.2, colour_probability=0.8, blur_probability=0.0)
    grey = torch.full((2, 3, 2, 2), 0.5)
    seen = [
        strongly_augmented(grey, strength, Chance(0, i)).mean(dim=(1, 2, 3)) for i in range(400)
    ]
    level = torch.stack(seen)
    for row in (0, 1):
        changed = level[:, row][level[:, row] != 0.5]
        assert changed.min() < 0.41 and changed.max() > 0.59, row
        assert float(changed.mean()) == pytest.approx(0.5, abs=0.01)


def test_a_crop_that_shows_too_little_is_at_least_varied() -> None:
    crops = Crops((4, 4), largest_share=0.75, least_wanted=3, tries=10)
    label = np.zeros((4, 400), np.uint8)
    label[:2, :200] = 1  # varied on the left, of one class on the right; class 2 is nowhere
    draw = Draw(0, False, 1.0, (0.0, 0.9), wanted=2, again=(1,))
    window = _window((4, 400), label, crops, draw)
    assert crops.is_varied(label[window]) and not crops.shows(label[window], 2)
    label[:, 300:] = 2
    label[:2, 300:] = 3
    assert crops.shows(label[_window((4, 400), label, crops, draw)], 2)


def test_probabilities_of_rare_classes_by_hand() -> None:
    shares = np.array([0.5, 0.3, 0.2])
    exact = np.exp((1 - shares) / 0.1)
    found = class_probabilities([50, 30, 20], 0.1)
    assert found == pytest.approx(exact / exact.sum())
    counts = np.array([[5000, 0, 10], [4000, 4000, 0], [0, 3000, 0]])
    rare = rare_classes(counts, 0.01, 3000)
    assert rare.classes == (0, 1) and rare.images == ((0, 1), (1,))
    drawn = [rare.draw(np.random.default_rng(i)) for i in range(200)]
    assert {image for wanted, image in drawn if wanted == 1} <= {1}


def test_feature_distance_by_hand() -> None:
    label = torch.full((1, 4, 8), 2)
    label[:, :, 4:] = 0
    label[:, 0, 4] = 1
    cells = thing_cells(label, (1, 2), [2, 1], 0.75)
    assert cells.tolist() == [[[True, False]]]
    features = torch.tensor([3.0, 4.0]).view(1, 2, 1, 1).expand(1, 2, 1, 2).clone()
    features.requires_grad_()
    loss = feature_distance(features, torch.zeros(1, 2, 1, 2), cells)
    assert float(loss) == pytest.approx(5)
    none = feature_distance(features, features.detach(), torch.zeros(1, 1, 2, dtype=torch.bool))
    none.backward()
    assert float(none) == 0 and torch.isfinite(features.grad).all()


def batches() -> tuple[LabelledBatch, UnlabelledBatch]:
    generator = torch.Generator().manual_seed(3)
    image = torch.randn(2, 2, 3, *SIZE, generator=generator)
    label = torch.randint(0, CLASSES, (2, *SIZE), generator=generator, dtype=torch.uint8)
    return LabelledBatch(image[0], label), UnlabelledBatch(image[1])


def still(kind: type[DACS], config: DACSConfig) -> tuple[DACS, nn.Module]:
    torch.manual_seed(0)
    method = kind(config, SegmentationTask(CLASSES, input_format="rgb_mean_std", seed=5))
    model = squeezenet(CLASSES).eval()
    with torch.no_grad():  # of random weights, predictions differ in the last digits alone
        for parameter in model.head.parameters():
            parameter.mul_(10)
    method.begin(model)
    return method, model


PLAIN = {"colour_probability": 0.0, "blur_probability": 0.0}


def test_a_step_of_dacs_against_a_few_lines() -> None:
    method, model = still(DACS, DACSConfig(threshold=0.9, augmentation=PLAIN))
    source, target = batches()
    twin = copy.deepcopy(model)

    def both(image: torch.Tensor) -> list[torch.Tensor]:
        out = twin(image)
        return [
            F.interpolate(x, SIZE, mode="bilinear", align_corners=True) for x in (out[0], out[1])
        ]

    with torch.no_grad():
        confidence, pseudo = both(target.image)[0].softmax(1).max(1)
    q = (confidence >= 0.9).float().mean()
    assert 0 < float(q) < 1
    present = sorted(set(source.label.flatten().tolist()))
    mask = mixing_mask(source.label, present, Chance(5, 0))
    image = torch.where(mask[:, None], source.image, target.image)
    label = torch.where(mask, source.label.long(), pseudo)
    weight = torch.where(mask, torch.ones(()), q)
    loss = torch.zeros(())
    for factor, clean, other in zip((1.0, 0.1), both(source.image), both(image), strict=True):
        loss = loss + factor * F.cross_entropy(clean, source.label.long())
        loss = loss + factor * (weight * F.cross_entropy(other, label, reduction="none")).mean()
    loss.backward()
    losses = method.step({"model": model}, source, target, lambda x: x.backward())
    assert float(losses["share_sure"]) == pytest.approx(float(q))
    for (name, p), other in zip(model.named_parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(p.grad, other.grad, rtol=1e-4, atol=1e-6, msg=name)


def test_masked_images_are_learned_under_labels_of_whole_ones() -> None:
    config = MICConfig(threshold=0, lambda_feature=0, lambda_mix=0, block=16, augmentation=PLAIN)
    method, model = still(MIC, config)
    source, target = batches()
    twin = copy.deepcopy(model)
    with torch.no_grad():
        pseudo = method.pseudo_labels(target)
    stays = block_mask(2, SIZE, 16, 0.7, Chance(5, 0))
    out = twin(target.image * stays[:, None])
    scores = F.interpolate(out[0], SIZE, mode="bilinear", align_corners=True)
    wanted = F.cross_entropy(scores, pseudo.label.long())
    losses = method.step({"model": model}, source, target, lambda x: None)
    assert float(losses["loss_mask_main"]) == pytest.approx(float(wanted), rel=1e-5)


def test_margins_of_the_target_have_no_weight() -> None:
    method, _ = still(DACS, DACSConfig(threshold=0))
    _, target = batches()
    inside = torch.ones(2, *SIZE, dtype=torch.bool)
    inside[:, -10:] = False
    weight = method.pseudo_labels(target._replace(inside=inside)).weight
    assert torch.equal(weight, inside.float())
