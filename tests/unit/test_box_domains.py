"""Domains with boxes: what they list, what they read, and what they never open."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segadapt.base.errors import SegadaptError
from segadapt.config import DomainConfig
from segadapt.data.domain import Domain
from segadapt.data.listing import open_domain

CLASSES = """
boxes: true
classes:
  - {name: vehicle, colour: [0, 0, 142], names: [car, bus], ids: [2, 5]}
  - {name: person, colour: [220, 20, 60], ids: [0]}
ignore_names: [sign]
ignore: [9]
"""
CAR = [[10.0, 10.0, 20.0, 30.0, 0.0, 0.0]]
VOC = (
    "<annotation><object><name>car</name><bndbox><xmin>11</xmin><ymin>11</ymin><xmax>20</xmax>"
    "<ymax>30</ymax></bndbox></object></annotation>"
)


def image(path: Path, size: tuple[int, int] = (40, 60)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size[::-1]).save(path)


def text(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def coco_json(names: list[str], box: tuple[int, ...] = (10, 10, 10, 20)) -> str:
    return json.dumps(
        {
            "images": [{"id": i, "file_name": name} for i, name in enumerate(names)],
            "categories": [{"id": 3, "name": "car"}],
            "annotations": [{"image_id": 0, "category_id": 3, "bbox": list(box)}],
        }
    )


def made(root: Path, dataset: str) -> Path:
    """Two images, of which the first has a car."""
    text(root / "classes.yaml", CLASSES)
    folder = root / "JPEGImages" if dataset == "voc" else root / "images" / "train"
    for name in ("a.png", "b.png"):
        image(folder / name)
    if dataset == "coco":
        text(root / "annotations" / "train.json", coco_json(["a.png", "b.png"]))
    elif dataset == "yolo":
        text(root / "labels" / "train" / "a.txt", "2 0.25 0.5 0.1666666667 0.5\n")
    else:
        text(root / "ImageSets" / "Main" / "train.txt", "a  1\nb -1\n")
        text(root / "Annotations" / "a.xml", VOC)
        text(root / "Annotations" / "b.xml", "<annotation/>")
    return root


def opened(root: Path, dataset: str, labelled: bool = True, split: str = "train") -> Domain:
    config = DomainConfig(role="source", dataset=dataset, split=split)
    return open_domain(config, root, labelled, "domain 'x'")


@pytest.mark.parametrize("dataset", ["coco", "voc", "yolo"])
def test_own_data_give_the_same_boxes_in_every_form(tmp_path: Path, dataset: str) -> None:
    domain = opened(made(tmp_path, dataset), dataset)
    assert domain.classes.boxes and domain.classes.names == ("vehicle", "person")
    assert [s.name for s in domain.samples] == ["a", "b"]
    np.testing.assert_allclose(domain.label(0), CAR, atol=1e-4)
    assert domain.label(1).shape == (0, 6) and domain.label(1).dtype == np.float32
    domain.check_proportions(0, (40, 60), domain.label(0).shape)
    domain.require_fitting(0, (3, 3), domain.label(0).shape)


@pytest.mark.parametrize("dataset", ["coco", "voc", "yolo"])
@pytest.mark.parametrize("poison", [True, False])
def test_a_domain_without_labels_opens_no_file_of_boxes(
    tmp_path: Path, dataset: str, poison: bool
) -> None:
    root = made(tmp_path, dataset)
    for folder in ("annotations", "labels/train", "Annotations"):
        for file in (root / folder).glob("*"):
            file.unlink()
            if poison:  # whoever opens it waits for ever, or fails
                os.mkfifo(file)
        if not poison and (root / folder).is_dir():
            (root / folder).rmdir()
    domain = opened(root, dataset, labelled=False)
    assert [s.label for s in domain.samples] == [None, None] and domain.warnings == ()
    assert domain.image(1).shape == (40, 60, 3)
    with pytest.raises(SegadaptError, match="never opened"):
        domain.label(0)
    with pytest.raises(SegadaptError):
        opened(root, dataset)


def test_coco_has_two_places_for_images_and_two_names_for_the_file(tmp_path: Path) -> None:
    image(tmp_path / "val" / "deep" / "a.png")
    text(tmp_path / "classes.yaml", CLASSES)
    text(tmp_path / "annotations" / "instances_val.json", coco_json(["deep/a.png", "gone.png"]))
    domain = opened(tmp_path, "coco", split="val")
    assert domain.label(0).tolist() == CAR
    (told,) = domain.warnings
    assert told.endswith("instances_val.json lists 1 image that the split's folder has not, first "
                         "gone.png")  # fmt: skip


def test_an_image_that_coco_does_not_list_is_an_error(tmp_path: Path) -> None:
    root = made(tmp_path, "coco")
    image(root / "images" / "train" / "c.png")
    with pytest.raises(SegadaptError, match=r"1 of 3 images have no annotations.*\[c\.png\]"):
        opened(root, "coco")
    assert len(opened(root, "coco", labelled=False)) == 3


def test_yolo_tells_of_images_without_a_file_and_of_files_without_an_image(tmp_path: Path) -> None:
    root = made(tmp_path, "yolo")
    text(root / "labels" / "train" / "z.txt", "")
    first, second = opened(root, "yolo").warnings
    assert "1 image without a file" in first and first.endswith("first b.txt")
    assert "1 file of boxes" in second and second.endswith("first z.txt")


@pytest.mark.parametrize(
    ("listing", "message"),
    [
        ("a\nc\n", "1 image of it not in .*first 'c'"),
        ("a\na\n", "names 'a' more than once"),
        ("\n", "no images of split"),
        (None, "train.txt: is missing"),
    ],
)
def test_voc_takes_the_images_of_its_list(
    tmp_path: Path, listing: str | None, message: str
) -> None:
    root = made(tmp_path, "voc")
    file = root / "ImageSets" / "Main" / "train.txt"
    file.unlink() if listing is None else file.write_text(listing)
    with pytest.raises(SegadaptError, match=message):
        opened(root, "voc")


def test_a_missing_xml_file_is_an_error(tmp_path: Path) -> None:
    root = made(tmp_path, "voc")
    (root / "Annotations" / "b.xml").unlink()
    with pytest.raises(SegadaptError, match=r"1 of 2 images have no annotations of boxes.*b\.xml"):
        opened(root, "voc")


def test_what_is_changed_in_boxes_is_told_with_its_number_and_the_first(tmp_path: Path) -> None:
    root = made(tmp_path, "coco")
    text(root / "annotations" / "train.json", coco_json(["a.png", "b.png"], (50, 10, 20, 10)))
    domain = opened(root, "coco")
    assert domain.warnings == (
        "domain 'x': boxes that reach outside of their image, and are cut at its edges: 1, first "
        f"{root}/annotations/train.json[a.png]: vehicle at 50, 10, 70, 20",
    )
    assert domain.label(0).tolist() == [[50, 10, 60, 20, 0, 0]]


def test_boxes_of_a_translation_are_those_of_its_original_in_its_own_pixels(
    tmp_path: Path,
) -> None:
    domain = opened(made(tmp_path, "coco"), "coco")
    image(tmp_path / "translated.png", (20, 120))
    sample = domain.samples[0]
    sample = replace(sample, image=tmp_path / "translated.png", original=sample.image)
    domain = replace(domain, samples=(sample,))
    assert domain.label(0).tolist() == [[20, 5, 40, 15, 0, 0]]


@pytest.mark.parametrize("dataset", ["carla", "highway"])
def test_readers_of_coco_folders_have_two_class_maps(tmp_path: Path, dataset: str) -> None:
    image(tmp_path / "images" / "val" / "0.jpg")
    name = "vehicle" if dataset == "carla" else "truck"
    content = json.loads(coco_json(["0.jpg"]))
    content["categories"] = [{"id": 3, "name": name}, {"id": 4, "name": "motorbike"}]
    content["annotations"].append({"image_id": 0, "category_id": 4, "bbox": [1, 1, 9, 9]})
    text(tmp_path / "annotations" / "val.json", json.dumps(content))
    config = DomainConfig(role="source", dataset=dataset, split="val", classes="vehicle2")
    domain = open_domain(config, tmp_path, True, "x")
    assert domain.label(0)[:, 4].tolist() == [0, 1]
    own = open_domain(config.model_copy(update={"classes": None}), tmp_path, True, "x")
    assert own.classes.name == ("vehicle2" if dataset == "carla" else "highway5")


@pytest.mark.parametrize("fog", [False, True])
def test_cityscapes_and_its_foggy_images_have_the_boxes_of_instances(
    tmp_path: Path, fog: bool
) -> None:
    top, ending = ("leftImg8bit_foggy", "_foggy_beta_0.02") if fog else ("leftImg8bit", "")
    image(tmp_path / top / "val" / "ulm" / f"ulm_1_leftImg8bit{ending}.png", (8, 9))
    if fog:
        image(tmp_path / top / "val" / "ulm" / "ulm_1_leftImg8bit_foggy_beta_0.01.png", (8, 9))
    ids = np.full((8, 9), 7, np.uint16)
    ids[1:3, 2:7] = 25003
    label = tmp_path / "gtFine" / "val" / "ulm" / "ulm_1_gtFine_instanceIds.png"
    label.parent.mkdir(parents=True)
    Image.fromarray(ids).save(label)
    dataset = "foggy_cityscapes_boxes" if fog else "cityscapes_boxes"
    domain = opened(tmp_path, dataset, split="val")
    assert [s.name for s in domain.samples] == ["ulm/ulm_1"]
    assert domain.label(0).tolist() == [[2, 1, 7, 3, 1, 0]]
    label.unlink()
    assert len(opened(tmp_path, dataset, labelled=False, split="val")) == 1
    with pytest.raises(SegadaptError, match="have no annotations"):
        opened(tmp_path, dataset, split="val")
    if fog:
        with pytest.raises(SegadaptError, match=r"no split 'val_beta_0\.01'"):
            opened(tmp_path, dataset, split="val_beta_0.01")
