"""What every adaptation method promises to the engine. No method is named here."""

from __future__ import annotations

import ast
import inspect
import sys
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

import segadapt.methods
from segadapt.batch import LabelledBatch, UnlabelledBatch
from segadapt.config import Heads
from segadapt.methods.base import Method, find_method, method_names
from segadapt.models.squeezenet import SqueezeNetSegmenter
from segadapt.section import Section
from segadapt.tasks.segmentation import SegmentationTask

CLASSES, SIDE = 5, 64
NAMES = method_names()
METHODS_FOLDER = Path(segadapt.methods.__file__).parent

pytestmark = pytest.mark.parametrize("name", NAMES)


def build(
    name: str, heads: Heads = "multi_level", seed: int = 0
) -> tuple[Method, dict[str, nn.Module]]:
    torch.manual_seed(seed)
    kind = find_method(name)
    narrow = {"discriminator_width": 4} if "discriminator_width" in kind.Config.model_fields else {}
    if "confident_above" in kind.Config.model_fields:  # else chance decides whether a step is taken
        narrow["confident_above"] = 0
    method = kind(kind.Config(**narrow), SegmentationTask(CLASSES))
    if kind.needs_two_classifiers and heads != "sum":
        heads = "ancillary"
    model = SqueezeNetSegmenter("squeezenet1_0", CLASSES, heads).train()
    levels = ["main", "aux"] if heads == "multi_level" else ["main"]
    method.begin(model)
    return method, {"model": model, **method.extra_networks(levels)}


def batches(method: Method, seed: int = 1) -> tuple[LabelledBatch, UnlabelledBatch | None]:
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(2, 2, 3, SIDE, SIDE, generator=generator)
    label = torch.randint(0, CLASSES, (2, SIDE, SIDE), generator=generator, dtype=torch.uint8)
    label[:, :4] = 255
    target = UnlabelledBatch(images[1]) if method.uses_target else None
    index = torch.rand(label.shape, generator=generator) if method.uses_domain_index else None
    return LabelledBatch(images[0], label, index), target


def run(method: Method, nets: dict[str, nn.Module]) -> dict[str, Tensor]:
    source, target = batches(method)
    return method.step(nets, source, target, lambda loss: loss.backward())


def gradients(network: nn.Module) -> dict[str, Tensor]:
    return {key: p.grad.clone() for key, p in network.named_parameters() if p.grad is not None}


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


def test_config_is_a_frozen_section_with_defaults(name: str) -> None:
    kind = find_method(name)
    assert issubclass(kind.Config, Section)
    config = kind.Config()
    field = next(iter(type(config).model_fields))
    with pytest.raises(ValidationError):
        setattr(config, field, getattr(config, field))


def test_config_refuses_unknown_keys(name: str) -> None:
    with pytest.raises(ValidationError, match=r"no_such_setting"):
        find_method(name).Config(no_such_setting=1)


def test_step_calls_backward_and_returns_finite_detached_losses(name: str) -> None:
    method, nets = build(name)
    source, target = batches(method)
    terms: list[Tensor] = []

    def backward(loss: Tensor) -> None:
        terms.append(loss.detach())
        loss.backward()

    losses = method.step(nets, source, target, backward)
    assert terms
    assert all(term.ndim == 0 and torch.isfinite(term) for term in terms)
    assert losses
    for key, loss in losses.items():
        assert key.startswith("loss_")
        assert not loss.requires_grad
        assert loss.ndim == 0 and torch.isfinite(loss), key


def test_gradients_reach_every_parameter_of_the_model(name: str) -> None:
    method, nets = build(name)
    run(method, nets)
    for key, parameter in nets["model"].named_parameters():
        assert parameter.grad is not None, key
        assert torch.isfinite(parameter.grad).all(), key
    assert sum(float(p.grad.abs().sum()) for p in nets["model"].parameters()) > 0


def test_extra_networks_learn_from_their_own_losses_only(name: str) -> None:
    method, nets = build(name)
    source, target = batches(method)
    extra = [key for key in nets if key != "model"]
    reached = set()

    def backward(loss: Tensor) -> None:
        before = {key: gradients(net) for key, net in nets.items()}
        loss.backward()
        changed = {key for key, net in nets.items() if not same(before[key], gradients(net))}
        assert changed, "a term that trains nothing"
        if "model" in changed:
            assert changed == {"model"}
        reached.update(changed)

    method.step(nets, source, target, backward)
    assert reached == {"model", *extra}


