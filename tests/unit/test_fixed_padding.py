"""What networks compute otherwise while they are traced for all sizes of image."""

from __future__ import annotations

import pytest
import torch

from segadapt.config import ModelConfig
from segadapt.models.build import build_segmenter


@pytest.mark.parametrize("size", [(64, 96), (41, 75)])
def test_padding_for_export_is_that_of_training(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """TensorFlow's padding asks for the map's size; for an export it is a constant."""
    pytest.importorskip("timm")
    from timm.layers import padding

    torch.manual_seed(0)
    config = ModelConfig(
        backbone="timm:tf_efficientnet_lite0", heads="linear", weights="none", output_stride=16
    )
    network = build_segmenter(config, 3).eval()
    asked: list[int] = []
    usual = padding.get_same_padding

    def counted(side: int, kernel: int, stride: int, dilation: int) -> int:
        asked.append(side)
        return usual(side, kernel, stride, dilation)

    monkeypatch.setattr(padding, "get_same_padding", counted)
    image = torch.randn(2, 3, *size)
    with torch.no_grad():
        expected = network(image).main
        assert asked
        asked.clear()
        monkeypatch.setattr(torch.compiler, "is_exporting", lambda: True)
        found = network(image).main
    assert not asked
    # For an export scores are always brought to the image's size.
    expected = torch.nn.functional.interpolate(expected, size, mode="bilinear", align_corners=True)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    assert padding.get_same_padding is counted
