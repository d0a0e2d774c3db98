"""Tensor files: what is written comes back, what is damaged is refused in a sentence."""

from __future__ import annotations

import random
import signal
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from segadapt.base.errors import SegadaptError
from segadapt.models.files import tensors as files
from segadapt.models.files.tensors import read_safetensors, read_tensors, write_safetensors

FORMS = ["zip", "legacy", "safetensors"]


def tensors() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    weights = {f"layer{i}.weight": torch.randn(3, 4, generator=generator) for i in range(4)}
    return {**weights, "counter": torch.tensor(3)}


def written(folder: Path, form: str) -> Path:
    path = folder / ("w.safetensors" if form == "safetensors" else "w.pth")
    if form == "safetensors":
        save_file(tensors(), path)
    else:
        torch.save(tensors(), path, _use_new_zipfile_serialization=form == "zip")
    return path


def equal(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_file_gives_its_tensors(tmp_path: Path, form: str) -> None:
    assert equal(read_tensors(written(tmp_path, form)), tensors())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("form", FORMS)
def test_file_damaged_anywhere_is_read_or_refused_in_a_sentence(tmp_path: Path, form: str) -> None:
    path = written(tmp_path, form)
    whole = path.read_bytes()
    dice = random.Random(0)
    refused = 0
    for turn in range(600):
        content = bytearray(whole)
        if turn % 2:
            content = content[: dice.randrange(len(content))]
        else:
            content[dice.randrange(len(content))] = dice.randrange(256)
        path.write_bytes(content)
        try:
            read_tensors(path)
        except SegadaptError as error:
            assert str(error).startswith(f"{path}: ")
            assert "\n" not in str(error)
            refused += 1
    assert refused > 250


def test_safetensors_keep_tensors_and_metadata(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    write_safetensors(path, tensors(), {"key": "wörd"})
    found, metadata = read_safetensors(path)
    assert equal(found, tensors())
    assert metadata == {"key": "wörd"}


def test_old_file_stays_whole_where_the_new_one_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "w.safetensors"
    write_safetensors(path, tensors(), {})

    def half(content: object, target: Path, metadata: object) -> None:
        target.write_bytes(b"half")
        raise OSError("no space left")

    monkeypatch.setattr("segadapt.models.files.tensors.save_file", half)
    with pytest.raises(SegadaptError, match=r"w\.safetensors: cannot be written \(no space left"):
        write_safetensors(path, {"a": torch.zeros(1)}, {})
    assert equal(read_safetensors(path)[0], tensors())


def test_ctrl_c_while_a_file_is_read_is_no_error_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.safetensors"
    write_safetensors(path, {"x": torch.zeros(3)}, {})
    opened = files.safe_open

    def interrupted(*arguments: object, **settings: object) -> object:
        signal.raise_signal(signal.SIGINT)
        return opened(*arguments, **settings)

    monkeypatch.setattr(files, "safe_open", interrupted)
    read = []
    with pytest.raises(KeyboardInterrupt):
        read.append(read_safetensors(path))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
