"""Archives of strangers: links, odd names, damage and bombs end in a sentence, and soon."""

from __future__ import annotations

import bz2
import gzip
import io
import random
import shutil
import stat
import struct
import tarfile
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from miniatures import BUILDERS, CLASSES_YAML, opened
from PIL import Image

from segadapt.base.errors import SegadaptError
from segadapt.data.archive import leads_outside
from segadapt.data.domain import Domain, Sample
from segadapt.data.paths import open_root

Entry = tuple[str, bytes | str]
"""A file with its content, or a link with what it says."""


def png(value: int) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.full((2, 4, 3), value, np.uint8)).save(out, "PNG")
    return out.getvalue()


def write(path: Path, *entries: Entry, kind: bytes = tarfile.SYMTYPE) -> Path:
    """An archive of files and links, with ``classes.yaml``."""
    everything: tuple[Entry, ...] = (("classes.yaml", CLASSES_YAML.encode()), *entries)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as packed:
            for name, content in everything:
                info = zipfile.ZipInfo(name)
                info.create_system = 3
                if isinstance(content, str):
                    info.external_attr = (stat.S_IFLNK | 0o777) << 16
                packed.writestr(info, content)
        return path
    with tarfile.open(path, "w") as tar:
        for name, content in everything:
            member = tarfile.TarInfo(name)
            if isinstance(content, str):
                member.type, member.linkname = kind, content
                tar.addfile(member)
            else:
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return path


def day(archive: Path) -> Domain:
    return opened("folder", archive, "day", labelled=False)


def values(domain: Domain) -> dict[str, int]:
    return {s.name: int(domain.image(i)[0, 0, 0]) for i, s in enumerate(domain.samples)}


BOTH = pytest.mark.parametrize("suffix", [".zip", ".tar"])


@BOTH
def test_links_within_an_archive_are_followed(suffix: str, tmp_path: Path) -> None:
    archive = write(
        tmp_path / f"data{suffix}",
        ("images/day/before.png", "a.png"),  # what it leads to comes later
        ("images/day/a.png", png(1)),
        ("images/day/up.png", "../../store/c.png"),
        ("images/day/twice.png", "up.png"),
        ("store/c.png", png(3)),
        ("store/deep/d.png", png(4)),
        ("images/day/folder", "../../store/deep"),
        ("images/day/round", "../day"),
    )
    expected = {"before": 1, "a": 1, "up": 3, "twice": 3, "folder/d": 4}
    found = values(day(archive))
    assert {k: v for k, v in found.items() if not k.startswith("round")} == expected


def test_hard_links_in_a_tar_file_are_followed(tmp_path: Path) -> None:
    archive = write(
        tmp_path / "data.tar",
        ("images/day/a.png", png(1)),
        ("images/day/b.png", "images/day/a.png"),
        kind=tarfile.LNKTYPE,
    )
    assert values(day(archive)) == {"a": 1, "b": 1}


@BOTH
@pytest.mark.parametrize("target", ["../../../x.png", "/etc/hostname", "../../../", ""])
def test_link_that_leads_outside_is_refused(suffix: str, target: str, tmp_path: Path) -> None:
    archive = write(
        tmp_path / f"data{suffix}", ("images/day/a.png", png(1)), ("images/day/b.png", target)
    )
    with pytest.raises(SegadaptError, match=r"holds a link .* leads outside") as caught:
        day(archive)
    assert str(archive) in str(caught.value)


@pytest.mark.parametrize("target", ["../x.png", "/etc/hostname"])
def test_hard_link_that_leads_outside_is_refused(target: str, tmp_path: Path) -> None:
    archive = write(tmp_path / "data.tar", ("images/day/b.png", target), kind=tarfile.LNKTYPE)
    with pytest.raises(SegadaptError, match=r"holds a link .* leads outside"):
        day(archive)


@BOTH
def test_image_that_is_a_link_to_nothing_or_to_itself_is_told(suffix: str, tmp_path: Path) -> None:
    gone = write(tmp_path / f"a{suffix}", ("images/day/b.png", "gone.png"))
    with pytest.raises(SegadaptError, match=r"'images/day/b\.png' is a link to .* not in the arch"):
        day(gone)
    loop = write(
        tmp_path / f"b{suffix}", ("images/day/b.png", "c.png"), ("images/day/c.png", "b.png")
    )
    with pytest.raises(SegadaptError, match=r"the link .* leads round and round"):
        day(loop)


