"""Pictures of labels and entropies, read back from their files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from segadapt.base.classes import CAMVID_11, CITYSCAPES_19, ClassSet
from segadapt.base.pictures import entropy_picture, label_picture, overlay_picture, save_jpeg

TWO = ClassSet("two", ("a", "b"), ((200, 0, 40), (0, 100, 250)))


def test_label_file_holds_the_ids_and_shows_the_colours(tmp_path: Path) -> None:
    ids = np.array([[*range(19)], [255] * 19], np.uint8)
    label_picture(ids, CITYSCAPES_19).save(tmp_path / "a.png")
    read = Image.open(tmp_path / "a.png")
    assert read.mode == "P"
    assert np.array_equal(np.asarray(read), ids)
    shown = np.asarray(read.convert("RGB"))
    assert [tuple(map(int, pixel)) for pixel in shown[0]] == list(CITYSCAPES_19.colours)
    assert (shown[1] == 0).all()


def test_ids_survive_where_few_of_many_classes_occur(tmp_path: Path) -> None:
    # Writers that shrink palettes to the used entries would renumber these.
    ids = np.array([[3, 10], [10, 255]], np.uint8)
    label_picture(ids, CAMVID_11).save(tmp_path / "a.png", optimize=True)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "a.png")), ids)


def test_label_of_memory_in_another_order_is_the_same_picture() -> None:
    ids = np.array([[0, 1, 1], [1, 0, 255]], np.uint8)
    for same in (np.asfortranarray(ids), ids[::-1][::-1], np.ascontiguousarray(ids.T).T):
        assert np.array_equal(np.asarray(label_picture(same, TWO)), ids)


def test_overlay_mixes_image_and_colour_and_leaves_ignored_pixels() -> None:
    image = np.array([[[100, 100, 100], [10, 20, 30], [7, 8, 9]]], np.uint8)
    label = np.array([[0, 1, 255]], np.uint8)
    mixed = np.asarray(overlay_picture(image, label, TWO, strength=0.25))
    by_hand = [
        [0.75 * 100 + 0.25 * 200, 0.75 * 100, 0.75 * 100 + 0.25 * 40],
        [0.75 * 10, 0.75 * 20 + 0.25 * 100, 0.75 * 30 + 0.25 * 250],
        [7, 8, 9],
    ]
    assert np.abs(mixed[0] - np.array(by_hand)).max() <= 0.5


def test_overlay_of_no_and_of_full_strength() -> None:
    image = np.random.default_rng(0).integers(0, 256, (4, 5, 3)).astype(np.uint8)
    label = np.array([[0, 1, 0, 1, 1]] * 4, np.uint8)
    assert np.array_equal(np.asarray(overlay_picture(image, label, TWO, 0.0)), image)
    colours = np.array(TWO.colours, np.uint8)[label]
    assert np.array_equal(np.asarray(overlay_picture(image, label, TWO, 1.0)), colours)


def test_pictures_leave_their_inputs_alone() -> None:
    image, label = np.full((2, 2, 3), 9, np.uint8), np.array([[0, 1], [255, 0]], np.uint8)
    copies = image.copy(), label.copy()
    overlay_picture(image, label, TWO)
    label_picture(label, TWO)
    assert np.array_equal(image, copies[0]) and np.array_equal(label, copies[1])


def test_entropy_goes_from_black_to_white_and_is_clipped() -> None:
    entropy = np.array([[0.0, 0.2, 0.5, 1.0], [-1e-7, 1 + 1e-6, 0.999, 0.001]], np.float32)
    picture = entropy_picture(entropy)
    assert picture.mode == "L"
    values = np.asarray(picture).astype(int)
    assert values[0, [0, 1, 3]].tolist() == [0, 51, 255]
    assert values[0, 2] in (127, 128)
    assert values[1].tolist() == [0, 255, 255, 0]


def test_jpeg_is_close_to_the_image(tmp_path: Path) -> None:
    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    image = np.stack([np.tile(ramp, (48, 1))] * 3, axis=-1)
    save_jpeg(image, tmp_path / "a.jpg")
    read = np.asarray(Image.open(tmp_path / "a.jpg"))
    assert read.shape == image.shape
    assert np.abs(read.astype(int) - image).max() < 12
