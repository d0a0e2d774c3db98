"""``segadapt.load(path).predict(image)`` for every form of image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import segadapt
from segadapt.base.classes import STREET_7
from segadapt.base.errors import SegadaptError
from segadapt.config import ModelConfig, Views
from segadapt.engine.predict import Predictor
from segadapt.models.build import build_segmenter
from segadapt.models.files.checkpoints import TrainedModel, load_checkpoint, save_checkpoint
from segadapt.models.inputs import normalise

PIXELS = np.random.default_rng(0).integers(0, 256, (70, 90, 3)).astype(np.uint8)


def predictor(folder: Path, size: tuple[int, int] | None) -> Predictor:
    torch.manual_seed(0)
    config = ModelConfig(backbone="squeezenet1_0", weights="none")
    model = build_segmenter(config, len(STREET_7.names))
    path = folder / "net.safetensors"
    save_checkpoint(path, TrainedModel(model, config, STREET_7, size))
    return segadapt.load(path, device="cpu")


@pytest.fixture(scope="module")
def resizing(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    return predictor(tmp_path_factory.mktemp("net"), (64, 96))


def test_result_has_the_images_own_size_and_is_consistent(resizing: Predictor) -> None:
    found = resizing.predict(PIXELS)
    assert found.label.shape == found.entropy.shape == (70, 90)
    assert found.label.dtype == np.uint8
    assert found.probability.shape == (7, 70, 90)
    assert np.allclose(found.probability.sum(axis=0), 1, atol=1e-5)
    assert np.array_equal(found.label, found.probability.argmax(axis=0))
    p = found.probability.astype(np.float64)
    assert np.allclose(
        found.entropy, -(p * np.log(np.where(p > 0, p, 1))).sum(axis=0) / np.log(7), atol=1e-5
    )
    assert len(np.unique(found.label)) > 1, "the check needs a picture with several classes"
    assert resizing.classes == STREET_7


def test_path_text_pillow_and_array_give_the_same(resizing: Predictor, tmp_path: Path) -> None:
    path = tmp_path / "image.png"
    Image.fromarray(PIXELS).save(path)
    wanted = resizing.predict(PIXELS).probability
    for form in (path, str(path), Image.fromarray(PIXELS), PIXELS[::1]):
        assert np.array_equal(resizing.predict(form).probability, wanted)


def test_prediction_is_the_model_on_the_resized_normalised_image(
    resizing: Predictor, tmp_path: Path
) -> None:
    predictor(tmp_path, (64, 96))  # writes the same weights once more
    resizing_model = load_checkpoint(tmp_path / "net.safetensors").model
    small = np.asarray(Image.fromarray(PIXELS).resize((96, 64), Image.Resampling.BICUBIC))
    mean = np.array([104.00698793, 116.66876762, 122.67891434])  # Caffe's, in BGR order
    x = torch.from_numpy((small[..., ::-1] - mean).transpose(2, 0, 1)).float()[None]
    with torch.no_grad():
        logit = resizing_model(x).main
        large = torch.nn.functional.interpolate(
            logit, (70, 90), mode="bilinear", align_corners=True
        )
    found = resizing.predict(PIXELS).probability
    assert np.allclose(found, large[0].softmax(dim=0).numpy(), atol=1e-4)


def test_grey_transparent_and_mirrored_memory_are_read_as_rgb(resizing: Predictor) -> None:
    grey = Image.fromarray(PIXELS[..., 0])
    as_rgb = np.repeat(PIXELS[..., :1], 3, axis=2)
    assert np.array_equal(resizing.predict(grey).label, resizing.predict(as_rgb).label)
    transparent = Image.fromarray(PIXELS).convert("RGBA")
    assert np.array_equal(resizing.predict(transparent).label, resizing.predict(PIXELS).label)
    view = PIXELS[:, ::-1]
    assert np.array_equal(resizing.predict(view).label, resizing.predict(view.copy()).label)


def test_without_a_size_each_image_keeps_its_own(tmp_path: Path) -> None:
    plain = predictor(tmp_path, None)
    for height, width in ((64, 80), (51, 75)):
        assert plain.predict(PIXELS[:height, :width]).label.shape == (height, width)


@pytest.mark.parametrize(
    "array",
    [
        PIXELS[..., 0],
        PIXELS.astype(np.float32) / 255,
        np.zeros((8, 8, 4), np.uint8),
        np.zeros((1, 8, 8, 3), np.uint8),
    ],
)
def test_array_of_another_form_is_refused(resizing: Predictor, array: np.ndarray) -> None:
    with pytest.raises(SegadaptError, match=r"uint8 RGB"):
        resizing.predict(array)


def test_missing_and_corrupt_files_are_named(resizing: Predictor, tmp_path: Path) -> None:
    with pytest.raises(SegadaptError, match=r"gone\.png.*missing"):
        resizing.predict(tmp_path / "gone.png")
    (tmp_path / "text.png").write_text("no image")
    with pytest.raises(SegadaptError, match=r"text\.png.*cannot be decoded"):
        resizing.predict(tmp_path / "text.png")
    with pytest.raises(SegadaptError):
        resizing.predict(tmp_path)


def test_missing_checkpoint_and_device_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(SegadaptError, match=r"no such file"):
        segadapt.load(tmp_path / "none.safetensors")


def test_every_scale_is_made_from_the_original(tmp_path: Path) -> None:
    seen: list[np.ndarray] = []
    predictor(tmp_path, (32, 48))
    views = Views(scales=(1.0, 2.0))
    looking = segadapt.load(tmp_path / "net.safetensors", device="cpu", views=views)
    network = looking._members[0][0]
    network.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].clone()))
    stripes = np.zeros((64, 96, 3), np.uint8)
    stripes[:, ::2] = 255
    looking.predict(stripes)
    assert [tuple(x.shape[-2:]) for x in seen] == [(32, 48), (64, 96)]
    assert torch.equal(seen[1], normalise(torch.from_numpy(stripes)[None], "bgr_mean"))


def test_the_folder_of_a_run_is_its_checkpoint_or_says_which(tmp_path: Path) -> None:
    stage = tmp_path / "run/1-first"
    stage.mkdir(parents=True)
    predictor(tmp_path, (64, 96))
    file = (tmp_path / "net.safetensors").rename(stage / "checkpoint.safetensors")
    wanted = segadapt.load(file, device="cpu").predict(PIXELS).probability
    for place in (stage, tmp_path / "run"):
        assert np.array_equal(
            segadapt.load(place, device="cpu").predict(PIXELS).probability, wanted
        )
    (tmp_path / "run/2-second").mkdir()
    (tmp_path / "run/2-second/checkpoint.safetensors").write_bytes(file.read_bytes())
    with pytest.raises(SegadaptError, match=r"2 checkpoints; name .*1-first/.*, 2-second/"):
        segadapt.load(tmp_path / "run", device="cpu")
    with pytest.raises(SegadaptError, match="folder without a checkpoint"):
        segadapt.load(tmp_path, device="cpu")


def test_a_list_of_images_gives_a_list(resizing: Predictor) -> None:
    found = resizing.predict([Image.fromarray(PIXELS), Image.fromarray(PIXELS[:40])])
    assert [one.label.shape for one in found] == [(70, 90), (40, 90)]
    assert np.array_equal(found[0].label, resizing.predict(PIXELS).label)


def test_a_prediction_is_shown_and_saved(resizing: Predictor, tmp_path: Path) -> None:
    found = resizing.predict(PIXELS)
    assert np.array_equal(np.asarray(found.overlay(0.0)), PIXELS)
    colours = np.array(STREET_7.colours, np.uint8)
    assert np.array_equal(np.asarray(found.overlay(1.0)), colours[found.label])
    found.save(tmp_path / "ids.png")
    assert np.array_equal(np.asarray(Image.open(tmp_path / "ids.png")), found.label)
    with pytest.raises(SegadaptError, match=r"let it end in \.png"):
        found.save(tmp_path / "ids.jpg")
    most = STREET_7.names[np.bincount(found.label.ravel()).argmax()]
    assert repr(found).startswith(f"Prediction(70x90: {most} ") and len(repr(found)) < 80
