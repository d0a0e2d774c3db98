"""The ``predict`` verb: what it takes, what it writes, and what it says of the rest."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from segadapt.base.classes import STREET_7
from segadapt.base.errors import SegadaptError
from segadapt.commands.predict.ahead import Behind, ahead
from segadapt.commands.predict.inputs import inputs_of
from segadapt.commands.predict.options import kinds_of, last_checkpoint, size_of
from segadapt.commands.predict.run import Size, predict_files
from segadapt.commands.predict.segments import Kind
from segadapt.config import ModelConfig, Views
from segadapt.engine.device import check_compute
from segadapt.engine.predict import load
from segadapt.models.build import build_segmenter
from segadapt.models.files.checkpoints import TrainedModel, save_checkpoint

SIZES = ((40, 56), (40, 56), (48, 40), (40, 56), (33, 47))


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(3)
    config = ModelConfig(backbone="squeezenet1_0", weights="none")
    trained = TrainedModel(build_segmenter(config, 7), config, STREET_7, (64, 80))
    path = tmp_path_factory.mktemp("checkpoint") / "model.safetensors"
    save_checkpoint(path, trained)
    return path


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    generator = np.random.default_rng(0)
    (folder / "far").mkdir()
    for index, (height, width) in enumerate(SIZES):
        pixels = generator.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), np.uint8)
        picture = Image.fromarray(pixels).resize((width, height))
        picture.save(folder / ("far" if index > 2 else "") / f"{index}.png")
    return folder


def test_batches_and_threads_change_no_id(checkpoint: Path, photos: Path, tmp_path: Path) -> None:
    alone = predict_files(
        checkpoint, [str(photos)], tmp_path / "a", device="cpu", batch_size=1, workers=0
    )
    several = predict_files(
        checkpoint, [str(photos)], tmp_path / "b", device="cpu", batch_size=3, workers=3
    )
    assert alone == several == (5, ("labels", "overlays"), ())
    predictor = load(checkpoint, device="cpu")
    for index, size in enumerate(SIZES):
        name = f"{'far/' if index > 2 else ''}{index}"
        one, other = (np.array(Image.open(tmp_path / x / f"labels/{name}.png")) for x in ("a", "b"))
        assert one.shape == size and len(np.unique(one)) > 1
        assert (one == other).mean() > 0.999
        assert (one == predictor.predict(photos / f"{name}.png").label).mean() > 0.999
        assert Image.open(tmp_path / "a/overlays" / f"{name}.jpg").size == size[::-1]


def test_what_is_written_is_chosen(checkpoint: Path, photos: Path, tmp_path: Path) -> None:
    kinds = kinds_of("probabilities, entropy")
    done = predict_files(checkpoint, [str(photos / "2.png")], tmp_path, device="cpu", kinds=kinds)
    assert done.outputs == ("probabilities", "entropy")
    assert sorted(x.name for x in tmp_path.iterdir()) == ["entropy", "probabilities"]
    expected = load(checkpoint, device="cpu").predict(photos / "2.png")
    probability = np.load(tmp_path / "probabilities/2.npy")
    assert probability.shape == (7, 48, 40) and probability.dtype == np.float16
    assert np.abs(probability - expected.probability).max() < 1e-3
    entropy = np.array(Image.open(tmp_path / "entropy/2.png")) / 255
    assert np.abs(entropy - expected.entropy).max() < 1 / 255


@pytest.mark.parametrize(
    ("size", "views", "seen"),
    [
        (None, None, {(64, 80)}),
        (Size((32, 48)), None, {(32, 48)}),
        (Size(None), None, {(48, 40)}),
        (Size(None), Views(window=(32, 40)), {(32, 40)}),
    ],
)
def test_size_that_is_looked_at(
    checkpoint: Path,
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    size: Size | None,
    views: Views | None,
    seen: set[tuple[int, int]],
) -> None:
    from segadapt.models.segmenter import Segmenter

    sizes: set[tuple[int, ...]] = set()
    main_scores = Segmenter.main_scores

    def noted(self: Segmenter, image: torch.Tensor) -> torch.Tensor:
        sizes.add(tuple(image.shape[-2:]))
        return main_scores(self, image)

    monkeypatch.setattr(Segmenter, "main_scores", noted)
    path = str(photos / "2.png")
    predict_files(checkpoint, [path], tmp_path, device="cpu", size=size, views=views)
    assert sizes == seen
    assert Image.open(tmp_path / "labels/2.png").size == (40, 48)


def test_pictures_that_cannot_be_read_are_told_and_the_others_done(
    checkpoint: Path, photos: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "in" / "broken.png"
    broken.parent.mkdir()
    broken.write_bytes((photos / "0.png").read_bytes()[:60])
    paths = [str(photos / "0.png"), str(broken.parent), str(photos / "1.png")]
    done = predict_files(checkpoint, paths, tmp_path / "out", device="cpu")
    assert done.images == 2 and len(done.unread) == 1 and str(broken) in done.unread[0]
    assert sorted(x.name for x in (tmp_path / "out/labels").iterdir()) == ["0.png", "1.png"]


def test_patterns_folders_and_films(photos: Path, tmp_path: Path) -> None:
    found = inputs_of([f"{photos}/**/*.png"])
    assert list(found.pictures) == ["0", "1", "2", "far/3", "far/4"]
    assert list(inputs_of([f"{photos}/f*/4.png"]).pictures) == ["far/4"]
    film = tmp_path / "drive.MP4"
    film.write_bytes(b"")
    assert inputs_of([str(film), "camera:1"]).films == {
        "drive": str(film),
        "camera1": "camera:1",
    }
    assert inputs_of(["rtsp://host/live/front?x=1"]).films == {
        "front": "rtsp://host/live/front?x=1"
    }


@pytest.mark.parametrize(
    ("paths", "sentence"),
    [
        (["{}/no"], "there is no such file or folder"),
        (["{}/*.gif"], "no image and no film has such a name"),
        (["{}/0.png", "{}/0.png"], "would be written to the same file"),
        (["{}/note.txt"], "is not an image file"),
    ],
)
def test_paths_that_name_nothing(photos: Path, paths: list[str], sentence: str) -> None:
    (photos / "note.txt").touch()
    with pytest.raises(SegadaptError, match=sentence):
        inputs_of([x.format(photos) for x in paths])


def test_options() -> None:
    assert kinds_of("labels,labels") == (Kind.labels,)
    assert size_of("32x48") == Size((32, 48)) and size_of("native") == Size(None)
    with pytest.raises(SegadaptError, match="'masks' is not known"):
        kinds_of("labels,masks")
    for text in ("32", "0x4", "axb", "-1x4"):
        with pytest.raises(SegadaptError, match="HEIGHTxWIDTH"):
            size_of(text)


def test_last_checkpoint_of_a_run(tmp_path: Path) -> None:
    for stage in ("2-a", "10-b", "9-c"):
        (tmp_path / stage).mkdir()
        (tmp_path / stage / "checkpoint.safetensors").touch()
    assert last_checkpoint(tmp_path) == tmp_path / "10-b/checkpoint.safetensors"
    assert last_checkpoint(tmp_path / "2-a") == tmp_path / "2-a"


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_results_come_in_order_and_an_endless_source_is_left(workers: int) -> None:
    endless = ahead(((lambda i=i: i) for i in itertools.count()), workers)  # type: ignore[misc]
    assert list(itertools.islice(endless, 40)) == list(range(40))


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_of_a_thread_is_raised(workers: int) -> None:
    def fails() -> None:
        raise SegadaptError("no room")

    def tasks() -> Iterator[object]:
        yield from ahead([lambda: 1, fails], workers)  # type: ignore[list-item]

    with pytest.raises(SegadaptError, match="no room"):
        list(tasks())
    with pytest.raises(SegadaptError, match="no room"), Behind(workers) as behind:
        behind(fails)


def test_a_full_disk_ends_it(checkpoint: Path, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "labels").touch()  # where a folder would be made
    with pytest.raises(SegadaptError, match="cannot be written"):
        predict_files(checkpoint, [str(photos)], tmp_path, device="cpu")


@pytest.mark.parametrize("device", ["cuda:", "cpu:0", "mps:1", "cuda:-1", "CPU", ""])
def test_devices_that_are_none(device: str) -> None:
    from segadapt.base.compute import Compute

    with pytest.raises(SegadaptError, match=f"--device {device}: choose"):
        check_compute(Compute(device))
