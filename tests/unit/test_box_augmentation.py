"""What SSD's augmentation does to images and their boxes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from segadapt.config.training import BoxAugmentation
from segadapt.data.box_augmentation import augmented
from segadapt.data.boxes.array import mirrored_boxes, resized_boxes

GEOMETRY = BoxAugmentation(photometric=False)


def picture() -> tuple[np.ndarray, np.ndarray]:
    """A black image with two bright rectangles of their own brightness, and their boxes."""
    image = np.zeros((90, 120, 3), np.uint8)
    label = np.array([[10, 20, 40, 50, 0, 0], [60, 30, 110, 80, 1, 0]], np.float32)
    for left, top, right, bottom, kind, _ in label.astype(int):
        image[top:bottom, left:right] = 200 + 50 * kind
    return image, label


@pytest.mark.parametrize("number", range(40))
def test_boxes_stay_at_what_they_are_of(number: int) -> None:
    image, label = picture()
    changed, boxes = augmented(image, label, GEOMETRY, (number,))
    assert boxes is not None
    for left, top, right, bottom, kind, _ in boxes.round().astype(int):
        inside = changed[top:bottom, left:right]
        assert (inside == 200 + 50 * kind).mean() > 0.9
        outside = np.ones(changed.shape[:2], bool)
        outside[max(0, top - 1) : bottom + 1, max(0, left - 1) : right + 1] = False
        assert not (changed[outside] == 200 + 50 * kind).any()


def test_every_kind_of_change_is_drawn() -> None:
    image, label = picture()
    sizes = [augmented(image, label, GEOMETRY, (i,))[0].shape[:2] for i in range(40)]
    areas = [height * width for height, width in sizes]
    assert any(area > 90 * 120 for area in areas) and any(area < 90 * 120 for area in areas)
    assert (90, 120) in sizes


def test_it_is_a_function_of_its_seed_and_leaves_torch_alone() -> None:
    image, label = picture()
    torch.manual_seed(5)
    state = torch.get_rng_state()
    first, second = (augmented(image, label, BoxAugmentation(), (3, 1)) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), state)
    assert np.array_equal(first[0], second[0])
    assert np.array_equal(first[1], second[1])  # type: ignore[arg-type]
    other = augmented(image, label, BoxAugmentation(), (3, 2))
    assert other[0].shape != first[0].shape or not np.array_equal(other[0], first[0])


def test_images_without_boxes_and_without_labels_are_changed_alike() -> None:
    image, _ = picture()
    none = np.zeros((0, 6), np.float32)
    for number in range(10):
        known, boxes = augmented(image, none, GEOMETRY, (number,))
        unknown, nothing = augmented(image, None, GEOMETRY, (number,))
        assert boxes is not None and len(boxes) == 0 and nothing is None
        assert np.array_equal(known, unknown)


def test_nothing_is_done_where_nothing_is_asked_for() -> None:
    image, label = picture()
    settings = BoxAugmentation(photometric=False, expand=0, crop=False)
    changed, boxes = augmented(image, label, settings, (1,))
    assert np.array_equal(changed, image) and np.array_equal(boxes, label)  # type: ignore[arg-type]


def test_resized_and_mirrored_by_hand() -> None:
    _, label = picture()
    half = resized_boxes(label, (90, 120), (45, 240))
    assert half[0].tolist() == [20, 10, 80, 25, 0, 0]
    assert mirrored_boxes(label, 120)[1].tolist() == [10, 30, 60, 80, 1, 0]
