"""What is odd about boxes, and what the check of a domain tells of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segadapt.config import DomainConfig
from segadapt.data.boxes import problems
from segadapt.data.boxes.problems import oddities
from segadapt.data.check import MISSING, NO_BOXES, TOLD, DomainFindings, by_kind, check_domain
from segadapt.data.listing import list_domain

NAMES = ("vehicle", "person")
CLASSES = """
boxes: true
classes:
  - {name: vehicle, colour: [0, 0, 142], names: [car]}
  - {name: person, colour: [220, 20, 60]}
"""


@pytest.mark.parametrize(
    ("corners", "kind"),
    [
        ((0, 0, 60, 40), None),
        ((-2, 0, 60, 40), problems.ROUNDED),
        ((0, 0, 60, 42.1), problems.REACHING),
        ((-2.1, 0, 60, 40), problems.REACHING),
        ((60, 0, 61, 40), problems.OUTSIDE),
        ((0, -9, 60, 0), problems.OUTSIDE),
        ((5, 5, 5, 9), problems.WITHOUT_AREA),
        ((5, 9, 9, 5), problems.WITHOUT_AREA),
        ((float("nan"), 0, 60, 40), problems.NO_NUMBERS),
        ((0, 0, float("inf"), 40), problems.NO_NUMBERS),
    ],
)
def test_each_odd_box_has_a_kind(corners: tuple[float, ...], kind: str | None) -> None:
    boxes = np.array([[*corners, 1, 0]], np.float32)
    assert [odd.kind for odd in oddities(boxes, (40, 60), NAMES)] == ([kind] if kind else [])


def test_a_box_twice_is_told_once_and_another_class_is_another_box() -> None:
    boxes = np.array([[1, 2, 3, 4, 0, 0], [1, 2, 3, 4, 1, 0], [1, 2, 3, 4, 0, 1]], np.float32)
    assert oddities(boxes, (40, 60), NAMES) == [(problems.DOUBLE, "vehicle at 1, 2, 3, 4")]


def thing(name: str, box: str, difficult: int = 0) -> str:
    corners = zip(("xmin", "ymin", "xmax", "ymax"), box.split(), strict=True)
    inner = "".join(f"<{key}>{value}</{key}>" for key, value in corners)
    return (
        f"<object><name>{name}</name><difficult>{difficult}</difficult>"
        f"<bndbox>{inner}</bndbox></object>"
    )


def checked(root: Path, files: dict[str, str | None], labelled: bool = True) -> DomainFindings:
    for folder in ("JPEGImages", "Annotations", "ImageSets/Main"):
        (root / folder).mkdir(parents=True)
    (root / "classes.yaml").write_text(CLASSES)
    (root / "ImageSets" / "Main" / "train.txt").write_text("\n".join(files))
    for name, inner in files.items():
        Image.new("RGB", (60, 40)).save(root / "JPEGImages" / f"{name}.jpg")
        if inner is not None:
            (root / "Annotations" / f"{name}.xml").write_text(f"<annotation>{inner}</annotation>")
    config = DomainConfig(role="source", dataset="voc", split="train")
    return check_domain(list_domain(config, root, "domain 'x'", labelled=labelled))


def test_all_boxes_are_counted_and_the_odd_ones_named(tmp_path: Path) -> None:
    car = thing("car", "1 1 10 10")
    found = checked(
        tmp_path,
        {
            "a": car + car + thing("car", "50 30 70 40", difficult=1),
            "b": "",
            "c": thing("cow", "1 1 2 2"),
            "d": None,
            "e": thing("person", "9 9 8 20"),
        },
    )
    assert (found.boxes, found.ignored_boxes) == (4, 1)
    assert found.class_shares == {"vehicle": 2 / 3, "person": 1 / 3}
    assert found.ignored_share == 0.25
    assert by_kind(found.warnings) == {
        problems.DOUBLE: [f"{tmp_path}/Annotations/a.xml: vehicle at 0, 0, 10, 10"],
        problems.REACHING: [f"{tmp_path}/Annotations/a.xml: vehicle at 49, 29, 70, 40"],
        NO_BOXES: [f"{tmp_path}/Annotations/b.xml"],
        problems.WITHOUT_AREA: [f"{tmp_path}/Annotations/e.xml: person at 8, 8, 8, 20"],
    }
    wrong = found.problems_by_kind()
    assert list(wrong) == ["labels of classes outside the class map", MISSING]
    assert "'cow'" in wrong["labels of classes outside the class map"][0]


def test_a_class_without_boxes_is_told(tmp_path: Path) -> None:
    found = checked(tmp_path, {"a": thing("car", "1 1 10 10")})
    assert by_kind(found.warnings) == {TOLD: ["domain 'x': no box of person"]}
    assert found.problems == []


def test_boxes_of_an_unlabelled_domain_are_not_looked_at(tmp_path: Path) -> None:
    found = checked(tmp_path, {"a": "<<<"}, labelled=False)
    assert (found.boxes, found.problems, found.warnings) == (None, [], [])
