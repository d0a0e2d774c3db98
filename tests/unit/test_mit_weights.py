"""SegFormer's file of MiT-B5 is taken by timm's PVTv2-b5, which is the same network."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from segadapt.config import ModelConfig
from segadapt.models.build import build_segmenter, load_starting_weights

pytest.importorskip("timm")


def name_in_mit(name: str) -> str:
    """What SegFormer's program calls an entry of timm's PVTv2."""
    name = re.sub(r"^patch_embed\.", "patch_embed1.", name)
    name = re.sub(r"^stages\.(\d)\.downsample", lambda m: f"patch_embed{int(m.group(1)) + 1}", name)
    name = re.sub(
        r"^stages\.(\d)\.blocks\.(\d+)", lambda m: f"block{int(m.group(1)) + 1}.{m.group(2)}", name
    )
    name = re.sub(r"^stages\.(\d)\.norm", lambda m: f"norm{int(m.group(1)) + 1}", name)
    return name.replace(".dwconv.", ".dwconv.dwconv.")


@pytest.mark.parametrize("number", [0, pytest.param(5, marks=pytest.mark.slow)])
def test_a_file_of_mit_fills_every_entry(number: int, tmp_path: Path) -> None:
    config = ModelConfig(
        backbone=f"timm:pvt_v2_b{number}",
        heads="daformer",
        channels=8,
        drop_path=0.1,
        weights="mit.pth",
    )
    written, read = build_segmenter(config, 3), build_segmenter(config, 3)
    torch.manual_seed(0)
    for parameter in written.trunk.parameters():
        torch.nn.init.normal_(parameter)
    own = {k.removeprefix("net."): v for k, v in written.trunk.state_dict().items()}
    mit = {name_in_mit(name): value.contiguous() for name, value in own.items()}
    assert mit.keys().isdisjoint(own) or "patch_embed1.proj.weight" in mit
    # The published file has the classifier of ImageNet too.
    mit["head.weight"] = torch.zeros(1000, written.trunk.channels[-1])
    save_file(mit, tmp_path / "mit.safetensors")
    config = config.model_copy(update={"weights": "mit.safetensors"})
    load_starting_weights(read, config, tmp_path)
    for name, value in written.trunk.state_dict().items():
        assert torch.equal(read.trunk.state_dict()[name], value), name
