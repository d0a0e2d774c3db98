"""CycleGAN's losses by hand, its step against the published order of updates, and its memory."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping

import pytest
import torch
from torch import Tensor, nn

from networks import squeezenet
from segadapt.base.batch import LabelledBatch, UnlabelledBatch
from segadapt.losses.translation import cycle_loss, realness_loss
from segadapt.models.frozen import without_gradient
from segadapt.models.segmenter import Segmenter
from segadapt.stages.train_translator.config import TrainTranslatorStage
from segadapt.tasks.segmentation import SegmentationTask
from segadapt.translation.cyclegan import CycleGAN
from segadapt.translation.image_pool import ImagePool
from segadapt.translation.semantics import SemanticJudge

SIDE = 32


def config(**settings: object) -> TrainTranslatorStage:
    if "semantic_answer" in settings or "lambda_sem" in settings:
        settings["segmenter"] = "s.checkpoint"
    small = {"generator": {"width": 4, "blocks": 1}, "discriminator_width": 4, "pool": 2}
    values = {"stage": "train_translator", "source": "s", "target": "t", "iterations": 1}
    return TrainTranslatorStage(**{**values, **small, **settings})  # type: ignore[arg-type]


def build(
    settings: TrainTranslatorStage, judge: SemanticJudge | None = None
) -> tuple[CycleGAN, dict[str, nn.Module]]:
    torch.manual_seed(0)
    cyclegan = CycleGAN(settings, ((3, SIDE, SIDE), (3, SIDE, SIDE)), 5, judge)
    return cyclegan, cyclegan.networks()


def images(seed: int, number: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(number, 3, SIDE, SIDE, generator=generator) * 2 - 1


# Losses ----------------------------------------------------------------------------------------


def test_log_loss_by_hand() -> None:
    logit = torch.tensor([0.25, 0.8], dtype=torch.float64).logit()
    real = -(math.log(0.25) + math.log(0.8)) / 2
    made = -(math.log(0.75) + math.log(0.2)) / 2
    assert float(realness_loss(logit, True, "log")) == pytest.approx(real)
    assert float(realness_loss(logit, False, "log")) == pytest.approx(made)


def test_least_squares_loss_by_hand() -> None:
    logit = torch.tensor([0.5, 3.0])
    assert float(realness_loss(logit, True, "least_squares")) == pytest.approx((0.25 + 4) / 2)
    assert float(realness_loss(logit, False, "least_squares")) == pytest.approx((0.25 + 9) / 2)


def test_cycle_loss_by_hand() -> None:
    assert float(cycle_loss(torch.tensor([0.5, -1.0]), torch.tensor([0.0, 1.0]))) == 1.25


class Scale(nn.Module):
    """Multiplies by one number."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor


def test_all_terms_of_a_step_by_hand() -> None:
    cyclegan = CycleGAN(
        config(lambda_cycle=10.0, lambda_identity=5.0, pool=0), ((3, 1, 1), (3, 1, 1)), 0
    )
    nets = {
        "to_target": Scale(0.5),
        "to_source": Scale(4.0),
        "real_target": Scale(2.0),
        "real_source": Scale(3.0),
    }
    source, target = torch.full((1, 3, 1, 1), 0.2), torch.full((1, 3, 1, 1), 0.1)
    terms: list[float] = []
    losses = cyclegan.step(
        nets, UnlabelledBatch(source), UnlabelledBatch(target), lambda x: terms.append(x.item())
    )
    # G(x_s) = 0.1, F(G(x_s)) = 0.4; F(x_t) = 0.4, G(F(x_t)) = 0.2; F(x_s) = 0.8, G(x_t) = 0.05
    by_hand = {
        "loss_gan_target": (2 * 0.1 - 1) ** 2,
        "loss_cycle_source": 0.4 - 0.2,
        "loss_identity_source": 0.8 - 0.2,
        "loss_gan_source": (3 * 0.4 - 1) ** 2,
        "loss_cycle_target": 0.2 - 0.1,
        "loss_identity_target": 0.1 - 0.05,
        "loss_d_target": ((2 * 0.1 - 1) ** 2 + (2 * 0.1) ** 2) / 2,
        "loss_d_source": ((3 * 0.2 - 1) ** 2 + (3 * 0.4) ** 2) / 2,
    }
    assert {k: float(v) for k, v in losses.items()} == pytest.approx(by_hand)
    total = sum(by_hand[f"loss_gan_{x}"] for x in ("source", "target"))
    total += sum(10 * by_hand[f"loss_cycle_{x}"] for x in ("source", "target"))
    total += sum(5 * by_hand[f"loss_identity_{x}"] for x in ("source", "target"))
    total += by_hand["loss_d_target"] + by_hand["loss_d_source"]
    assert sum(terms) == pytest.approx(total)


