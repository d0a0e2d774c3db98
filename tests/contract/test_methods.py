"""What every adaptation method promises to the engine. No method is named here."""

from __future__ import annotations

import ast
import inspect
import itertools
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

import segadapt.methods
from networks import squeezenet
from segadapt.base.batch import LabelledBatch, UnlabelledBatch
from segadapt.base.parts import METHODS
from segadapt.base.section import Section
from segadapt.methods.base import Method, TrainingFacts, find_method, method_names
from segadapt.tasks.segmentation import SegmentationTask

CLASSES, SIDE = 5, 64
NAMED = ("road", "sky", "person", "car", "building")
NAMES = method_names()
METHODS_FOLDER = Path(segadapt.methods.__file__).parent

pytestmark = pytest.mark.parametrize("name", NAMES)


PLAIN = TrainingFacts(
    method="it",
    source="source",
    target="target",
    start_from="first.checkpoint",
    class_prior=None,
    jitter=False,
    domain_index=False,
    whole_images=False,
    boxes=False,
    heads="multi_level",
    sums_two=False,
    mask_token=False,
    one_size=True,
    two_resolutions=False,
)


def suiting(name: str) -> TrainingFacts:
    """A training that suits the method; its own ``check`` says which does."""
    kind = find_method(name)
    method = kind(kind.Config(), SegmentationTask(CLASSES, class_names=NAMED))
    for target, index, whole, sums in itertools.product(
        ("target", None), (False, True), (False, True), (False, True)
    ):
        training = replace(
            PLAIN, target=target, domain_index=index, whole_images=whole, sums_two=sums
        )
        if method.check(training) is None:
            return training
    pytest.fail(f"{name} suits no training")


def build(
    name: str, heads: str = "multi_level", seed: int = 0
) -> tuple[Method, dict[str, nn.Module]]:
    torch.manual_seed(seed)
    kind = find_method(name)
    narrow = {"discriminator_width": 4} if "discriminator_width" in kind.Config.model_fields else {}
    if "threshold" in kind.Config.model_fields:  # a teacher that knows nothing is sure of nothing
        narrow["threshold"] = 0
    if "confident_above" in kind.Config.model_fields:  # else chance decides whether a step is taken
        narrow["confident_above"] = 0
    method = kind(kind.Config(**narrow), SegmentationTask(CLASSES, class_names=NAMED))
    if suiting(name).sums_two and heads != "sum":
        heads = "ancillary"
    model = squeezenet(CLASSES, heads).train()
    method.begin(model)
    return method, {"model": model, **method.extra_networks(model.head.level_names)}


def batches(name: str, seed: int = 1) -> tuple[LabelledBatch, UnlabelledBatch | None]:
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(2, 2, 3, SIDE, SIDE, generator=generator)
    label = torch.randint(0, CLASSES, (2, SIDE, SIDE), generator=generator, dtype=torch.uint8)
    label[:, :4] = 255
    training = suiting(name)
    target = UnlabelledBatch(images[1]) if training.target else None
    index = torch.rand(label.shape, generator=generator) if training.domain_index else None
    return LabelledBatch(images[0], label, index), target


def run(name: str, method: Method, nets: dict[str, nn.Module]) -> dict[str, Tensor]:
    source, target = batches(name)
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


def test_settings_are_known_without_the_class(name: str) -> None:
    assert METHODS.settings(name) is find_method(name).Config


def test_config_refuses_unknown_keys(name: str) -> None:
    with pytest.raises(ValidationError, match=r"no_such_setting"):
        find_method(name).Config(no_such_setting=1)


def test_step_calls_backward_and_returns_finite_detached_losses(name: str) -> None:
    method, nets = build(name)
    source, target = batches(name)
    terms: list[Tensor] = []

    def backward(loss: Tensor) -> None:
        terms.append(loss.detach())
        loss.backward()

    losses = method.step(nets, source, target, backward)
    assert terms
    assert all(term.ndim == 0 and torch.isfinite(term) for term in terms)
    assert losses
    for key, loss in losses.items():
        assert key.startswith(("loss_", "share_"))
        assert not loss.requires_grad
        assert loss.ndim == 0 and torch.isfinite(loss), key


def test_gradients_reach_every_parameter_of_the_model(name: str) -> None:
    method, nets = build(name)
    run(name, method, nets)
    for key, parameter in nets["model"].named_parameters():
        assert parameter.grad is not None, key
        assert torch.isfinite(parameter.grad).all(), key
    assert sum(float(p.grad.abs().sum()) for p in nets["model"].parameters()) > 0


