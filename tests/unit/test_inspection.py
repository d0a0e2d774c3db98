"""What is said of images without labels: agreement, which are shown, proportions, and times."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from segadapt.base.classes import CAMVID_11
from segadapt.base.durations import about
from segadapt.report.label_free_numbers import distance
from segadapt.selection.agreement import agreement_of_boxes, agreement_of_pixels
from segadapt.stages.inspect.chosen import choose, evenly
from segadapt.stages.inspect.drawn import differ_picture


def test_maps_agree_in_a_share_of_pixels() -> None:
    one, other = torch.zeros(2, 4, dtype=torch.int64), torch.zeros(2, 4, dtype=torch.int64)
    other[0, 0], other[1, 3] = 1, 2
    assert agreement_of_pixels([one, other]) == [[1.0, 0.75], [0.75, 1.0]]


def boxes(*rows: tuple[float, float, float, float, int]) -> tuple[torch.Tensor, torch.Tensor]:
    table = torch.tensor(rows).reshape(-1, 5)
    return table[:, :4], table[:, 4].long()


NONE = boxes()
CAR = (0.0, 0.0, 10.0, 10.0, 0)
NEAR = (0.0, 0.0, 10.0, 9.0, 0)
"""An IoU of 0.9 with CAR."""


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        (NONE, NONE, 1.0),
        (boxes(CAR), NONE, 0.0),
        (boxes(CAR), boxes(NEAR), 1.0),
        (boxes(CAR), boxes((*CAR[:4], 1)), 0.0),  # of another class
        (boxes(CAR), boxes((0.0, 0.0, 10.0, 4.0, 0)), 0.0),  # overlaps by 0.4
        (boxes(CAR), boxes(NEAR, CAR), 2 / 3),  # is in one pair only
        (boxes(CAR, (50.0, 50.0, 60.0, 60.0, 0)), boxes(NEAR), 2 / 3),
    ],
)
def test_boxes_agree_by_pairs(
    one: tuple[torch.Tensor, torch.Tensor],
    other: tuple[torch.Tensor, torch.Tensor],
    wanted: float,
) -> None:
    (_, found), (back, _) = agreement_of_boxes([one, other])
    assert found == back == pytest.approx(wanted)


def test_images_are_shown_once_and_equal_ones_are_not_called_changed() -> None:
    agreement = [1.0, 0.5, 0.9, 1.0, 0.2, 1.0]
    entropy = [0.1, 0.9, 0.2, 0.8, 0.3, 0.0]
    found = [tuple(x) for x in choose(agreement, entropy, 4)]
    assert found == [
        *((4, "changed"), (1, "changed"), (2, "changed")),
        *((3, "unsure"), (0, "unsure")),
        (5, "sure"),
    ]
    assert choose(agreement, entropy, 0) == []


def test_source_images_are_evenly_spaced() -> None:
    assert evenly(3, 500) == [0, 1, 2]
    assert evenly(101, 3) == [0, 50, 100]


def test_where_maps_differ_the_last_one_has_its_colours() -> None:
    image = np.full((1, 2, 3), 0, np.uint8)
    first, last = np.array([[0, 0]], np.uint8), np.array([[0, 3]], np.uint8)
    found = np.asarray(differ_picture(image, first, last, CAMVID_11))
    assert tuple(found[0, 1]) == CAMVID_11.colours[3]
    red, green, blue = found[0, 0]
    assert red == green == blue > 127  # black, made pale


def test_distance_of_proportions() -> None:
    assert distance([0.5, 0.5], [0.5, 0.5]) == 0
    assert distance([1.0, 0.0], [0.0, 1.0]) == 1
    assert distance([0.7, 0.3], [0.5, 0.5]) == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("seconds", "wanted"),
    [
        (3, "under 10 s"),
        (42, "about 40 s"),
        (59, "about 1 min"),
        (200, "about 3 min"),
        (9000, "about 2.5 h"),
        (3 * 86400, "about 3 days"),
    ],
)
def test_times_are_rough(seconds: float, wanted: str) -> None:
    assert about(seconds) == wanted
