"""Text files that choose the images of a domain."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from miniatures import BUILDERS, opened
from test_archive import pack

from segadapt.base.errors import SegadaptError

CITY = ("aachen/aachen_000000_000019", "ulm/ulm_000001_000019")


@pytest.mark.parametrize(
    "form",
    [
        "{name}",
        "{name}_leftImg8bit.png",
        "leftImg8bit/train/{name}_leftImg8bit.png",
        "/leftImg8bit/train/{name}_leftImg8bit.png\tgtFine/train/x.png",
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_published_lists_choose_and_order(form: str, packed: bool, tmp_path: Path) -> None:
    data = tmp_path / "data"
    split, _ = BUILDERS["cityscapes"](data)
    root = pack(data, tmp_path / "city.zip") if packed else data
    image_list = tmp_path / "list.txt"
    image_list.write_text("\n".join(form.format(name=name) for name in reversed(CITY)) + "\n\n")
    domain = opened("cityscapes", root, split, image_list=image_list)
    assert [sample.name for sample in domain.samples] == list(reversed(CITY))
    image_list.write_text(form.format(name=CITY[0]))
    assert len(opened("cityscapes", root, split, image_list=image_list)) == 1


def test_file_names_alone_are_enough(tmp_path: Path) -> None:
    split, _ = BUILDERS["gta5"](tmp_path / "data")
    (tmp_path / "list.txt").write_text("00002.png\n")
    domain = opened("gta5", tmp_path / "data", split, image_list=tmp_path / "list.txt")
    assert [sample.name for sample in domain.samples] == ["00002"]


def test_listed_images_that_are_not_there_are_counted_and_named(tmp_path: Path) -> None:
    split, _ = BUILDERS["gta5"](tmp_path / "data")
    (tmp_path / "list.txt").write_text("00001.png\n9.png\n8.png\n7.png\n6.png\n")
    with pytest.raises(SegadaptError, match=r"4 of the 5 images .*first 9\.png, 8\.png, 7\.png$"):
        opened("gta5", tmp_path / "data", split, image_list=tmp_path / "list.txt")
    with pytest.raises(SegadaptError, match=r"list .*none\.txt cannot be read"):
        opened("gta5", tmp_path / "data", split, image_list=tmp_path / "none.txt")


@pytest.mark.parametrize("dataset", sorted(set(BUILDERS) - {"scenes"}))
def test_every_data_set_can_be_listed_by_name_and_by_path(dataset: str, tmp_path: Path) -> None:
    split, _ = BUILDERS[dataset](tmp_path / "data")
    every = opened(dataset, tmp_path / "data", split).samples[::-1]
    for lines in (
        [sample.name for sample in every],
        [str(sample.image.relative_to(tmp_path / "data")) for sample in every],
        [str(sample.image) for sample in every],
    ):
        (tmp_path / "list.txt").write_text("\n".join(lines))
        domain = opened(dataset, tmp_path / "data", split, image_list=tmp_path / "list.txt")
        assert domain.samples == every


def test_line_that_fits_several_images_is_refused(tmp_path: Path) -> None:
    split, _ = BUILDERS["idd_lite"](tmp_path)
    for part in ("leftImg8bit", "gtFine"):
        shutil.copytree(tmp_path / part / split / "0", tmp_path / part / split / "7")
    (tmp_path / "list.txt").write_text("024541_image.jpg\n903127_image.jpg\n")
    with pytest.raises(SegadaptError, match=r"1 of the 2 .*fit several.*first 024541_image\.jpg"):
        opened("idd_lite", tmp_path, split, image_list=tmp_path / "list.txt")
    (tmp_path / "list.txt").write_text("7/024541_image.jpg\n119/903127\n")
    domain = opened("idd_lite", tmp_path, split, image_list=tmp_path / "list.txt")
    assert [sample.name for sample in domain.samples] == ["7/024541", "119/903127"]


def test_image_that_is_listed_twice_is_named(tmp_path: Path) -> None:
    split, _ = BUILDERS["gta5"](tmp_path)
    (tmp_path / "list.txt").write_text("00002\n00001.png\nimages/00002.png\n")
    with pytest.raises(SegadaptError, match=r"names 1 image more than once, first 00002$"):
        opened("gta5", tmp_path, split, image_list=tmp_path / "list.txt")


def test_empty_list_is_refused(tmp_path: Path) -> None:
    split, _ = BUILDERS["gta5"](tmp_path)
    (tmp_path / "list.txt").write_text("\n \n")
    with pytest.raises(SegadaptError, match=r"the list .*list\.txt is empty"):
        opened("gta5", tmp_path, split, image_list=tmp_path / "list.txt")


def test_names_may_hold_spaces(tmp_path: Path) -> None:
    split, _ = BUILDERS["folder"](tmp_path)
    for file in ("images/day/a.jpg", "labels/day/a.png"):
        path = tmp_path / file
        path.rename(path.with_name(f"a rainy{path.suffix}"))
    (tmp_path / "list.txt").write_text("a rainy.jpg\nb/2.jpg labels/day/b/2.png\n")
    domain = opened("folder", tmp_path, split, image_list=tmp_path / "list.txt")
    assert [sample.name for sample in domain.samples] == ["a rainy", "b/2"]
