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
