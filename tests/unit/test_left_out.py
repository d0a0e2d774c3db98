"""What lies among images and labels and is not read is told, with counts."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from miniatures import CLASSES_YAML, opened
from PIL import Image

from segadapt.base.errors import SegadaptError
from segadapt.data.check import check_domain
from segadapt.data.domain import Domain


def picture(path: Path, colour: bool = True, size: tuple[int, int] = (2, 4)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros((*size, 3), np.uint8) if colour else np.tile([0, 7, 13, 255], (2, 1))
    Image.fromarray(pixels.astype(np.uint8)).save(path)
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three labelled images of ``folder``."""
    for name in "abc":
        picture(tmp_path / f"images/day/{name}.png")
        picture(tmp_path / f"labels/day/{name}.png", colour=False)
    (tmp_path / "classes.yaml").write_text(CLASSES_YAML)
    return tmp_path


def names(domain: Domain) -> list[str]:
    return [sample.name for sample in domain.samples]


def told(root: Path, labelled: bool = True) -> str:
    domain = opened("folder", root, "day", labelled)
    assert {sentence.split(": ")[0] for sentence in domain.warnings} <= {"domain mine"}
    found = check_domain(domain)
    assert [warning.message for warning in found.warnings] == list(domain.warnings)
    return "\n".join(domain.warnings)


def test_nothing_is_told_where_all_is_read(root: Path) -> None:
    assert told(root) == ""


@pytest.mark.parametrize("suffix", [".ppm", ".bmp", ".webp", ".tif", ".TIFF", ".JPG", ".jfif"])
def test_pictures_that_pillow_reads_are_images(root: Path, suffix: str) -> None:
    path = picture(root / "images/day/d.png")
    with Image.open(path) as image:
        form = {".jfif": "JPEG", ".TIFF": "TIFF", ".tif": "TIFF", ".JPG": "JPEG"}
        image.save(path.with_suffix(suffix), form.get(suffix))
    path.unlink()
    domain = opened("folder", root, "day", labelled=False)
    assert names(domain) == ["a", "b", "c", "d"]
    assert domain.image(3).shape == (2, 4, 3)


def test_other_files_are_counted_by_suffix(root: Path) -> None:
    for name in ("p.heic", "q.HEIC", "deep/r.heic", "notes.txt", "README"):
        (root / "images/day" / name).parent.mkdir(exist_ok=True)
        (root / "images/day" / name).write_bytes(b"x")
    found = told(root, labelled=False)
    assert "3 files of the form .heic were left out; convert them to .png or .jpg" in found
    assert "1 file of the form .txt was left out (first notes.txt)" in found
    assert "1 file without a suffix was left out (first README)" in found
    assert names(opened("folder", root, "day", labelled=False)) == ["a", "b", "c"]


@pytest.mark.parametrize("packed", [False, True])
def test_pictures_in_hidden_and_system_folders_are_counted(root: Path, packed: bool) -> None:
    for name in (".ipynb_checkpoints/a-checkpoint.png", "@eaDir/b.png/thumb.jpg", ".c.png"):
        picture(root / "images/day" / name)
    (root / "images/day/.DS_Store").write_bytes(b"x")
    if packed:
        archive = root.parent / f"{root.name}.zip"
        with zipfile.ZipFile(archive, "w") as file:
            for path in sorted(root.rglob("*")):
                if path.is_file():
                    file.write(path, path.relative_to(root))
        root = archive
    found = told(root, labelled=False)
    assert "3 images in hidden or system folders, or hidden, were left out" in found
    assert len(found.splitlines()) == 1
    assert names(opened("folder", root, "day", labelled=False)) == ["a", "b", "c"]


