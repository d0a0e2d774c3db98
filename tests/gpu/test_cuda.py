"""What only a GPU can show; run with ``pytest -m gpu``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

import segadapt

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_the_demo_recipe_runs_on_the_gpu(tmp_path: Path, precision: str) -> None:
    run = segadapt.run(
        "demo",
        out=tmp_path,
        overrides=[
            "defaults.train.iterations=10",
            "stages.draw.counts.rendered=16",
            "stages.draw.counts.camera_train=16",
            "stages.draw.counts.camera_val=4",
        ],
        device="cuda",
        precision=precision,  # type: ignore[arg-type]
    )
    assert json.loads((run / "run.json").read_text())["hardware"]["device"].startswith("cuda")
    assert (run / "report.html").is_file()


def test_no_step_waits_for_the_gpu() -> None:
    """What ``tests/contract/test_no_waiting.py`` finds on the CPU, by CUDA's own count."""
    from benchmarks.speed.method_step import PASSES, batches, training, with_hard_pixels
    from segadapt.config import ModelConfig

    for name, passes in PASSES.items():
        model = ModelConfig(
            backbone="resnet18", heads=passes.heads, weights="none", input_format="rgb_mean_std"
        )
        step = training(name, passes.settings, model, "cuda")
        source, target = batches((128, 256), 1, "cuda")
        source = source._replace(label_on_host=source.label.cpu().numpy())
        if name == "pixintrada":
            source, target = with_hard_pixels(source), None
        step(0, source, target)  # what is made once
        torch.cuda.set_sync_debug_mode("error")
        try:
            step(1, source, target)
        finally:
            torch.cuda.set_sync_debug_mode("default")
