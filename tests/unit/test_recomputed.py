"""Trunks that compute activations again give the same numbers with less memory."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from segadapt.config import ModelConfig
from segadapt.models.build import build_segmenter
from segadapt.models.recomputed import blocks_of, recompute_blocks
from segadapt.models.segmenter import Segmenter

NETWORKS: dict[str, dict[str, Any]] = {
    "resnet18": {"batch_norm": "batch"},
    "timm:test_vit": {"heads": "vit"},
    "timm:test_byobnet": {},
    "squeezenet1_0": {},
}


def network(backbone: str) -> Segmenter:
    torch.manual_seed(0)
    settings = {"backbone": backbone, "weights": "none", "heads": "single", **NETWORKS[backbone]}
    return build_segmenter(ModelConfig.model_validate(settings), 5).train()


def step(model: Segmenter) -> tuple[Tensor, dict[str, Tensor], int]:
    """Loss, gradients, and bytes that are kept for the backward pass."""
    torch.manual_seed(1)
    image = torch.randn(2, 3, 64, 64)
    kept: dict[int, int] = {}
    parameters = {p.data_ptr() for p in model.parameters()}

    def note(x: Tensor) -> Tensor:
        if x.data_ptr() not in parameters:
            kept[x.data_ptr()] = x.untyped_storage().nbytes()
        return x

    with torch.autograd.graph.saved_tensors_hooks(note, lambda x: x):
        loss = model(image).main.square().mean()
    bytes_ = sum(kept.values())
    loss.backward()
    gradients = {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}
    return loss.detach(), gradients, bytes_


@pytest.mark.parametrize("backbone", NETWORKS)
def test_same_numbers_with_less_kept(backbone: str) -> None:
    if backbone.startswith("timm"):
        pytest.importorskip("timm")
    plain = network(backbone)
    spared = copy.deepcopy(plain)
    recompute_blocks(spared.trunk)
    loss, gradients, bytes_ = step(plain)
    other_loss, other_gradients, fewer = step(spared)
    assert torch.equal(loss, other_loss)
    assert gradients.keys() == other_gradients.keys() and len(gradients) > 4
    assert all(torch.equal(gradients[k], other_gradients[k]) for k in gradients)
    assert fewer < 0.7 * bytes_
    for (name, one), other in zip(plain.named_buffers(), spared.buffers(), strict=True):
        assert torch.equal(one, other), name


def test_a_copy_recomputes_its_own_blocks() -> None:
    model = network("resnet18")
    recompute_blocks(model.trunk)
    copied = copy.deepcopy(model)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    image = torch.randn(1, 3, 32, 32)
    copied.eval(), model.eval()
    assert not torch.equal(copied(image).main, model(image).main)
    assert copied.state_dict().keys() == network("resnet18").state_dict().keys()


def test_blocks_are_the_innermost_repeated_parts() -> None:
    convolution = nn.Conv2d(1, 1, 1)
    block = nn.ModuleDict({"a": convolution, "b": nn.ReLU()})
    inner = nn.Sequential(block)
    assert blocks_of(nn.Sequential(inner, nn.ReLU())) == [block]
    assert blocks_of(nn.Sequential(convolution, nn.ReLU())) == []