# Semantic consistency ----------------------------------------------------------------------------


def judge(seed: int = 3) -> tuple[SemanticJudge, Segmenter]:
    torch.manual_seed(seed)
    model = squeezenet(5, "single")
    return SemanticJudge(model, "bgr_mean", SegmentationTask(5)), model


def test_semantic_loss_is_cross_entropy_of_the_segmenter_on_its_own_input() -> None:
    found, model = judge()
    pixels = torch.randint(0, 256, (1, SIDE, SIDE, 3), dtype=torch.uint8)
    label = torch.randint(0, 5, (1, SIDE, SIDE))
    label[:, :3] = 255
    # BGR 0..255 less the mean, written out once more.
    fed = pixels.flip(3).permute(0, 3, 1, 2) - torch.tensor(
        [104.00698793, 116.66876762, 122.67891434]
    ).view(1, 3, 1, 1)
    logit = nn.functional.interpolate(
        model(fed).main, size=(SIDE, SIDE), mode="bilinear", align_corners=True
    )
    expected = nn.functional.cross_entropy(logit, label, ignore_index=255)
    image = pixels.permute(0, 3, 1, 2) / 127.5 - 1
    torch.testing.assert_close(found.loss(image, label), expected, rtol=1e-4, atol=1e-5)
    assert torch.equal(found.answer(image), logit.argmax(dim=1))


@pytest.mark.parametrize(
    ("answer", "terms"),
    [("labels", {"loss_sem_target"}), ("predictions", {"loss_sem_target", "loss_sem_source"})],
)
def test_semantic_loss_reaches_generators_and_leaves_the_segmenter(
    answer: str, terms: set[str]
) -> None:
    found, model = judge()
    # Nothing but the semantic term is left to train the generators.
    cyclegan, nets = build(config(lambda_cycle=0.0, lambda_sem=2.0, semantic_answer=answer), found)
    for name in ("real_target", "real_source"):
        nn.init.zeros_(nets[name][-1].weight)  # type: ignore[index]
    label = torch.zeros(1, SIDE, SIDE, dtype=torch.long)
    source = LabelledBatch(images(1), label)
    losses = cyclegan.step(nets, source, UnlabelledBatch(images(2)), lambda x: x.backward())
    assert {k for k in losses if "sem" in k} == terms
    assert any(p.grad is not None and p.grad.any() for p in nets["to_target"].parameters())
    reached = any(p.grad is not None and p.grad.any() for p in nets["to_source"].parameters())
    assert reached == (answer == "predictions")
    assert all(p.grad is None for p in model.parameters())
    assert not any("judge" in key for key in cyclegan.state_dict())


def test_labels_are_the_answer_of_the_source_alone() -> None:
    found, _ = judge()
    cyclegan, nets = build(config(), found)
    label = torch.full((1, SIDE, SIDE), 2)
    losses = cyclegan.step(
        nets,
        LabelledBatch(images(1), label),
        UnlabelledBatch(images(2)),
        lambda x: None,
    )
    with torch.no_grad():
        expected = found.loss(nets["to_target"](images(1)), label)
    torch.testing.assert_close(losses["loss_sem_target"], expected)


# The step ----------------------------------------------------------------------------------------


def published_iteration(
    nets: Mapping[str, nn.Module],
    optimizers: Mapping[str, torch.optim.Optimizer],
    source: Tensor,
    target: Tensor,
    settings: TrainTranslatorStage,
) -> None:
    """The order of the published program: generators first, then each discriminator."""
    made_target, made_source = nets["to_target"](source), nets["to_source"](target)
    loss = (
        ((nets["real_target"](made_target) - 1) ** 2).mean()
        + ((nets["real_source"](made_source) - 1) ** 2).mean()
        + settings.lambda_cycle * (nets["to_source"](made_target) - source).abs().mean()
        + settings.lambda_cycle * (nets["to_target"](made_source) - target).abs().mean()
        + settings.lambda_identity * (nets["to_target"](target) - target).abs().mean()
        + settings.lambda_identity * (nets["to_source"](source) - source).abs().mean()
    )
    for optimizer in optimizers.values():
        optimizer.zero_grad()
    loss.backward()
    optimizers["to_target"].step()
    optimizers["to_source"].step()
    for name, real, made in (("target", target, made_target), ("source", source, made_source)):
        judge_net = nets[f"real_{name}"]
        optimizers[f"real_{name}"].zero_grad()
        on_real = ((judge_net(real) - 1) ** 2).mean()
        on_made = (judge_net(made.detach()) ** 2).mean()
        ((on_real + on_made) / 2).backward()
        optimizers[f"real_{name}"].step()