@BOTH
def test_links_to_folders_of_links_end(suffix: str, tmp_path: Path) -> None:
    entries: list[Entry] = [("d00/a.png", png(1))]
    for i in range(1, 40):
        entries += [(f"d{i:02}/x", f"../d{i - 1:02}"), (f"d{i:02}/y", f"../d{i - 1:02}")]
    archive = write(tmp_path / f"data{suffix}", ("images/day/a.png", png(1)), *entries)
    start = time.monotonic()
    with pytest.raises(SegadaptError, match=r"too many names of files; unpack it"):
        day(archive)
    assert time.monotonic() - start < 20


def test_pipe_that_is_called_an_image_is_refused(tmp_path: Path) -> None:
    archive = write(tmp_path / "data.tar", ("images/day/a.png", "x"), kind=tarfile.FIFOTYPE)
    with pytest.raises(SegadaptError, match=r"is a pipe, socket or device"):
        day(archive)


def test_names_as_windows_writes_them(tmp_path: Path) -> None:
    archive = tmp_path / "data.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("classes.yaml", CLASSES_YAML)
        packed.writestr("images\\day\\deep\\a.png", png(1))
    assert values(day(archive)) == {"deep/a": 1}


@pytest.mark.parametrize(
    "name", ["C:\\evil.png", "C:/evil.png", "\\evil.png", "\\\\server\\evil.png", "a\\..\\b.png"]
)
def test_drives_and_backslashes_lead_outside(name: str, tmp_path: Path) -> None:
    assert leads_outside(name)
    with pytest.raises(SegadaptError, match="leads outside"):
        Sample(name, Path("a.png"))
    for suffix in (".zip", ".tar"):
        with pytest.raises(SegadaptError, match="leads outside"):
            day(write(tmp_path / f"data{suffix}", ("images/day/a.png", png(1)), (name, b"x")))


@pytest.mark.parametrize("name", ["a:b", "12:30:05", "x\\y", "..a/b..", "ab:/c"])
def test_odd_names_that_lead_nowhere_else_are_taken(name: str) -> None:
    assert not leads_outside(name)


@pytest.mark.parametrize("name", ["../../evil", "/tmp/evil", "C:\\evil", "nowhere"])
def test_names_of_labels_and_splits_must_be_those_of_images(name: str, tmp_path: Path) -> None:
    split, _ = BUILDERS["camvid"](tmp_path)
    domain = opened("camvid", tmp_path, split)
    with pytest.raises(SegadaptError, match=r"1 image of an earlier stage not there"):
        domain.subset([domain.samples[0].name, name])


@BOTH
@pytest.mark.parametrize("name", ["a/" * 60 + "b.png", "x" * 5000 + ".png"])
def test_paths_longer_than_files_have_are_refused(name: str, suffix: str, tmp_path: Path) -> None:
    with pytest.raises(SegadaptError, match=r"longer or deeper than files' are") as caught:
        day(write(tmp_path / f"data{suffix}", ("images/day/a.png", png(1)), (name, b"x")))
    assert len(str(caught.value)) < 600


# Damage ----------------------------------------------------------------------------------------


@BOTH
def test_archive_damaged_anywhere_is_read_or_refused_in_a_sentence(
    suffix: str, tmp_path: Path
) -> None:
    images = [(f"images/day/{i}.png", png(i)) for i in range(4)]
    archive = write(tmp_path / f"data{suffix}", *images, ("images/day/l.png", "0.png"))
    whole, dice, refused = archive.read_bytes(), random.Random(0), 0
    for turn in range(300):
        content = bytearray(whole)
        if turn % 3 == 0:
            content = content[: dice.randrange(len(content))]
        elif turn % 3 == 1:
            content[dice.randrange(len(content))] = dice.randrange(256)
        else:
            start = dice.randrange(len(content))
            content[start : start + 8] = dice.randbytes(8)
        path = tmp_path / f"{turn}{suffix}"
        path.write_bytes(content)
        try:
            domain = day(path)
            for i in range(len(domain)):
                domain.image(i)
        except SegadaptError as error:
            assert str(path) in str(error) and len(str(error).splitlines()) == 1
            refused += 1
        path.unlink()
    assert refused > 100


