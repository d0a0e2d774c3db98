"""What every trunk promises with the head of boxes."""

from __future__ import annotations

import pytest
import torch
from test_models import EVERY_PAIR, LARGE, build
from torch import Tensor
from torchvision.models import vgg16
from torchvision.models.detection import ssd300_vgg16

from segadapt.models.boxes import BoxOutput
from segadapt.models.heads.config.ssd import SSDConfig

TRUNKS = [b for b, h in EVERY_PAIR if h == "ssd" and b not in LARGE]
EVERY_TRUNK = pytest.mark.parametrize("backbone", TRUNKS)


def boxes_of(backbone: str, image: Tensor, **settings: object) -> BoxOutput:
    output = build(backbone, "ssd", **settings).train()(image)
    assert output.boxes is not None and output.aux is None and output.summands is None
    assert output.main.shape[:3] == (len(image), 5, sum(SSDConfig().anchors_of_maps))
    return output.boxes


@EVERY_TRUNK
@pytest.mark.parametrize("size", [(300, 300), (270, 330)])
def test_every_anchor_has_scores_and_offsets(backbone: str, size: tuple[int, int]) -> None:
    with torch.no_grad():
        found = boxes_of(backbone, torch.randn(2, 3, *size))
    number = sum(grid.height * grid.width * grid.anchors for grid in found.grids)
    assert found.scores.shape == (2, number, 5)
    assert found.offsets.shape == (2, number, 4)
    assert found.anchors.shape == (number, 4)
    assert tuple(grid.anchors for grid in found.grids) == SSDConfig().anchors_of_maps
    # The finest map's first anchor lies at the image's corner, whatever was padded.
    first = found.anchors[0] * torch.tensor([size[1], size[0], size[1], size[0]])
    middle = (first[:2] + first[2:]) / 2
    step = torch.tensor([size[1] / found.grids[0].width, size[0] / found.grids[0].height])
    assert (middle > 0).all() and (middle < 1.3 * step).all()


@EVERY_TRUNK
def test_gradients_are_finite_and_reach_every_parameter(backbone: str) -> None:
    torch.manual_seed(1)
    model = build(backbone, "ssd", normalised=True).train()
    found = model(torch.randn(2, 3, 300, 300)).boxes
    assert found is not None
    assert found.scores.isfinite().all() and found.scores.dtype == torch.float32
    (found.scores.square().mean() + found.offsets.square().mean()).backward()
    for name, parameter, _ in (*model.trunk_parameters(), *model.head_parameters()):
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name


def test_weights_of_torchvision_fit_the_trunk_of_ssd() -> None:
    trunk = build("ssd_vgg16", "ssd").trunk
    own = {key: value.shape for key, value in trunk.state_dict().items()}
    detector = ssd300_vgg16(weights=None, weights_backbone=None).state_dict()
    assert {k: v.shape for k, v in trunk.rename_pretrained(detector).items()} == own
    plain = trunk.rename_pretrained(vgg16(weights=None).state_dict())
    wanted = {k: v for k, v in own.items() if k not in trunk.never_pretrained()}
    assert {k: v.shape for k, v in plain.items()} == wanted
