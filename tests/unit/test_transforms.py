"""From files to arrays and from arrays to network input, by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.models.detection import ssd300_vgg16

from segadapt.base.errors import SegadaptError
from segadapt.data.label_files import read_ids
from segadapt.data.transforms import image_size, moved, read_image, resize_label
from segadapt.models.inputs import normalise


def save(pixels: np.ndarray, path: Path) -> Path:
    Image.fromarray(pixels).save(path)
    return path


def test_published_input_is_bgr_minus_the_caffe_mean() -> None:
    image = torch.tensor([[[[10, 20, 30]]]], dtype=torch.uint8)  # one pixel: R, G, B
    found = normalise(image, "bgr_mean")
    assert found.shape == (1, 3, 1, 1)
    assert found.dtype == torch.float32
    by_hand = [30 - 104.00698793, 20 - 116.66876762, 10 - 122.67891434]
    assert found.flatten().tolist() == pytest.approx(by_hand, abs=1e-5)


def test_torchvision_input_is_rgb_of_mean_zero_and_deviation_one() -> None:
    image = torch.tensor([[[[0, 255, 51]]]], dtype=torch.uint8)
    found = normalise(image, "rgb_mean_std").flatten().tolist()
    by_hand = [(0 - 0.485) / 0.229, (1 - 0.456) / 0.224, (0.2 - 0.406) / 0.225]
    assert found == pytest.approx(by_hand, abs=1e-6)


@pytest.mark.parametrize("input_format", ["bgr_mean", "rgb_mean_std"])
def test_pixels_stay_in_their_places_in_channels_last_memory(input_format: str) -> None:
    image = torch.zeros(2, 3, 4, 3, dtype=torch.uint8)
    image[1, 2, 0] = 200
    found = normalise(image, input_format)  # type: ignore[arg-type]
    assert found.shape == (2, 3, 3, 4)
    assert found.is_contiguous(memory_format=torch.channels_last)
    bright = found > found.amin()
    assert bright[1, :, 2, 0].all()
    assert (found[1, :, 2, 0] - found[0, :, 0, 0] > 3).all()
    assert (found[0] == found[0, :, :1, :1]).all()


def test_image_is_rgb_whatever_its_mode(tmp_path: Path) -> None:
    colours = np.array([[[255, 0, 0], [0, 0, 255]]], np.uint8)
    whole = Image.fromarray(colours)
    for mode in ("RGB", "RGBA", "P"):
        whole.convert(mode).save(tmp_path / "a.png")
        assert np.array_equal(read_image(tmp_path / "a.png", None), colours), mode
    grey = read_image(save(np.array([[7, 90]], np.uint8), tmp_path / "g.png"), None)
    assert grey.tolist() == [[[7] * 3, [90] * 3]]


def test_size_is_height_and_width(tmp_path: Path) -> None:
    path = save(np.zeros((6, 8, 3), np.uint8), tmp_path / "a.png")
    assert read_image(path, (3, 10)).shape == (3, 10, 3)
    assert read_image(path, None).shape == (6, 8, 3)


def test_image_of_the_right_size_is_not_resampled(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype(np.uint8)
    assert np.array_equal(read_image(save(pixels, tmp_path / "a.png"), (5, 7)), pixels)


def test_label_file_gives_its_stored_ids(tmp_path: Path) -> None:
    ids = np.array([[0, 33, 255]], np.uint8)
    palette = Image.fromarray(ids)
    palette.putpalette(bytes(range(255, -1, -1)) * 3)
    palette.save(tmp_path / "palette.png")
    assert np.array_equal(read_ids(tmp_path / "palette.png"), ids)
    wide = np.array([[0, 1000, 65535]], np.uint16)
    assert np.array_equal(read_ids(save(wide, tmp_path / "wide.png")), wide)
    bits = Image.fromarray(np.array([[0, 255, 0]], np.uint8)).convert("1")
    bits.save(tmp_path / "bits.png")
    assert read_ids(tmp_path / "bits.png").tolist() == [[0, 1, 0]]


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_label_file_of_several_channels_is_refused(tmp_path: Path, channels: int) -> None:
    path = save(np.zeros((2, 2, channels), np.uint8), tmp_path / "a.png")
    with pytest.raises(SegadaptError, match=rf"a\.png: .*this one has {channels}"):
        read_ids(path)


@pytest.mark.parametrize("read", [lambda path: read_image(path, None), read_ids])
def test_file_that_cannot_be_read_is_named(tmp_path: Path, read: object) -> None:
    assert callable(read)
    with pytest.raises(SegadaptError, match=r"gone\.png: .*missing"):
        read(tmp_path / "gone.png")
    path = save(
        np.random.default_rng(0).integers(0, 256, (40, 40)).astype(np.uint8), tmp_path / "cut.png"
    )
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(SegadaptError, match=r"cut\.png: .*cannot be decoded"):
        read(path)


def test_label_is_resized_by_nearest_neighbour() -> None:
    label = np.array([[0, 255], [7, 13]], np.uint8)
    doubled = np.repeat(np.repeat(label, 2, axis=0), 3, axis=1)
    assert np.array_equal(resize_label(label, (4, 6)), doubled)
    assert np.array_equal(resize_label(doubled, (2, 2)), label)


@pytest.mark.parametrize("size", [(3, 5), (31, 17), (64, 100)])
def test_resized_label_holds_no_new_ids(size: tuple[int, int]) -> None:
    label = np.random.default_rng(0).choice(np.array([1, 8, 255], np.uint8), (20, 30))
    resized = resize_label(label, size)
    assert resized.shape == size
    assert set(np.unique(resized)) <= {1, 8, 255}


def test_label_without_a_size_stays_as_it_is() -> None:
    label = np.array([[1, 2]], np.uint8)
    assert resize_label(label, None) is label


def test_moved_by_hand() -> None:
    ids = np.arange(16, dtype=np.uint8).reshape(4, 4)
    down_and_left = moved(ids, 1.0, (0.25, -0.5))
    assert down_and_left.tolist() == [
        [255, 255, 255, 255],
        [2, 3, 255, 255],
        [6, 7, 255, 255],
        [10, 11, 255, 255],
    ]
    # Twice as large about the middle: the middle four, two by two.
    assert moved(ids, 2.0, (0.0, 0.0)).tolist() == [
        [5, 5, 6, 6],
        [5, 5, 6, 6],
        [9, 9, 10, 10],
        [9, 9, 10, 10],
    ]
    image = np.full((4, 4, 3), 80, np.uint8)
    half = moved(image, 0.5, (0.0, 0.0))
    assert half.shape == (4, 4, 3) and half[..., 0].tolist() == [
        [0, 0, 0, 0],
        [0, 80, 80, 0],
        [0, 80, 80, 0],
        [0, 0, 0, 0],
    ]


# Eight ways to store the same picture; by EXIF 2.3, what is to be done with each.
TURNS = {
    1: lambda x: x,
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.swapaxes(0, 1),
    6: lambda x: np.rot90(x, 1),  # shown turned clockwise, so stored anticlockwise
    7: lambda x: x[::-1, ::-1].swapaxes(0, 1),
    8: lambda x: np.rot90(x, -1),
}


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_image_is_upright_as_its_exif_data_say(
    tmp_path: Path, orientation: int, suffix: str
) -> None:
    upright = np.random.default_rng(0).integers(0, 256, (5, 8, 3), np.uint8)
    stored = Image.fromarray(np.ascontiguousarray(TURNS[orientation](upright)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a{suffix}"
    stored.save(path, exif=exif)
    assert np.array_equal(read_image(path, None), upright)
    assert image_size(path) == (5, 8)


@pytest.mark.parametrize("dtype", [np.uint16, np.dtype(">u2")])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_grey_of_sixteen_bits_is_scaled(tmp_path: Path, suffix: str, dtype: np.dtype) -> None:
    grey = np.array([[0, 257, 32896, 65535]], np.uint16)
    Image.fromarray(grey.astype(dtype)).save(tmp_path / f"a{suffix}")
    found = read_image(tmp_path / f"a{suffix}", None)
    assert found[0, :, 0].tolist() == [0, 1, 128, 255]
    assert (found == found[..., :1]).all()


@pytest.mark.parametrize(("dtype", "says"), [(np.int32, "32 bits"), (np.float32, "floats")])
def test_grey_without_a_white_is_refused(tmp_path: Path, dtype: type, says: str) -> None:
    Image.fromarray(np.array([[0, 1, 700]], dtype)).save(tmp_path / "a.tif")
    with pytest.raises(SegadaptError, match=rf"a\.tif: holds .*{says}.*convert it to 8 or 16"):
        read_image(tmp_path / "a.tif", None)


def test_rgb_mean_is_what_torchvisions_ssd_takes() -> None:
    image = torch.randint(0, 256, (1, 300, 300, 3), dtype=torch.uint8)
    detector = ssd300_vgg16(weights=None, weights_backbone=None)
    (expected,) = detector.transform([image[0].permute(2, 0, 1) / 255])[0].tensors
    found = normalise(image, "rgb_mean")[0]
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-3)  # its mean has five digits