@BOTH
def test_archive_cut_off_is_told_and_not_shortened(suffix: str, tmp_path: Path) -> None:
    archive = write(
        tmp_path / f"data{suffix}", *((f"images/day/{i}.png", png(i)) for i in range(9))
    )
    whole = archive.read_bytes()
    # A tar file's end is a block of zeros, and then some to fill up its last record.
    end = len(whole) if suffix == ".zip" else len(whole.rstrip(b"\0")) + 512
    for kept in range(1, 20):
        archive.write_bytes(whole[: end * kept // 20])
        with pytest.raises(SegadaptError, match=r"cannot be read as an archive.*cut off"):
            open_root(archive).is_dir()


def test_compressed_tar_file_is_told(tmp_path: Path) -> None:
    plain = write(tmp_path / "data.tar", ("images/day/a.png", png(1)))
    for name, packed in (
        ("data.tar.gz", gzip.compress(plain.read_bytes())),
        ("data.tgz", gzip.compress(plain.read_bytes())[:50]),
        ("data.tar.bz2", bz2.compress(plain.read_bytes())),
    ):
        (tmp_path / name).write_bytes(packed)
        with pytest.raises(SegadaptError, match=rf"{name}: is neither .* unpack it"):
            day(tmp_path / name)
        folder = tmp_path / f"in-{name}"
        folder.mkdir()
        shutil.copy(tmp_path / name, folder)
        with pytest.raises(SegadaptError, match=rf"{name} cannot be read from the middle"):
            day(folder)
    plain.write_bytes(gzip.compress(plain.read_bytes()))  # called a plain one
    with pytest.raises(SegadaptError, match=r"cannot be read as an archive.*unpack it"):
        day(plain)


# Bombs -----------------------------------------------------------------------------------------


def test_small_zip_file_that_holds_gigabytes_is_told_at_once(tmp_path: Path) -> None:
    archive = tmp_path / "data.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("classes.yaml", CLASSES_YAML)
        packed.writestr("images/day/a.png", bytes(2**24))
    content = bytearray(archive.read_bytes())
    for mark, place in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = content.rindex(mark) + place  # of the second file: what it says it has unpacked
        content[at : at + 4] = struct.pack("<I", 2**32 - 2)
    archive.write_bytes(content)
    domain = day(archive)
    start = time.monotonic()
    with pytest.raises(SegadaptError, match=r"a\.png.*would take 4\.0 GiB of memory"):
        domain.image(0)
    assert time.monotonic() - start < 1


def test_file_that_unpacks_to_more_than_it_says_is_told(tmp_path: Path) -> None:
    archive = tmp_path / "data.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("classes.yaml", CLASSES_YAML)
        packed.writestr("images/day/a.png", bytes(2**24))
    content = bytearray(archive.read_bytes())
    at = content.rindex(b"PK\x01\x02") + 24
    content[at : at + 4] = struct.pack("<I", 100)
    archive.write_bytes(content)
    with pytest.raises(SegadaptError, match=r"a\.png.*damaged or was changed"):
        day(archive).image(0)


def test_class_file_in_an_archive_may_not_fill_the_memory(tmp_path: Path) -> None:
    archive = tmp_path / "data.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("classes.yaml", b" " * (2**28 + 1))
        packed.writestr("images/day/a.png", png(1))
    with pytest.raises(SegadaptError, match=r"classes\.yaml: is not readable as text.*too much"):
        day(archive)


@pytest.mark.parametrize("dataset", ["mnist", "usps"])
def test_packed_digits_that_unpack_to_gigabytes_are_told(
    dataset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("segadapt.data.digit_files.MOST_UNPACKED", 2**20)
    if dataset == "mnist":
        (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(bytes(2**22)))
    else:
        (tmp_path / "usps.bz2").write_bytes(bz2.compress(b"1 1:0\n" * 2**20))
    with pytest.raises(SegadaptError, match=r"cannot be read \(is larger than any such file\)"):
        opened(dataset, tmp_path, "train", labelled=False)
