"""Pixels that are kept while writers are killed, write at once, or have no room."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from segadapt.base.errors import SegadaptError
from segadapt.data.domain import Domain
from segadapt.data.loader import training_batches
from segadapt.data.pixel_cache import PixelCache
from segadapt.stages.caching import begin_caching, no_room, room_for
from segadapt.stages.context import StageContext

MakeDomain = Callable[..., Domain]
NUMBER = 12
FORK = multiprocessing.get_context("fork")


@pytest.fixture
def plain(folder_domain: MakeDomain) -> Domain:
    return folder_domain([(40, 60)] * NUMBER, size=(32, 48))


def cached(plain: Domain, tmp_path: Path) -> Domain:
    return replace(plain, cache=PixelCache(tmp_path / "kept"))


def entries(tmp_path: Path) -> list[Path]:
    return sorted(x for x in (tmp_path / "kept").rglob("*") if x.is_file())


def decode_all(domain: Domain) -> None:
    for index in range(NUMBER):
        domain.sized(index)
        domain.sized_label(index)


def assert_same(one: Domain, other: Domain) -> None:
    for index in range(NUMBER):
        assert np.array_equal(one.sized(index).pixels, other.sized(index).pixels)
        assert np.array_equal(one.sized_label(index).pixels, other.sized_label(index).pixels)


def _until_killed(domain: Domain) -> None:
    """Decode; the fifth entry is written, and the process ends before it has its name."""
    renamed = []
    rename = os.replace

    def counted(half: str, target: Path) -> None:
        renamed.append(target)
        if len(renamed) == 5:
            os.kill(os.getpid(), signal.SIGKILL)
        rename(half, target)

    os.replace = counted
    decode_all(domain)


def test_a_writer_that_is_killed_leaves_no_wrong_pixel(plain: Domain, tmp_path: Path) -> None:
    domain = cached(plain, tmp_path)
    process = FORK.Process(target=_until_killed, args=(domain,))
    process.start()
    process.join(30)
    assert process.exitcode == -signal.SIGKILL
    (left,) = [x for x in entries(tmp_path) if x.name.endswith(".partial")]
    assert len(entries(tmp_path)) == 4 + 1
    assert_same(domain, plain)
    domain.cache.remove_abandoned()
    assert left.is_file(), "its writer may be at work still"
    os.utime(left, (0, 0))
    domain.cache.remove_abandoned()
    assert len(entries(tmp_path)) == 2 * NUMBER


def test_writers_killed_at_any_moment(plain: Domain, tmp_path: Path) -> None:
    domain = cached(plain, tmp_path)
    for wait in (0.0, 0.001, 0.002, 0.004, 0.008):
        process = FORK.Process(target=decode_all, args=(domain,))
        process.start()
        time.sleep(wait)
        process.kill()
        process.join()
    assert_same(domain, plain)
    assert_same(domain, plain)


@pytest.mark.parametrize("damage", ["cut off", "a bit", "longer", "empty"])
def test_what_a_loss_of_power_leaves_is_made_anew(
    plain: Domain, tmp_path: Path, damage: str
) -> None:
    domain = cached(plain, tmp_path)
    decode_all(domain)
    for path in entries(tmp_path):
        content = bytearray(path.read_bytes())
        if damage == "cut off":
            del content[-5:]
        elif damage == "a bit":
            content[len(content) // 2] ^= 1
        elif damage == "longer":
            content += b"x"
        else:
            content.clear()
        path.write_bytes(content)
    assert_same(domain, plain)
    kept = replace(plain, samples=domain.samples, cache=domain.cache)
    assert_same(kept, plain)


def test_processes_that_write_the_same_at_once(plain: Domain, tmp_path: Path) -> None:
    domain = cached(plain, tmp_path)
    processes = [FORK.Process(target=_read_often, args=(domain, plain)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert len(entries(tmp_path)) == 2 * NUMBER


def _read_often(domain: Domain, plain: Domain) -> None:
    for _ in range(3):
        assert_same(domain, plain)


# Room ------------------------------------------------------------------------------------------


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.mark.parametrize("workers", [0, 2])
def test_a_full_disk_is_told_once_and_changes_nothing(
    plain: Domain,
    tmp_path: Path,
    workers: int,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10, 10, 0))
    domain = cached(plain, tmp_path)

    def batches(domain: Domain, workers: int) -> Any:
        return training_batches(domain, 2, 0, (0, 8), (0, 1), True, workers)

    for one, other in zip(batches(domain, workers), batches(plain, 0), strict=True):
        assert one.image.equal(other.image) and one.label.equal(other.label)
    assert entries(tmp_path) == []
    assert capfd.readouterr().out.count("no more images are kept (No space left on device") == 1


def test_a_folder_that_cannot_be_written_into(
    plain: Domain, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "kept").write_text("a file")
    assert_same(cached(plain, tmp_path), plain)
    assert capfd.readouterr().out.count("warning: ") == 1


def context_of(plain: Domain, tmp_path: Path, cache: bool = True) -> StageContext:
    from recipes import write

    from segadapt.config.load import load_recipe

    own = {"dataset": "folder", "root": "own", "split": "train", "size": [32, 48], "cache": cache}
    domains = {"source": {**own, "role": "source"}, "target": {**own, "role": "target"}}
    train = {
        "stage": "train",
        "method": "minent",
        "source": "source",
        "target": "target",
        "iterations": 2,
        "model": {"backbone": "squeezenet1_0"},
    }
    recipe = load_recipe(write(tmp_path, {"domains": domains, "stages": {"one": train}}))
    return StageContext(recipe, tmp_path, tmp_path, 0, cache_dir=tmp_path / "kept")


def test_room_is_told_before_a_run(
    plain: Domain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = context_of(plain, tmp_path)
    room = room_for(context, ["one"])
    assert room.domains == ["source", "target"] and room.needed == room.missing
    assert no_room(context, ["one"], 0) is None
    assert "kept in" in str(begin_caching(context, ["one"]))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10, 10, 2**30))
    error = no_room(context, ["one"], 0)
    assert isinstance(error, SegadaptError) and "--cache-dir" in str(error)
    monkeypatch.undo()
    decode_all(context.domain("source", labelled=True))
    # Images of the target are the same files, and are kept once.
    taken = sum(-(-x.stat().st_size // 4096) * 4096 for x in entries(tmp_path))
    assert room_for(context, ["one"]) == (["source", "target"], taken, 0)
    assert room.needed == taken
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10, 10, 0))
    assert no_room(context, ["one"], 0) is None, "there is nothing to be written"


def test_without_cache_nothing_is_needed(plain: Domain, tmp_path: Path) -> None:
    context = context_of(plain, tmp_path, cache=False)
    assert context.domain("source", labelled=True).cache is None
    assert room_for(context, ["one"]).domains == [] and begin_caching(context, ["one"]) is None
