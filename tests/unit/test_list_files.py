"""Lists of images as people's programs write them, and files that are no lists."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest
from miniatures import CLASSES_YAML, opened
from PIL import Image

from segadapt.base.errors import SegadaptError

NAMES = ["a", "b/c d", os.fsdecode(b"caf\xe9"), "e\u0301te\u0301", "x:y", "back\\slash", "\x85line"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in NAMES:
        path = tmp_path / f"images/day/{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 2)).save(path)
    (tmp_path / "classes.yaml").write_text(CLASSES_YAML)
    return tmp_path


def chosen(root: Path, content: bytes) -> list[str]:
    (root / "list.txt").write_bytes(content)
    domain = opened("folder", root, "day", labelled=False, image_list=root / "list.txt")
    return [sample.name for sample in domain.samples]


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (b"\xef\xbb\xbfb/c d.png\r\na.png\r\n", ["b/c d", "a"]),  # a byte order mark, CRLF
        (b"b\\c d.png\nimages\\day\\a.png\n", ["b/c d", "a"]),
        (b".\\b\\c d.png", ["b/c d"]),
        ("b\\c d.png\r\na.png\r\n".encode("utf-16"), ["b/c d", "a"]),
        (b"a.png\rb/c d.png\r", ["a", "b/c d"]),
        (b"caf\xe9.png\na\n", [NAMES[2], "a"]),
        (unicodedata.normalize("NFC", NAMES[3]).encode() + b".png", [NAMES[3]]),
        (b"x:y.png\nx:y.png"[:7], ["x:y"]),
        (b"back\\slash.png\n\n", ["back\\slash"]),
        ("\x85line.png\na".encode(), ["\x85line", "a"]),
    ],
)
def test_list_is_read_whatever_program_wrote_it(
    root: Path, content: bytes, names: list[str]
) -> None:
    assert chosen(root, content) == names


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("\u00e4.png".encode("latin-1"), r"1 of the 1 images .* not there.*maybe Latin-1"),
        (b"a.png\n\0\0\0", r"list\.txt is no text"),
        (b"\xff\xfea", r"list\.txt cannot be read"),
        (b"\xef\xbb\xbf\r\n", r"list\.txt is empty"),
        ("\u00a0\n\u2028".encode(), r"2 of the 2 images .* not there"),
        (b"C:\\data\\nowhere.png", r"1 of the 1 images .* not there, first C:"),
        (b"../../etc/passwd\n/etc/passwd", r"2 of the 2 images .* not there"),
        (b"new\nline", r"2 of the 2 images"),
    ],
)
def test_what_is_no_list_of_these_images_is_told(root: Path, content: bytes, says: str) -> None:
    with pytest.raises(SegadaptError, match=says) as caught:
        chosen(root, content)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
@pytest.mark.parametrize("file", ["list.txt", "classes.yaml"])
def test_pipe_device_or_folder_ends_in_a_sentence(root: Path, file: str, kind: str) -> None:
    path = root / file
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()
    listed = root / "list.txt" if file == "list.txt" else None
    with pytest.raises(SegadaptError, match=rf"{file}.* no ordinary file") as caught:
        opened("folder", root, "day", labelled=False, image_list=listed)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("suffix", ["", ".zip", ".tar"])
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_root_that_is_none_ends_in_a_sentence(tmp_path: Path, kind: str, suffix: str) -> None:
    root = tmp_path / f"data{suffix}"
    if kind == "pipe":
        os.mkfifo(root)
    else:
        root.symlink_to("/dev/zero")
    with pytest.raises(SegadaptError, match=r"data.*does not exist|data.* neither a folder nor"):
        opened("folder", root, "day", labelled=False)
    (tmp_path / "whole").mkdir()
    root.rename(tmp_path / "whole" / root.name)  # among a data set's archives
    with pytest.raises(SegadaptError, match=r"images/day: there is no such folder"):
        opened("folder", tmp_path / "whole", "day", labelled=False)
