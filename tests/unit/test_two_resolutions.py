"""HRDA's two resolutions against values by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from networks import squeezenet
from segadapt.base.errors import SegadaptError
from segadapt.base.windows import Window
from segadapt.config import ModelConfig
from segadapt.config.model import Detail
from segadapt.models.build import build_segmenter
from segadapt.models.heads.base import Head, LevelLogits
from segadapt.models.trunks.base import Trunk
from segadapt.models.two_resolutions import TwoResolutions
from segadapt.tasks.segmentation import SegmentationTask


class Fourths(Trunk):
    """Means of squares of four pixels."""

    channels, strides = (3,), (4,)

    def __init__(self) -> None:
        super().__init__()

    def forward(self, image: Tensor) -> list[Tensor]:
        return [F.avg_pool2d(image, 4)]


class First(Head):
    """Channels times a factor, as scores of two classes."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = torch.nn.Parameter(torch.tensor(factor))

    def forward(self, maps: list[Tensor]) -> LevelLogits:
        return LevelLogits(self.factor * maps[0][:, :2])


def network(window: tuple[int, int] = (64, 64), attention: float = 0.5) -> TwoResolutions:
    return TwoResolutions(Fourths(), First(1.0), First(attention), Detail(window=window))


def test_scores_are_fused_by_attention_in_the_window_alone() -> None:
    torch.manual_seed(3)
    model = network().train()
    image = torch.randn(2, 3, 128, 192)
    output = model(image)
    window = output.aux_window
    assert window is not None and (window.height, window.width) == (64, 64)
    assert window.top % 8 == 0 and window.left % 8 == 0
    small = F.interpolate(image, (64, 96), mode="bilinear", align_corners=False)
    context = F.avg_pool2d(small, 4)[:, :2]
    a = (0.5 * context).sigmoid()
    y, x = window.top // 8, window.left // 8  # on the grid of the context
    mask = torch.zeros(16, 24)
    mask[y : y + 8, x : x + 8] = 1
    a = a * mask
    detail = torch.zeros(2, 2, 32, 48)
    part = image[:, :, window.top : window.top + 64, window.left : window.left + 64]
    detail[:, :, 2 * y : 2 * y + 16, 2 * x : 2 * x + 16] = F.avg_pool2d(part, 4)[:, :2]

    def up(maps: Tensor) -> Tensor:
        return F.interpolate(maps, scale_factor=2, mode="bilinear", align_corners=False)

    torch.testing.assert_close(output.main, up((1 - a) * context) + up(a) * detail)
    torch.testing.assert_close(output.aux, F.avg_pool2d(part, 4)[:, :2])


def test_windows_are_drawn_anew_and_cover_the_image_in_time() -> None:
    torch.manual_seed(0)
    model = network((64, 64)).train()
    image = torch.zeros(1, 3, 128, 128)
    windows = {model(image).aux_window for _ in range(60)}
    assert {w.top for w in windows} == {w.left for w in windows} == set(range(0, 65, 8))


def test_outside_of_training_windows_cover_the_image() -> None:
    model = network((64, 64), attention=0.0).eval()
    image = torch.randn(1, 3, 128, 192)
    output = model(image)
    assert output.aux is None
    small = F.interpolate(image, (64, 96), mode="bilinear", align_corners=False)
    context = F.avg_pool2d(small, 4)[:, :2]
    # An attention of one half everywhere; windows of a local network agree where they overlap.
    up = F.interpolate(context, (32, 48), mode="bilinear", align_corners=False)
    expected = 0.5 * up + 0.5 * F.avg_pool2d(image, 4)[:, :2]
    torch.testing.assert_close(output.main, expected)


def test_a_window_larger_than_the_image_is_the_image() -> None:
    for size in ((48, 48), (65, 90), (37, 203)):
        image = torch.randn(1, 3, *size)
        output = network((512, 512)).train()(image)
        assert output.aux_window == Window(0, 0, *size)
        assert torch.isfinite(network((40, 40)).eval()(image).main).all()


def test_a_batch_norm_that_learns_sees_all_windows_at_once() -> None:
    model = network((64, 64))
    norm = torch.nn.BatchNorm2d(3)
    model.trunk.forward = lambda image: [norm(F.avg_pool2d(image, 4))]
    model.trunk.norm = norm
    seen: list[int] = []
    norm.register_forward_hook(lambda module, inputs, output: seen.append(len(inputs[0])))
    model.eval()
    norm.train()  # as the teacher's
    image = torch.randn(2, 3, 128, 128)
    with torch.no_grad():
        model(image)
    assert seen == [2, 9 * 2]
    norm.eval()
    with torch.no_grad():
        one_by_one = model(image).main
    assert seen[2:] == [2] * 10
    norm.train()
    norm.momentum = 0.0
    assert one_by_one.shape == model(image).main.shape


def test_losses_of_the_window_see_its_labels() -> None:
    torch.manual_seed(1)
    model = network().train()
    task = SegmentationTask(2)
    image = torch.randn(1, 3, 128, 192)
    label = torch.randint(0, 2, (1, 128, 192), dtype=torch.uint8)
    levels = task.levels(model, image)
    window = levels[1].window
    assert window is not None and levels[1].logit.shape[-2:] == (64, 64)
    part = label[:, window.top : window.top + 64, window.left : window.left + 64]
    expected = F.cross_entropy(levels[1].logit, part.long())
    torch.testing.assert_close(task.supervised_loss(levels[1], label), expected)


def test_all_parts_learn_and_are_kept() -> None:
    config = ModelConfig(
        backbone="timm:resnet18",
        heads="daformer",
        weights="none",
        channels=16,
        detail={"window": [64, 64]},
    )
    pytest.importorskip("timm")
    model = build_segmenter(config, 3).train()
    output = model(torch.randn(2, 3, 128, 128))
    (output.main.square().mean() + output.aux.square().mean()).backward()
    names = {name for name, p in model.named_parameters() if p.requires_grad}
    taught = {name for name, p in model.named_parameters() if p.grad is not None}
    assert names == taught and any(name.startswith("attention.") for name in names)
    listed = [x.parameter for x in (*model.trunk_parameters(), *model.head_parameters())]
    assert len(listed) == len(names)
    assert model.level_names == ("main", "aux")


def test_heads_of_two_levels_do_not_go_with_it() -> None:
    with pytest.raises(SegadaptError, match=r"model\.detail: needs a head of one level"):
        squeezenet(3, detail={"window": [64, 64]})