def test_pipes_and_sockets_are_no_images(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(root / "images/day/pipe.png")
    monkeypatch.chdir(root / "images/day")  # paths of sockets are short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.png")
        found = told(root, labelled=False)
    assert "2 images are each a pipe, socket or device and were left out" in found


def test_image_that_is_a_link_to_nowhere_is_told(root: Path) -> None:
    (root / "images/day/d.png").symlink_to(root / "gone.png")
    with pytest.raises(SegadaptError, match=r"d\.png: is a link to .*gone\.png, which is not"):
        opened("folder", root, "day", labelled=False)


def test_link_to_itself_is_told(root: Path) -> None:
    (root / "images/day/d.png").symlink_to("d.png")
    with pytest.raises(SegadaptError, match=r"d\.png: is a link to d\.png, which is not there"):
        opened("folder", root, "day", labelled=False)


def test_folders_that_links_give_names_without_end(root: Path) -> None:
    for i in range(40):
        (root / f"images/day/d{i}").mkdir()
        for name in "xy" if i else "":
            (root / f"images/day/d{i}/{name}").symlink_to(root / f"images/day/d{i - 1}")
    start = time.monotonic()
    with pytest.raises(SegadaptError, match=r"more than 100 names below .*remove some"):
        opened("folder", root, "day", labelled=False)
    assert time.monotonic() - start < 10


def test_folders_in_folders_deeper_than_python_goes(root: Path) -> None:
    deep = root / "images/day"
    for _ in range(1200):
        deep = deep / "a"
        deep.mkdir()
    shutil.copy(root / "images/day/a.png", deep / "x.png")
    try:
        assert len(opened("folder", root, "day", labelled=False)) == 4
    finally:  # Python cannot remove such
        subprocess.run(["rm", "-rf", str(root / "images/day/a")], check=True)


def test_split_of_other_files_alone_says_what_is_there(root: Path) -> None:
    (root / "images/night").mkdir()
    (root / "images/night/x.heic").write_bytes(b"x")
    with pytest.raises(SegadaptError, match=r"no images of split 'night'.*1 file of the form"):
        opened("folder", root, "night", labelled=False)


# Labels ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["b.PNG", "b.tif", "b_mask.png", "b_label.png", "b_labelIds.png", "b_gtFine_labelIds.png"],
)
def test_label_of_another_suffix_or_ending_is_found(root: Path, name: str) -> None:
    with Image.open(root / "labels/day/b.png") as label:
        label.save(root / "labels/day/x.png")
    (root / "labels/day/b.png").unlink()
    if name.endswith(".tif"):
        with Image.open(root / "labels/day/x.png") as label:
            label.save(root / "labels/day" / name)
        (root / "labels/day/x.png").unlink()
    else:
        (root / "labels/day/x.png").rename(root / "labels/day" / name)
    domain = opened("folder", root, "day")
    assert domain.samples[1].label == root / "labels/day" / name
    assert domain.label(1).tolist() == [[0, 0, 1, 255]] * 2
    assert domain.warnings == ()


def test_label_without_the_ending_of_its_image_is_found(root: Path) -> None:
    (root / "images/day/a.png").rename(root / "images/day/a_leftImg8bit.png")
    (root / "labels/day/a.png").rename(root / "labels/day/a_gtFine_labelIds.png")
    domain = opened("folder", root, "day")
    assert domain.samples[0].name == "a_leftImg8bit"
    assert domain.samples[0].label == root / "labels/day/a_gtFine_labelIds.png"


def test_two_labels_of_one_image_are_told(root: Path) -> None:
    for name in ("a_mask.png", "b_mask.png", "b_label.png"):
        picture(root / "labels/day" / name, colour=False)
    found = told(root)
    assert "a second label file for 2 images, first" in found
    assert "a.png, which is used" in found or "b.png, which is used" in found
    (root / "labels/day/b.png").unlink()
    with pytest.raises(SegadaptError, match=r"more than one label file for 1 image, first 'b'"):
        opened("folder", root, "day")


def test_label_of_an_image_that_is_called_a_mask_is_its_own(root: Path) -> None:
    picture(root / "images/day/a_mask.png")
    picture(root / "labels/day/a_mask.png", colour=False)
    assert told(root) == ""


def test_labels_without_images_are_counted(root: Path) -> None:
    for name in ("d.png", "e_mask.png"):
        picture(root / "labels/day" / name, colour=False)
    assert "2 label files in" in told(root) and "belong to no image, first d.png" in told(root)


def test_labels_in_forms_that_are_not_read_are_counted(root: Path) -> None:
    (root / "labels/day/a.npy").write_bytes(b"x")
    found = told(root)
    assert "among the labels, 1 file of the form .npy was left out; convert them to .png (" in found


def test_lossy_label_is_refused_for_what_it_is(root: Path) -> None:
    (root / "labels/day/b.png").unlink()
    picture(root / "labels/day/b.jpg", colour=False)
    with pytest.raises(SegadaptError, match=r"1 label of a form that changes the ids.*b\.jpg"):
        opened("folder", root, "day")


def test_images_without_labels_are_counted(root: Path) -> None:
    (root / "labels/day/b.png").unlink()
    picture(root / "labels/day/B.png", colour=False)
    says = r"1 of 3 images have no label file, first .*b\.png; .* belongs to no image: B\.png"
    with pytest.raises(SegadaptError, match=says):
        opened("folder", root, "day")


def test_label_folder_is_not_listed_where_images_alone_are_asked_for(root: Path) -> None:
    for name in ("d.png", "a_mask.png", "b_label.png"):
        picture(root / "labels/day" / name, colour=False)
    assert told(root, labelled=False) == ""
