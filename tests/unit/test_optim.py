"""Optimizers against plain SGD, and the schedule by hand."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from networks import resnet, squeezenet
from segadapt.config import DiscriminatorOptimizer, ModelOptimizer
from segadapt.engine.optim import (
    SGD,
    ReleasedSGD,
    RepeatedSGD,
    adam,
    model_optimizer,
    poly_factor,
    set_learning_rate,
)
from segadapt.engine.sharding import load_optimizer
from segadapt.models.segmenter import Segmenter

SETTINGS = {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.05}
REPEATS = (1, 3, 2)


def parameters() -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(0)
    return [nn.Parameter(torch.randn(4, generator=generator).double()) for _ in REPEATS]


def fill_gradients(values: list[nn.Parameter], step: int) -> None:
    generator = torch.Generator().manual_seed(100 + step)
    for p in values:
        p.grad = torch.randn(4, generator=generator).double()


def test_repeated_sgd_equals_plain_sgd_applied_so_often() -> None:
    ours, plain = parameters(), parameters()
    repeated = RepeatedSGD(
        [{"params": [p], "repeats": k} for p, k in zip(ours, REPEATS, strict=True)], **SETTINGS
    )
    single = [torch.optim.SGD([p], **SETTINGS) for p in plain]
    for step in range(4):
        fill_gradients(ours, step)
        fill_gradients(plain, step)
        repeated.step()
        for optimizer, k in zip(single, REPEATS, strict=True):
            for _ in range(k):
                optimizer.step()
        assert len(repeated.param_groups) == len(REPEATS)
    for a, b in zip(ours, plain, strict=True):
        assert torch.allclose(a, b, rtol=0, atol=1e-14)


def sgd_of_pytorch_0_4_1(p: Tensor, gradient: Tensor, buffer: Tensor | None) -> Tensor:
    """One update as its ``torch/optim/sgd.py`` has it: everything in place; the new buffer."""
    gradient.add_(p, alpha=SETTINGS["weight_decay"])
    buffer = (torch.zeros_like(p) if buffer is None else buffer).mul_(SETTINGS["momentum"])
    buffer.add_(gradient)
    p.add_(buffer, alpha=-SETTINGS["lr"])
    return buffer


@pytest.mark.parametrize("times", [1, 2, 3, 4])
def test_released_updates_are_those_of_pytorch_0_4_1_with_a_parameter_listed_so_often(
    times: int,
) -> None:
    generator = torch.Generator().manual_seed(times)
    start = torch.randn(5, generator=generator).double()
    ours, theirs, buffer = nn.Parameter(start.clone()), start.clone(), None
    optimizer = ReleasedSGD([{"params": [ours], "repeats": times}], **SETTINGS)
    for _ in range(3):
        gradient = torch.randn(5, generator=generator).double()
        ours.grad = gradient.clone()
        optimizer.step()
        kept = gradient.clone()
        for _ in range(times):
            buffer = sgd_of_pytorch_0_4_1(theirs, kept, buffer)
        assert torch.allclose(ours.detach(), theirs, rtol=0, atol=1e-14)
        assert optimizer.param_groups[0]["weight_decay"] == SETTINGS["weight_decay"]


def test_released_decays_by_hand() -> None:
    """Without momentum and gradient, at rate 1."""
    p = nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    optimizer = ReleasedSGD([{"params": [p], "repeats": 2}], lr=1.0, weight_decay=0.1)
    p.grad = torch.zeros_like(p)
    optimizer.step()
    # 1 - 0.1 = 0.9; the gradient is then 0.1 + 0.09: 0.9 - 0.19
    assert float(p.detach()) == pytest.approx(0.71, abs=1e-12)


@pytest.mark.parametrize(
    ("setting", "kind"),
    [(False, SGD), (True, RepeatedSGD), ("released", ReleasedSGD)],
)
def test_setting_chooses_the_updates(setting: bool | str, kind: type) -> None:
    optimizer = model_optimizer(tiny_resnet(), ModelOptimizer(repeated_updates=setting))
    assert type(optimizer) is kind
    several = max(group["repeats"] for group in optimizer.param_groups) > 1
    assert several == bool(setting)


def test_repeated_sgd_by_hand() -> None:
    p = nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    optimizer = RepeatedSGD([{"params": [p], "repeats": 2}], lr=0.1, momentum=0.5)
    p.grad = torch.ones_like(p)
    optimizer.step()
    # velocity 1, then 0.5 + 1: 1 - 0.1 - 0.15
    assert float(p.detach()) == pytest.approx(0.75, abs=1e-12)


def test_repeated_sgd_goes_on_from_its_saved_state() -> None:
    def make() -> tuple[list[nn.Parameter], RepeatedSGD]:
        values = parameters()
        groups = [{"params": [p], "repeats": k} for p, k in zip(values, REPEATS, strict=True)]
        return values, RepeatedSGD(groups, **SETTINGS)

    straight, optimizer = make()
    for step in range(3):
        fill_gradients(straight, step)
        optimizer.step()
        if step == 1:
            saved = optimizer.state_dict()
            halfway = [p.detach().clone() for p in straight]
            saved = torch.utils._pytree.tree_map(
                lambda x: x.clone() if isinstance(x, torch.Tensor) else x, saved
            )
    resumed, optimizer = make()
    optimizer.load_state_dict(saved)
    for p, value in zip(resumed, halfway, strict=True):
        p.data.copy_(value)
    fill_gradients(resumed, 2)
    optimizer.step()
    assert all(torch.equal(a, b) for a, b in zip(straight, resumed, strict=True))


@pytest.mark.parametrize(
    ("iteration", "total", "power", "factor"),
    [
        (0, 100, 0.9, 1.0),
        (50, 100, 1.0, 0.5),
        (75, 100, 0.5, 0.5),
        (99, 100, 2.0, 0.0001),
        (100, 100, 0.9, 0.0),
        (130, 100, 0.9, 0.0),
        (30, 100, 0.0, 1.0),
    ],
)
def test_poly_factor(iteration: int, total: int, power: float, factor: float) -> None:
    assert poly_factor(iteration, total, power) == pytest.approx(factor)


def tiny_resnet() -> Segmenter:
    with torch.device("meta"):
        return resnet("resnet50", 3, blocks=(1, 2, 1, 1))


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_trunk_and_classifiers_have_their_rates(name: str) -> None:
    with torch.device("meta"):
        model = squeezenet(3)
    config = ModelOptimizer(name=name, lr=0.02, classifier_factor=5.0, weight_decay=0.125)
    optimizer = model_optimizer(model, config)
    rates = {id(p): g["base_lr"] for g in optimizer.param_groups for p in g["params"]}
    assert sum(len(g["params"]) for g in optimizer.param_groups) == len(rates)
    assert rates.keys() == {id(p) for p in model.parameters() if p.requires_grad}
    for key, parameter in model.named_parameters():
        wanted = 0.1 if key.startswith("head.") else 0.02
        assert rates[id(parameter)] == pytest.approx(wanted), key
    assert all(g["weight_decay"] == 0.125 for g in optimizer.param_groups)
    set_learning_rate([optimizer], 0.5)
    assert [g["lr"] for g in optimizer.param_groups] == pytest.approx([0.01, 0.05])
    set_learning_rate([optimizer], 0.25)
    assert [g["lr"] for g in optimizer.param_groups] == pytest.approx([0.005, 0.025])


def test_batch_norm_scale_and_shift_are_in_no_group() -> None:
    model = tiny_resnet()
    optimizer = model_optimizer(model, ModelOptimizer())
    held = {id(p) for g in optimizer.param_groups for p in g["params"]}
    assert held == {id(p) for p in model.parameters() if p.requires_grad}
    assert len(held) < len(list(model.parameters()))


def test_repeated_updates_count_as_the_released_walk_over_nested_modules_does() -> None:
    """ADVENT's list of trunk weights: for every module of every part, all of its parameters."""
    model = tiny_resnet()
    times: dict[int, int] = {}
    for part in model.trunk.children():
        for module in part.modules():
            for parameter in module.parameters():
                if parameter.requires_grad:
                    times[id(parameter)] = times.get(id(parameter), 0) + 1
    for head in (model.head.aux, model.head.main):
        times |= {id(p): 1 for p in head.parameters()}
    optimizer = model_optimizer(model, ModelOptimizer(repeated_updates=True))
    assert isinstance(optimizer, RepeatedSGD)
    found = {id(p): g["repeats"] for g in optimizer.param_groups for p in g["params"]}
    assert found == times
    assert max(times.values()) == 4 and min(times.values()) == 1


