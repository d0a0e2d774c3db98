"""Methods that know no kind of label run on all of them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from segadapt.base.batch import LabelledBatch, UnlabelledBatch
from segadapt.base.classes import CAMVID_11, DIGITS_10, ClassSet
from segadapt.config.model import ModelConfig
from segadapt.methods.base import find_method
from segadapt.models.build import build_segmenter
from segadapt.tasks.of_classes import task_of

BOXES = ClassSet("two", ("car", "person"), ((0, 0, 142), (220, 20, 60)), boxes=True)
NETWORKS: dict[str, tuple[ClassSet, dict[str, Any], tuple[int, int]]] = {
    "segmentation": (CAMVID_11, {"backbone": "squeezenet1_0", "heads": "multi_level"}, (64, 96)),
    "classification": (DIGITS_10, {"backbone": "lenet", "heads": "single"}, (28, 28)),
    "detection": (BOXES, {"backbone": "timm:tf_efficientnet_lite0", "heads": "ssd"}, (64, 96)),
}
METHODS = ["source_only", "minent", "advent", "adaptsegnet", "mean_teacher"]


def labels(classes: ClassSet, size: tuple[int, int]) -> Tensor:
    if classes.boxes:
        return torch.tensor(
            [
                [[4.0, 4.0, 40.0, 40.0, 0, 0], [30.0, 10.0, 80.0, 60.0, 1, 0]],
                [[10.0, 10.0, 60.0, 50.0, 1, 0], [0.0, 0.0, 0.0, 0.0, 255, 0]],
            ]
        )
    shape = (2, 1, 1) if classes.whole_image else (2, *size)
    return torch.randint(0, len(classes.names), shape, dtype=torch.uint8)


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("name", METHODS)
def test_a_step_trains_every_network(kind: str, name: str) -> None:
    classes, network, size = NETWORKS[kind]
    torch.manual_seed(0)
    model = build_segmenter(ModelConfig(**network, weights="none"), len(classes.names)).train()
    head = ModelConfig(**network).section("heads")
    task = task_of(classes, head=head, seed=1)
    method_class = find_method(name)
    # Untrained networks are sure of nothing.
    settings = {"threshold": 0.0} if name == "mean_teacher" else {}
    method = method_class(method_class.Config(**settings), task)
    nets: dict[str, nn.Module] = {"model": model} | dict(method.extra_networks(model.level_names))
    method.begin(model)
    source = LabelledBatch(torch.randn(2, 3, *size), labels(classes, size))
    target = None if name == "source_only" else UnlabelledBatch(torch.randn(2, 3, *size))
    called: list[Tensor] = []

    def backward(loss: Tensor) -> None:
        called.append(loss.detach())
        loss.backward()

    told = method.step(nets, source, target, backward)
    assert called and all(loss.isfinite() for loss in called)
    assert told["loss_seg_main"] > 0
    assert all(not x.requires_grad for x in told.values())
    for network_name, net in nets.items():
        gradients = [p.grad for p in net.parameters() if p.grad is not None]
        assert gradients and any(g.abs().sum() > 0 for g in gradients), network_name