def test_updating_all_at_once_equals_the_published_order() -> None:
    settings = config(lambda_identity=5.0, pool=0)
    cyclegan, nets = build(settings)
    expected = copy.deepcopy(nets)

    # Plain descent: Adam would blow the rounding errors of vanishing gradients up to full steps.
    def descents(networks: Mapping[str, nn.Module]) -> dict[str, torch.optim.Optimizer]:
        return {k: torch.optim.SGD(n.parameters(), 0.01) for k, n in networks.items()}

    before = copy.deepcopy(nets)
    ours, theirs = descents(nets), descents(expected)
    for seed in range(3):
        source, target = images(seed), images(10 + seed)
        for optimizer in ours.values():
            optimizer.zero_grad()
        batches = UnlabelledBatch(source), UnlabelledBatch(target)
        cyclegan.step(nets, *batches, lambda x: x.backward())
        for optimizer in ours.values():
            optimizer.step()
        published_iteration(expected, theirs, source, target, settings)
        for name, network in nets.items():
            for key, value in network.state_dict().items():
                other = expected[name].state_dict()[key]
                torch.testing.assert_close(value, other, rtol=0, atol=1e-6)
            # From one state again: rounding that puts a pixel on the other side of a ReLU in the
            # next step moves weights by 1e-4.
            expected[name].load_state_dict(network.state_dict())
    for name, network in nets.items():
        moved = nn.utils.parameters_to_vector(network.parameters())
        moved = moved - nn.utils.parameters_to_vector(before[name].parameters())
        assert moved.abs().max().item() > 1e-3, name


def test_generators_and_discriminators_learn_from_their_own_losses() -> None:
    cyclegan, nets = build(config(lambda_identity=1.0))
    kinds: list[set[str]] = []

    def backward(loss: Tensor) -> None:
        before = {k: [_copy(p.grad) for p in n.parameters()] for k, n in nets.items()}
        loss.backward()
        changed = {
            k
            for k, n in nets.items()
            if any(not _same(a, p.grad) for a, p in zip(before[k], n.parameters(), strict=True))
        }
        kinds.append({"generator" if k.startswith("to_") else k for k in changed})

    cyclegan.step(nets, UnlabelledBatch(images(1)), UnlabelledBatch(images(2)), backward)
    assert kinds == [{"generator"}] * 4 + [{"real_target"}] * 2 + [{"real_source"}] * 2


def _copy(value: Tensor | None) -> Tensor | None:
    return None if value is None else value.clone()


def _same(first: Tensor | None, second: Tensor | None) -> bool:
    if first is None or second is None:
        return first is second
    return torch.equal(first, second)


def test_without_gradient_passes_gradients_to_the_image_alone() -> None:
    network = nn.Conv2d(3, 1, 1)
    image = images(0).requires_grad_()
    without_gradient(network, image).sum().backward()
    assert image.grad is not None and image.grad.any()
    assert all(p.grad is None for p in network.parameters())


# Image pool --------------------------------------------------------------------------------------


def numbered(*numbers: int) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float32).view(-1, 1, 1, 1)


def test_pool_hands_back_what_comes_until_it_is_full() -> None:
    pool = ImagePool(3, (1, 1, 1), seed=0)
    assert pool.exchange(numbered(1, 2)).flatten().tolist() == [1, 2]
    assert pool.exchange(numbered(3)).flatten().tolist() == [3]
    assert pool.images.flatten().tolist() == [1, 2, 3]


def test_full_pool_exchanges_every_other_image_for_an_older_one() -> None:
    pool = ImagePool(10, (1, 1, 1), seed=1)
    given = [float(pool.exchange(numbered(i))) for i in range(2010)]
    older = [i - g for i, g in enumerate(given[10:], start=10) if g != i]
    assert 0.45 < len(older) / 2000 < 0.55
    assert min(older) >= 1 and len(set(given[10:])) == 2000, "each comes back once at most"
    # One of ten is exchanged every other time, so they stay for twenty images on the average.
    assert 15 < sum(older[200:]) / len(older[200:]) < 25


def test_pool_without_room_hands_everything_back() -> None:
    pool = ImagePool(0, (1, 1, 1), seed=0)
    assert pool.exchange(numbered(4, 5)).flatten().tolist() == [4, 5]


def test_pool_goes_on_from_its_saved_state_whatever_the_batches() -> None:
    one, other = ImagePool(4, (1, 1, 1), seed=2), ImagePool(4, (1, 1, 1), seed=2)
    given = [float(one.exchange(numbered(i))) for i in range(30)]
    first = other.exchange(numbered(*range(13))).flatten().tolist()
    resumed = ImagePool(4, (1, 1, 1), seed=2)
    resumed.load_state_dict(other.state_dict())
    rest = resumed.exchange(numbered(*range(13, 30))).flatten().tolist()
    assert first + rest == given