def test_discriminator_optimizer_is_adam_with_its_settings() -> None:
    network = nn.Conv2d(1, 1, 1)
    config = DiscriminatorOptimizer(lr=0.25, betas=(0.5, 0.75))
    optimizer = adam(network, config)
    assert isinstance(optimizer, torch.optim.Adam)
    (group,) = optimizer.param_groups
    assert (group["lr"], group["base_lr"], tuple(group["betas"])) == (0.25, 0.25, (0.5, 0.75))
    assert group["weight_decay"] == 0
    set_learning_rate([optimizer], 0.1)
    assert group["lr"] == pytest.approx(0.025)


# Fused updates ---------------------------------------------------------------------------------


def nets_in_both_layouts() -> list[nn.Module]:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 5, 1), nn.Flatten(), nn.Linear(80, 2))
    copies = [copy.deepcopy(net) for _ in range(2)]
    return [x.to(memory_format=torch.channels_last) for x in copies]  # type: ignore[call-overload]


@pytest.mark.parametrize("name", ["sgd", "adamw", "adam"])
def test_fused_updates_are_those_of_the_loop(name: str) -> None:
    kinds = {
        "sgd": lambda ps, fused: torch.optim.SGD(ps, lr=0.1, momentum=0.9, fused=fused),
        "adamw": lambda ps, fused: torch.optim.AdamW(ps, lr=0.1, fused=fused),
        "adam": lambda ps, fused: torch.optim.Adam(ps, lr=0.1, fused=fused),
    }
    nets = nets_in_both_layouts()
    optimizers = [
        kinds[name](net.parameters(), fused) for net, fused in zip(nets, (True, False), strict=True)
    ]
    for step in range(3):
        image = torch.randn(2, 3, 6, 6, generator=torch.Generator().manual_seed(step))
        for net, optimizer in zip(nets, optimizers, strict=True):
            optimizer.zero_grad()
            net(image).square().sum().backward()
            net(image).sum().backward()  # a second term is added to the first's gradients
            optimizer.step()
    for one, other in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def test_moments_that_were_saved_contiguous_lie_as_their_weights() -> None:
    first, second = nets_in_both_layouts()
    going, resumed = (adam(x, DiscriminatorOptimizer(lr=0.1)) for x in (first, second))
    image = torch.randn(2, 3, 6, 6)
    first(image).sum().backward()
    going.step()
    second.load_state_dict(first.state_dict())
    saved = copy.deepcopy(going.state_dict())
    for entry in saved["state"].values():
        entry |= {name: value.contiguous() for name, value in entry.items()}
    load_optimizer(resumed, saved)
    for net, optimizer in ((first, going), (second, resumed)):
        optimizer.zero_grad()
        net(image).square().sum().backward()
        optimizer.step()
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)