def test_extra_networks_learn_from_their_own_losses_only(name: str) -> None:
    method, nets = build(name)
    source, target = batches(name)
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
    source, target = batches(name)
    before = {k: p.detach().clone() for k, p in nn.ModuleDict(nets).named_parameters()}
    tensors = [x for x in (*source, *(target or ())) if x is not None]
    copies = [x.clone() for x in tensors]
    method.step(nets, source, target, lambda loss: loss.backward())
    assert same(before, {k: p.detach() for k, p in nn.ModuleDict(nets).named_parameters()})
    assert all(torch.equal(a, b) for a, b in zip(copies, tensors, strict=True))
    assert all(p.requires_grad for p in nn.ModuleDict(nets).parameters())


@pytest.mark.parametrize("heads", ["single", "sum"])
def test_a_model_of_one_level_works(name: str, heads: str) -> None:
    method, nets = build(name, heads)
    losses = run(name, method, nets)
    assert losses and not any("aux" in key for key in (*losses, *nets))
    assert all(torch.isfinite(loss) for loss in losses.values())
    assert gradients(nets["model"])


def test_target_may_be_none_exactly_where_it_is_not_used(name: str) -> None:
    method, nets = build(name)
    source, _ = batches(name)
    if suiting(name).target:
        with pytest.raises(Exception):  # noqa: B017
            method.step(nets, source, None, lambda loss: loss.backward())
    else:
        assert method.step(nets, source, None, lambda loss: loss.backward())


def test_target_changes_the_gradients_where_it_is_used(name: str) -> None:
    found = []
    for seed in (1, 2):
        method, nets = build(name)
        source, _ = batches(name, seed=1)
        target = UnlabelledBatch(batches(name, seed)[0].image.flip(0) * seed)
        method.step(nets, source, target, lambda loss: loss.backward())
        found.append(gradients(nets["model"]))
    assert same(*found) == (suiting(name).target is None)


def test_check_names_the_setting_that_does_not_suit(name: str) -> None:
    """Of everything that a training may be, one sentence, which begins with the setting."""
    kind = find_method(name)
    method = kind(kind.Config(), SegmentationTask(CLASSES, class_names=NAMED))
    fits = suiting(name)
    assert method.check(fits) is None
    changes: dict[str, dict[str, object]] = {
        "target": {"target": None if fits.target else "target"},
        "class_prior": {"class_prior": "prior.shares"},
    }
    if fits.domain_index:
        changes |= {"source": {"domain_index": False}, "jitter": {"jitter": True}}
    if fits.sums_two:
        changes["model.heads"] = {"sums_two": False}
    for key, change in changes.items():
        sentence = method.check(replace(fits, **change))
        assert sentence is not None and sentence.startswith(f"{key}: "), (key, sentence)
        assert len(sentence.splitlines()) == 1


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
        model = squeezenet(CLASSES).train()
        nets = {"model": model, **method.extra_networks(["main", "aux"])}
        losses.append(run(name, method, nets))
        found.append(gradients(nets["model"]))
    assert 0 < float(losses[0]["loss_cp_main"]) < 1
    assert losses[0].keys() == losses[1].keys()
    assert not torch.equal(
        found[0]["head.main.conv2d_list.0.weight"], found[1]["head.main.conv2d_list.0.weight"]
    )
    assert same(
        {k: v for k, v in found[0].items() if k.startswith("head.aux")},
        {k: v for k, v in found[1].items() if k.startswith("head.aux")},
    )


def test_bf16_autocast_works_and_losses_stay_float32(name: str) -> None:
    method, nets = build(name)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = run(name, method, nets)
    assert all(torch.isfinite(p.grad).all() for p in nets["model"].parameters())
    full = run(name, *build(name))
    assert mixed.keys() == full.keys()
    for key, loss in full.items():
        assert mixed[key].dtype == torch.float32
        # bf16 keeps 8 bits, so a deviation of a few per cent is rounding and more is an error.
        assert float(mixed[key]) == pytest.approx(float(loss), rel=0.05, abs=0.02), key


def test_same_seed_gives_same_losses_and_gradients(name: str) -> None:
    losses, found = [], []
    for _ in range(2):
        method, nets = build(name)
        losses.append(run(name, method, nets))
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
