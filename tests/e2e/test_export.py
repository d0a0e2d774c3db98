"""Checkpoints as files that run without the package: what they give, say and refuse."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from harness import street, write_camvid
from PIL import Image

from segadapt.base.classes import CAMVID_11, ClassSet
from segadapt.base.compute import Compute
from segadapt.base.errors import SegadaptError
from segadapt.commands.evaluate import score_checkpoints
from segadapt.commands.export import export_checkpoint, told
from segadapt.config import ModelConfig
from segadapt.engine.exported.resizing import resized
from segadapt.engine.predict import load
from segadapt.models.build import build_segmenter
from segadapt.models.files.checkpoints import TrainedModel, save_checkpoint

CPU = ["CPUExecutionProvider"]


def checkpoint(path: Path, size: tuple[int, int] | None, **model: Any) -> Path:
    torch.manual_seed(3)
    config = ModelConfig(**{"backbone": "squeezenet1_0", "weights": "none", **model})
    network = build_segmenter(config, 11).eval()
    classes = CAMVID_11
    if config.heads == "ssd":
        classes = ClassSet("boxes", CAMVID_11.names, CAMVID_11.colours, boxes=True)
    save_checkpoint(path, TrainedModel(network, config, classes, size))
    return path


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``model.safetensors``, trained with images of their own sizes, as ONNX."""
    folder = tmp_path_factory.mktemp("export")
    file = checkpoint(folder / "model.safetensors", None)
    done = export_checkpoint(file, folder / "model.onnx")
    assert len({found.shape for found in done.agreements}) == 3
    return folder


def test_onnx_gives_the_scores_of_torch_at_other_sizes_and_batches(exported: Path) -> None:
    session = onnxruntime.InferenceSession(str(exported / "model.onnx"), providers=CPU)
    predictor = load(exported / "model.safetensors", device="cpu")
    for number, height, width in ((1, 64, 96), (4, 130, 75)):
        pictures = np.stack([street(i, (height, width))[0] for i in range(number)])
        given = pictures.transpose(0, 3, 1, 2).astype(np.float32) / 255
        (scores,) = session.run(None, {"image": given})
        probability = torch.from_numpy(scores).softmax(dim=1)
        expected = predictor.probability(torch.from_numpy(pictures), (height, width))
        assert scores.shape == (number, 11, height, width)
        torch.testing.assert_close(probability, expected, rtol=0, atol=1e-4)


def test_an_exported_file_scores_and_predicts_as_its_checkpoint(
    exported: Path, tmp_path: Path
) -> None:
    root = write_camvid(tmp_path / "camvid", "val", range(3))
    files = [exported / "model.safetensors", exported / "model.onnx"]
    one, other = (
        score_checkpoints(file, "camvid", root, "val", compute=Compute("cpu")) for file in files
    )
    assert other["scores"][0]["miou"] == pytest.approx(one["scores"][0]["miou"], abs=1e-9)
    picture = street(5)[0]
    labels = [load(file, device="cpu").predict(picture).label for file in files]
    np.testing.assert_array_equal(*labels)


def test_the_file_says_what_it_is(exported: Path) -> None:
    session = onnxruntime.InferenceSession(str(exported / "model.onnx"), providers=CPU)
    said = json.loads(session.get_modelmeta().custom_metadata_map["segadapt"])
    assert said["classes"]["names"] == list(CAMVID_11.names)
    assert said["classes"]["colours"] == [list(colour) for colour in CAMVID_11.colours]
    assert (said["size"], said["input"], said["output"]) == (None, "float", "scores")
    assert said["network"]["backbone"] == "squeezenet1_0"
    assert re.fullmatch("[0-9a-f]{64}", said["checkpoint_sha256"])


def test_resizing_inside_is_pillows() -> None:
    for (height, width), size in (((90, 120), (40, 64)), ((50, 33), (80, 100))):
        picture = np.array(Image.fromarray(street(1, (height, width))[0]))
        expected = np.array(
            Image.fromarray(picture).resize(size[::-1], Image.Resampling.BICUBIC)
        ).astype(np.float32)
        planes = torch.from_numpy(picture).permute(2, 0, 1)[None].float()
        found = resized(planes, size)[0].permute(1, 2, 0).numpy()
        # Pillow rounds after each direction.
        assert np.abs(found - expected).max() < 1.2
        assert np.abs(found - expected).mean() < 0.35


