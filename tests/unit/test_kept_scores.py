"""Score maps that are kept between the passes of a split."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from segadapt.base.compute import Compute
from segadapt.base.errors import SegadaptError
from segadapt.engine.fabric import Processes, launch
from segadapt.stages.pixel_split import kept_scores
from segadapt.stages.pixel_split.kept_scores import KeptScores, Scored


def _alone(processes: Processes) -> Processes:
    return processes


@pytest.fixture
def processes() -> Processes:
    found: Processes = launch(_alone, (), Compute("cpu"))
    return found


def scored(number: int) -> Scored:
    generator = torch.Generator().manual_seed(number)
    logits = torch.randn(1, 5, 4, 6, generator=generator)
    return Scored(number, logits.to(memory_format=torch.channels_last), (30, 41))


def test_they_come_back_to_the_bit(tmp_path: Path, processes: Processes) -> None:
    kept = KeptScores(tmp_path, processes)
    for number in (3, 0):
        kept.keep(scored(number))
    later = KeptScores(tmp_path, processes)
    assert later.indices() == {0, 3}
    found = later.read(3)
    assert torch.equal(found.logits, scored(3).logits)
    assert found.size == (30, 41)
    later.remove()
    assert not list(tmp_path.iterdir())


def test_beyond_their_room_none_are_kept(
    tmp_path: Path, processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = int(2.5 * scored(0).logits.numel() * 4 / kept_scores.SHARE)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=room))
    kept = KeptScores(tmp_path, processes)
    for number in range(4):
        kept.keep(scored(number))
    assert kept.indices() == {0, 1}


def test_a_full_disk_is_no_failure(
    tmp_path: Path, processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    kept = KeptScores(tmp_path, processes)
    kept.keep(scored(0))
    monkeypatch.setattr(np, "savez", full)
    kept.keep(scored(1))
    assert kept.indices() == {0}
    assert len(list((tmp_path / "scores").iterdir())) == 1


def test_scores_as_large_as_the_image_are_not_for_keeping() -> None:
    from segadapt.stages.pixel_split.look import _is_small

    assert _is_small(torch.empty(1, 5, 65, 129), (512, 1024))
    assert not _is_small(torch.empty(1, 5, 512, 1024), (512, 1024))  # of an image that was padded


def test_a_damaged_file_is_named(tmp_path: Path, processes: Processes) -> None:
    kept = KeptScores(tmp_path, processes)
    kept.keep(scored(0))
    path = tmp_path / "scores/0.npz"
    for content in (b"", path.read_bytes()[:200]):
        path.write_bytes(content)
        with pytest.raises(SegadaptError, match=r"0\.npz: cannot be read .* delete it"):
            kept.read(0)
