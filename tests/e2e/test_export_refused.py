"""What is written only if it agrees, and that nothing is left of what is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from segadapt.base.classes import DIGITS_10
from segadapt.base.errors import SegadaptError
from segadapt.commands.export import export_checkpoint
from segadapt.config import ModelConfig
from segadapt.engine.exported import write
from segadapt.engine.exported.agreement import agreement
from segadapt.engine.exported.description import Description
from segadapt.engine.exported.graph import Graph
from segadapt.models.build import build_segmenter
from segadapt.models.files.checkpoints import TrainedModel, save_checkpoint

SHAPE = (1, 100, 100)


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A light network's checkpoint."""
    torch.manual_seed(1)
    config = ModelConfig(backbone="dtn", heads="single", weights="none", input_format="rgb_signed")
    path = tmp_path_factory.mktemp("digits") / "model.safetensors"
    network = build_segmenter(config, 10).eval()
    save_checkpoint(path, TrainedModel(network, config, DIGITS_10, (32, 32)))
    return path


def standing_in(monkeypatch: pytest.MonkeyPatch, run: Any) -> None:
    """A writer of ONNX that leaves ``run`` to be compared."""

    def written(graph: Graph, description: Description, file: Path) -> write.Run:
        file.write_bytes(b"half of it")
        return lambda image: (run(graph(image)),)

    monkeypatch.setattr(write, "_onnx", written)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda scores: scores * 1.001,
        lambda scores: scores.flip(1),
        lambda scores: scores[..., :-1],
        lambda scores: scores * float("nan"),
    ],
)
def test_what_disagrees_is_not_written(
    wrong: Any, digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    standing_in(monkeypatch, wrong)
    # Large scores: what is allowed is a share of the largest.
    monkeypatch.setattr(Graph, "forward", lambda _, x: 50 * torch.cat([x] * 3, dim=1))
    with pytest.raises(SegadaptError, match=r"wrong.onnx: not written, as it does not agree"):
        export_checkpoint(digits, tmp_path / "wrong.onnx")
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_leaves_nothing(
    digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_scores: Tensor) -> Tensor:
        assert [x.name for x in tmp_path.iterdir()] == ["model.onnx.partial"]
        raise KeyboardInterrupt

    standing_in(monkeypatch, interrupted)
    with pytest.raises(KeyboardInterrupt):
        export_checkpoint(digits, tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_program_opens_as_documented_and_gives_the_scores(digits: Path, tmp_path: Path) -> None:
    import json

    export_checkpoint(digits, tmp_path / "model.pt2")
    said = {"segadapt": ""}
    network = torch.export.load(tmp_path / "model.pt2", extra_files=said).module()
    assert json.loads(said["segadapt"])["classes"]["names"] == list(DIGITS_10.names)
    from segadapt.models.files.checkpoints import load_checkpoint

    pictures = torch.rand(5, 3, 41, 37)
    with torch.no_grad():
        expected = Graph(load_checkpoint(digits), "float", "scores").eval()(pictures)
        torch.testing.assert_close(network(pictures), expected, rtol=0, atol=1e-5)


def test_labels_may_differ_in_one_of_ten_thousand_pixels() -> None:
    labels = torch.zeros(SHAPE, dtype=torch.uint8)
    for wrong, holds in ((1, True), (2, False)):
        other = labels.clone()
        other[0, 0, :wrong] = 1
        found = agreement(SHAPE, "labels", (labels,), (other,), half=False)
        assert found.holds is holds
        assert found.equal == pytest.approx(1 - wrong / 10_000)


@pytest.mark.parametrize(("half", "allowed"), [(False, 1e-4), (True, 1e-2)])
def test_scores_may_differ_by_a_share_of_the_largest(half: bool, allowed: float) -> None:
    scores = torch.zeros(1, 2, 100, 100)
    scores[:, 0] = 8.0
    for share, holds in ((0.9, True), (1.1, False)):
        other = scores - 8.0 * share * allowed
        assert agreement(SHAPE, "scores", (scores,), (other,), half).holds is holds


def test_windows_without_a_training_size_are_told_before_the_work(tmp_path: Path) -> None:
    config = ModelConfig(
        backbone="squeezenet1_0", heads="single", weights="none", detail={"window": (64, 64)}
    )
    network = build_segmenter(config, 10).eval()
    save_checkpoint(tmp_path / "hrda.safetensors", TrainedModel(network, config, DIGITS_10, None))
    with pytest.raises(SegadaptError, match="through windows"):
        export_checkpoint(tmp_path / "hrda.safetensors", tmp_path / "hrda.onnx")