def test_step_leaves_weights_and_inputs_as_they_are(name: str) -> None:
    method, nets = build(name)
    source, target = batches(method)
    before = {k: p.detach().clone() for k, p in nn.ModuleDict(nets).named_parameters()}
    tensors = [x for x in (*source, *(target or ())) if x is not None]
    copies = [x.clone() for x in tensors]
    method.step(nets, source, target, lambda loss: loss.backward())
    assert same(before, {k: p.detach() for k, p in nn.ModuleDict(nets).named_parameters()})
    assert all(torch.equal(a, b) for a, b in zip(copies, tensors, strict=True))
    assert all(p.requires_grad for p in nn.ModuleDict(nets).parameters())


@pytest.mark.parametrize("heads", ["single", "sum"])
def test_a_model_of_one_level_works(name: str, heads: Heads) -> None:
    method, nets = build(name, heads)
    losses = run(method, nets)
    assert losses and not any("aux" in key for key in (*losses, *nets))
    assert all(torch.isfinite(loss) for loss in losses.values())
    assert gradients(nets["model"])


def test_target_may_be_none_exactly_where_it_is_not_used(name: str) -> None:
    method, nets = build(name)
    source, _ = batches(method)
    if method.uses_target:
        with pytest.raises(Exception):  # noqa: B017
            method.step(nets, source, None, lambda loss: loss.backward())
    else:
        assert method.step(nets, source, None, lambda loss: loss.backward())


def test_target_changes_the_gradients_where_it_is_used(name: str) -> None:
    found = []
    for seed in (1, 2):
        method, nets = build(name)
        source, _ = batches(method, seed=1)
        target = UnlabelledBatch(batches(method, seed)[0].image.flip(0) * seed)
        method.step(nets, source, target, lambda loss: loss.backward())
        found.append(gradients(nets["model"]))
    assert same(*found) != find_method(name).uses_target


def test_class_prior_is_a_term_of_its_own_where_it_is_offered(name: str) -> None:
    kind = find_method(name)
    if "class_prior" not in kind.Config.model_fields:
        return
    found, losses = [], []
    for lambda_cp in (0.0, 0.5):
        torch.manual_seed(0)
        narrow = {k: 4 for k in ("discriminator_width",) if k in kind.Config.model_fields}
        weights = {"lambda_cp": {"main": lambda_cp, "aux": 0.0}, "mu": 1.0}
        # The last class alone: no prediction of five classes has a share of one.
        task = SegmentationTask(CLASSES, class_prior=(0.0,) * (CLASSES - 1) + (1.0,))
        method = kind(kind.Config(class_prior=weights, **narrow), task)
        model = SqueezeNetSegmenter("squeezenet1_0", CLASSES).train()
        nets = {"model": model, **method.extra_networks(["main", "aux"])}
        losses.append(run(method, nets))
        found.append(gradients(nets["model"]))
    assert 0 < float(losses[0]["loss_cp_main"]) < 1
    assert losses[0].keys() == losses[1].keys()
    assert not torch.equal(
        found[0]["layer6.conv2d_list.0.weight"], found[1]["layer6.conv2d_list.0.weight"]
    )
    assert same(
        {k: v for k, v in found[0].items() if k.startswith("layer5")},
        {k: v for k, v in found[1].items() if k.startswith("layer5")},
    )


def test_bf16_autocast_works_and_losses_stay_float32(name: str) -> None:
    method, nets = build(name)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = run(method, nets)
    assert all(torch.isfinite(p.grad).all() for p in nets["model"].parameters())
    full = run(*build(name))
    assert mixed.keys() == full.keys()
    for key, loss in full.items():
        assert mixed[key].dtype == torch.float32
        # bf16 keeps 8 bits, so a deviation of a few per cent is rounding and more is an error.
        assert float(mixed[key]) == pytest.approx(float(loss), rel=0.05, abs=0.02), key


def test_same_seed_gives_same_losses_and_gradients(name: str) -> None:
    losses, found = [], []
    for _ in range(2):
        method, nets = build(name)
        losses.append(run(method, nets))
        found.append(gradients(nn.ModuleDict(nets)))
    assert same(*losses)
    assert same(*found)


def test_file_imports_neither_engine_nor_lightning(name: str) -> None:
    assert Path(inspect.getfile(find_method(name))).parent == METHODS_FOLDER
    for path in (METHODS_FOLDER / f"{name}.py", METHODS_FOLDER / "base.py"):
        imported = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}: relative import hides where it goes"
                imported.update({node.module} | {f"{node.module}.{a.name}" for a in node.names})
        assert imported
        for module in imported:
            assert not module.startswith(("lightning", "pytorch_lightning", "segadapt.engine"))


def test_file_has_a_module_docstring_that_names_its_paper(name: str) -> None:
    find_method(name)
    assert sys.modules[f"segadapt.methods.{name}"].__doc__
