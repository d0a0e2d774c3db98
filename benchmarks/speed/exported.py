"""An exported file in ONNX Runtime, beside torch."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from benchmarks.measuring.contest import Benchmark, Contest, Setting
from benchmarks.speed.networks import light_network
from segadapt.commands.export import export_checkpoint
from segadapt.engine.exported.graph import INPUT_NAME, Graph
from segadapt.engine.exported.pictures import pictures
from segadapt.models.files.checkpoints import load_checkpoint, save_checkpoint


def one_thread_session(path: Path) -> Any:
    """An exported file, loaded by ONNX Runtime to run on the CPU."""
    import onnxruntime  # an extra: where it is missing, the export has said so

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


@contextmanager
def _prepared(setting: Setting) -> Iterator[Contest]:
    torch.set_num_threads(1)
    image = pictures((1, *setting.size(256, 320)), "float")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "light.safetensors")
        save_checkpoint(file, light_network((256, 320)))
        path = export_checkpoint(file, Path(folder, "light.onnx")).path
        session = one_thread_session(path)
        graph = Graph(load_checkpoint(file), "float", "scores").eval()
        times = 10

        def ours() -> None:
            for _ in range(times):
                session.run(None, {INPUT_NAME: image.numpy()})

        @torch.no_grad()
        def rival() -> None:
            for _ in range(times):
                graph(image)

        yield Contest(ours, rival, times)


BENCHMARK = Benchmark(
    name="exported",
    sentence="A light network on one picture of 256x320 at a time, one thread, on the CPU.",
    ours="the exported file in ONNX Runtime",
    rival="torch",
    unit="image a core",
    prepare=_prepared,
)