@pytest.mark.parametrize(
    ("name", "output", "message"),
    [
        ("out.bin", None, "ends in .onnx or .pt2"),
        ("no/out.onnx", None, "its folder does not exist"),
        ("out.onnx", "boxes", "this checkpoint gives pixels classes; choose one of scores, labels"),
        ("model.onnx", None, "exists already"),
    ],
)
def test_what_cannot_be_written_is_told_before_the_work(
    name: str, output: str | None, message: str, exported: Path
) -> None:
    before = sorted(exported.iterdir())
    with pytest.raises(SegadaptError, match=re.escape(message)):
        export_checkpoint(exported / "model.safetensors", exported / name, output=output)
    assert sorted(exported.iterdir()) == before


def foreign(path: Path, metadata: str | None) -> None:
    """An ONNX file that gives back what goes in, with or without words under our key."""
    from onnx import TensorProto, helper, save

    sides = ("N", 3, "H", "W")
    ends = [helper.make_tensor_value_info(x, TensorProto.FLOAT, sides) for x in ("image", "scores")]
    node = helper.make_node("Identity", ["image"], ["scores"])
    model = helper.make_model(
        helper.make_graph([node], "same", ends[:1], ends[1:]),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=9,
    )
    if metadata is not None:
        helper.set_model_props(model, {"segadapt": metadata})
    save(model, path)


def test_files_that_are_none_of_ours_are_told(exported: Path, tmp_path: Path) -> None:
    ours = (exported / "model.onnx").read_bytes()
    weights = (exported / "model.safetensors").read_bytes()
    said = onnxruntime.InferenceSession(ours, providers=CPU).get_modelmeta().custom_metadata_map
    (tmp_path / "damaged.onnx").write_bytes(b"\x08\x07" + bytes(50))
    (tmp_path / "cut.onnx").write_bytes(ours[: len(ours) // 2])
    (tmp_path / "empty.onnx").write_bytes(b"")
    (tmp_path / "weights.onnx").write_bytes(weights)
    (tmp_path / "program.pt2").write_bytes(b"PK")
    (tmp_path / "network.safetensors").write_bytes(ours)
    (tmp_path / "network.pth").write_bytes(ours)
    foreign(tmp_path / "foreign.onnx", None)
    foreign(tmp_path / "word.onnx", '"word"')
    foreign(tmp_path / "later.onnx", said["segadapt"].replace("export-1", "export-2"))
    foreign(tmp_path / "kind.onnx", said["segadapt"].replace('"scores"', '"smells"'))
    foreign(tmp_path / "trunk.onnx", said["segadapt"].replace("squeezenet1_0", "no_network"))
    for name, message in {
        "damaged.onnx": "cannot use it|was not written by",
        "cut.onnx": "ONNX Runtime cannot use it",
        "empty.onnx": "cannot use it|was not written by",
        "weights.onnx": "ONNX Runtime cannot use it",
        "program.pt2": "may execute",
        "network.safetensors": "network.safetensors: ",
        "network.pth": "network.pth: ",
        "none.onnx": "there is no such file|is neither a checkpoint",
        "foreign.onnx": "it says nothing of its classes",
        "word.onnx": "was not written by",
        "later.onnx": "it has another format",
        "kind.onnx": "of a kind that is not known",
        "trunk.onnx": "its network cannot be built",
    }.items():
        for use in (
            lambda file: load(file, device="cpu"),
            lambda file: score_checkpoints(file, "camvid", exported, "val", compute=Compute("cpu")),
        ):
            with pytest.raises(SegadaptError, match=message) as told_:
                use(tmp_path / name)
            assert "\n" not in str(told_.value), name


@pytest.mark.slow
@pytest.mark.parametrize("size", [None, (96, 128)])
@pytest.mark.parametrize("input_", ["float", "uint8"])
@pytest.mark.parametrize("ending", [".onnx", ".pt2"])
@pytest.mark.parametrize(
    ("heads", "output"),
    [("single", "labels"), ("sum", "scores"), ("ssd", "boxes"), ("ssd", "detections")],
)
def test_every_form_is_written_and_agrees(
    size: tuple[int, int] | None,
    input_: str,
    ending: str,
    heads: str,
    output: str,
    tmp_path: Path,
) -> None:
    file = checkpoint(tmp_path / "model.safetensors", size, heads=heads)
    done = export_checkpoint(file, tmp_path / f"model{ending}", input_, output)  # type: ignore[arg-type]
    assert all(found.holds for found in done.agreements)
    assert done.bytes > 1e6


def test_the_line_for_tensorrt_has_the_layout_of_the_input(exported: Path) -> None:
    from segadapt.engine.exported.agreement import Agreement
    from segadapt.engine.exported.write import Exported

    done = Exported(Path("m.onnx"), 10, (Agreement((2, 64, 96), 0.0, 1.0, True),))
    assert "--optShapes=image:2x3x64x96" in told(done, "float")[-1]
    assert "--optShapes=image:2x64x96x3" in told(done, "uint8")[-1]
