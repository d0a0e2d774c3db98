"""Films and streams in the ``predict`` verb."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from segadapt.base.classes import STREET_7
from segadapt.commands.predict import films
from segadapt.commands.predict.films import Film, FilmWriter
from segadapt.commands.predict.run import predict_files
from segadapt.config import ModelConfig
from segadapt.models.build import build_segmenter
from segadapt.models.files.checkpoints import TrainedModel, save_checkpoint

av = pytest.importorskip("av")
FRAMES = 9


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(3)
    config = ModelConfig(backbone="squeezenet1_0", weights="none")
    path = tmp_path_factory.mktemp("checkpoint") / "model.safetensors"
    save_checkpoint(path, TrainedModel(build_segmenter(config, 7), config, STREET_7, (32, 40)))
    return path


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Frames that grow lighter, of an odd size."""
    path = tmp_path_factory.mktemp("film") / "drive.mp4"
    with FilmWriter(path, Fraction(12)) as writer:
        for index in range(FRAMES):
            writer.add(Image.fromarray(np.full((37, 51, 3), 20 * index + 30, np.uint8)))
    return path


def test_frames_come_back_in_order(film: Path) -> None:
    read = Film(str(film))
    assert read.rate == 12 and read.length == FRAMES
    frames = list(read.frames())
    assert [x.shape for x in frames] == [(38, 52, 3)] * FRAMES
    assert [float(x.mean()) for x in frames] == pytest.approx(
        [20 * i + 30 for i in range(FRAMES)], abs=4
    )


def test_a_film_becomes_a_film_and_labels_of_its_frames(
    checkpoint: Path, film: Path, tmp_path: Path
) -> None:
    done = predict_files(checkpoint, [str(film)], tmp_path, device="cpu", batch_size=4)
    assert done == (FRAMES, ("labels", "overlays"), ())
    shown = Film(str(tmp_path / "overlays/drive.mp4"))
    assert shown.rate == 12 and len(list(shown.frames())) == FRAMES
    names = sorted(x.name for x in (tmp_path / "labels/drive").iterdir())
    assert names == [f"{i:06}.png" for i in range(FRAMES)]
    assert Image.open(tmp_path / "labels/drive/000000.png").size == (52, 38)


def test_a_stream_that_is_stopped_leaves_a_film_that_can_be_shown(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        films, "_opened_as", lambda what: ("testsrc=size=48x32:rate=10", {"format": "lavfi"})
    )
    looked = 0
    from segadapt.commands.predict.segments import Segments

    look = Segments.look

    def stopped(self: Segments, batch: list[object]) -> object:
        nonlocal looked
        looked += 1
        if looked > 5:
            raise KeyboardInterrupt
        return look(self, batch)  # type: ignore[arg-type]

    monkeypatch.setattr(Segments, "look", stopped)
    with pytest.raises(KeyboardInterrupt):
        predict_files(checkpoint, ["camera:0"], tmp_path, device="cpu")
    monkeypatch.undo()
    frames = list(Film(str(tmp_path / "overlays/camera0.mp4")).frames())
    assert 1 <= len(frames) <= 5


def test_films_that_are_none_and_films_that_break_off(
    checkpoint: Path, film: Path, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.mp4"
    empty.write_bytes(b"no film")
    sound = tmp_path / "ok.mp4"
    sound.write_bytes(film.read_bytes())
    done = predict_files(checkpoint, [str(empty), str(sound)], tmp_path / "out", device="cpu")
    assert done.images == FRAMES
    (told,) = done.unread
    assert "empty.mp4: is no film that can be opened" in told


def test_boxes_of_a_film(tmp_path: Path, film: Path) -> None:
    from segadapt.base.classes import ClassSet

    pytest.importorskip("timm")
    torch.manual_seed(0)
    config = ModelConfig.model_validate(
        {"backbone": "timm:test_byobnet", "weights": "none", "heads": "ssd"}
    )
    classes = ClassSet("two", ("car", "van"), ((0, 0, 255), (255, 0, 0)), boxes=True)
    path = tmp_path / "model.safetensors"
    save_checkpoint(path, TrainedModel(build_segmenter(config, 2), config, classes, (96, 96)))
    done = predict_files(path, [str(film)], tmp_path / "out", device="cpu")
    assert done.images == FRAMES
    rows = json.loads((tmp_path / "out/detections.json").read_text())
    assert {row["image_id"] for row in rows} <= set(range(FRAMES))
    assert len(list(Film(str(tmp_path / "out/pictures/drive.mp4")).frames())) == FRAMES
