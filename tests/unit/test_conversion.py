"""The ``convert`` verb: both directions, and what it refuses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from published_files import resnet_file
from typer.testing import CliRunner

from segadapt.base.classes import STREET_7
from segadapt.base.errors import SegadaptError
from segadapt.cli import app
from segadapt.commands.convert import convert_checkpoint
from segadapt.config import ModelConfig
from segadapt.models.build import build_segmenter
from segadapt.models.files.checkpoints import TrainedModel, load_checkpoint, save_checkpoint
from segadapt.models.files.published import PROGRAMS
from segadapt.verbs.options import FamilyOption

RESNET50 = (3, 4, 6, 3)


@pytest.fixture(scope="module")
def bdl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("published") / "bdl.pth"
    torch.save(resnet_file({"layer5": 2048}, 16, RESNET50), path)
    return path


def convert(*arguments: object) -> str:
    result = CliRunner().invoke(app, ["convert", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_there_and_back(tmp_path: Path, bdl: Path) -> None:
    ours, back = tmp_path / "ours.safetensors", tmp_path / "back.pth"
    said = convert(bdl, ours, "--family", "bdl").replace("\n", "")
    assert said.endswith("ours.safetensors: resnet50, heads: single, 16 classes")
    assert load_checkpoint(ours).classes.name == "cityscapes16"
    convert(ours, back, "--family", "bdl")
    wanted = torch.load(bdl, weights_only=True)
    found = torch.load(back, weights_only=True)
    assert found.keys() == wanted.keys()
    assert all(torch.equal(v, wanted[k]) for k, v in found.items())


def test_classes_of_ones_own(tmp_path: Path) -> None:
    config = ModelConfig(backbone="resnet50", weights="none")
    model = build_segmenter(config, 7)
    save_checkpoint(tmp_path / "a.safetensors", TrainedModel(model, config, STREET_7, (64, 96)))
    convert(tmp_path / "a.safetensors", tmp_path / "a.pth", "--family", "intrada")
    convert(tmp_path / "a.pth", tmp_path / "b.safetensors", "--family", "intrada")
    found = load_checkpoint(tmp_path / "b.safetensors")
    assert len(found.classes.names) == 7
    wanted = model.state_dict()
    assert all(torch.equal(v, wanted[k]) for k, v in found.model.state_dict().items())


@pytest.mark.parametrize(
    ("source", "target", "says"),
    [
        ("bdl.pth", "b.pth", "one of them must end in .safetensors"),
        ("a.safetensors", "b.safetensors", "one of them must end in"),
        ("a.safetensors", "b.onnx", "one of them must end in"),
        ("gone.pth", "b.safetensors", "gone.pth: there is no such file"),
        ("gone.safetensors", "b.pth", "gone.safetensors: there is no such file"),
        ("bdl.pth", "there.safetensors", "there.safetensors: exists already"),
        ("bdl.pth", "no/such/b.safetensors", "its folder does not exist"),
    ],
)
def test_bad_paths(
    tmp_path: Path, bdl: Path, monkeypatch: pytest.MonkeyPatch, source: str, target: str, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bdl.pth").symlink_to(bdl)
    Path("there.safetensors").write_text("mine")
    with pytest.raises(SegadaptError, match=says):
        convert_checkpoint(Path(source), Path(target), "bdl")
    assert Path("there.safetensors").read_text() == "mine"
    assert len(list(tmp_path.rglob("*"))) == 2


def test_wrong_family_leaves_no_file(tmp_path: Path, bdl: Path) -> None:
    with pytest.raises(SegadaptError, match=r"layer5 as its only classifier"):
        convert_checkpoint(bdl, tmp_path / "a.safetensors", "advent")
    assert not list(tmp_path.iterdir())


class Payload:
    """Unpickled, it would make a folder."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.target),)


def test_code_in_a_file_is_not_run(tmp_path: Path) -> None:
    torch.save({"layer5.conv2d_list.0.weight": Payload(tmp_path / "ran")}, tmp_path / "evil.pth")
    with pytest.raises(
        SegadaptError, match=r"evil\.pth: is damaged, or holds more than plain tensors"
    ):
        convert_checkpoint(tmp_path / "evil.pth", tmp_path / "a.safetensors", "bdl")
    assert [x.name for x in tmp_path.iterdir()] == ["evil.pth"]


def test_disk_without_room_is_told(
    tmp_path: Path, bdl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("segadapt.commands.convert.save_checkpoint", full)
    with pytest.raises(SegadaptError, match=r"cannot be written .*No space left"):
        convert_checkpoint(bdl, tmp_path / "a.safetensors", "bdl")


def test_help_names_every_family() -> None:
    (option,) = FamilyOption.__metadata__  # type: ignore[attr-defined]
    assert all(family in option.help for family in PROGRAMS)