def test_optimizers_are_fused() -> None:
    net = squeezenet(3)
    for settings in ({}, {"name": "adamw"}, {"repeated_updates": True}):
        optimizer = model_optimizer(net, ModelOptimizer.model_validate(settings))
        assert all(group["fused"] for group in optimizer.param_groups)


def test_a_state_of_shared_weights_goes_on_fused_and_the_other_way_round() -> None:
    net = nets_in_both_layouts()[0]
    for fused in (True, False):
        saved = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, fused=not fused)
        mine = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, fused=fused)
        load_optimizer(mine, saved.state_dict())
        assert all(group["fused"] is fused for group in mine.param_groups)


@pytest.mark.parametrize("fused", [True, False])
def test_gradients_may_begin_late(fused: bool) -> None:
    ours, plain = (parameters() for _ in range(2))
    optimizers = (
        SGD(ours, **SETTINGS, fused=fused),
        torch.optim.SGD(plain, **SETTINGS, fused=False),
    )
    for step in range(3):
        for values, optimizer in zip((ours, plain), optimizers, strict=True):
            fill_gradients(values, step)
            if step < 2:
                values[-1].grad = None
            optimizer.step()
    for a, b in zip(ours, plain, strict=True):
        assert torch.allclose(a, b, rtol=0, atol=1e-14)


def test_a_released_step_without_gradients_does_nothing() -> None:
    (value, *_) = parameters()
    before = value.detach().clone()
    ReleasedSGD([{"params": [value], "repeats": 2}], **SETTINGS, fused=True).step()
    assert torch.equal(value, before)
