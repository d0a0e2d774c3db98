"""Data sets in .zip and .tar files."""

from __future__ import annotations

import io
import pickle
import shutil
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from miniatures import BUILDERS, opened

from segadapt.base.errors import SegadaptError
from segadapt.data import loader
from segadapt.data.check import check_domain
from segadapt.data.domain import Domain, Sample
from segadapt.data.loader import inference_batches, training_batches
from segadapt.data.paths import ArchivePath, open_root


def pack(folder: Path, archive: Path, top: str = "") -> Path:
    """Put everything below ``folder`` into an archive, below ``top`` there, and remove it."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    names = [f"{top}{path.relative_to(folder).as_posix()}" for path in files]
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
            for path, name in zip(files, names, strict=True):
                out.write(path, name)
    else:
        with tarfile.open(archive, "w") as tar:
            for path, name in zip(files, names, strict=True):
                tar.add(path, name)
    shutil.rmtree(folder)
    return archive


def contents(domain: Domain) -> list[tuple[str, bytes, bytes]]:
    return [
        (sample.name, domain.image(i).tobytes(), domain.label(i).tobytes())
        for i, sample in enumerate(domain.samples)
    ]


@pytest.mark.parametrize("suffix", [".zip", ".tar"])
@pytest.mark.parametrize("top", ["", "TOP/"])
@pytest.mark.parametrize("dataset", sorted(set(BUILDERS) - {"scenes"}))
def test_archive_gives_what_the_folder_gives(
    dataset: str, top: str, suffix: str, tmp_path: Path
) -> None:
    split, _ = BUILDERS[dataset](tmp_path / "data")
    wanted = contents(opened(dataset, tmp_path / "data", split))
    archive = pack(tmp_path / "data", tmp_path / f"data{suffix}", top)
    domain = opened(dataset, archive, split)
    assert contents(domain) == wanted
    found = check_domain(domain)
    assert found.problems == [] and found.images == 2


def test_folder_of_archives_is_one_data_set(tmp_path: Path) -> None:
    data = tmp_path / "data"
    split, _ = BUILDERS["cityscapes"](data)
    wanted = contents(opened("cityscapes", data, split))
    pack(data / "leftImg8bit", data / "leftImg8bit_trainvaltest.zip", "leftImg8bit/")
    assert contents(opened("cityscapes", data, split)) == wanted  # the other half is unpacked
    pack(data / "gtFine", data / "gtFine_trainvaltest.zip", "gtFine/")
    assert contents(opened("cityscapes", data, split)) == wanted


@pytest.mark.parametrize("suffix", [".zip", ".tar"])
@pytest.mark.parametrize("workers", [0, 2])
def test_worker_processes_read_archives(suffix: str, workers: int, tmp_path: Path) -> None:
    split, wanted = BUILDERS["idd_lite"](tmp_path / "data")
    archive = pack(tmp_path / "data", tmp_path / f"data{suffix}")
    domain = opened("idd_lite", archive, split)
    domain.image(0)  # opens the archive in this process too, before the others are forked
    for batch in training_batches(domain, 2, 0, (0, 6), (0, 1), False, workers):
        assert batch.label is not None
        assert torch.equal(batch.label, torch.from_numpy(np.stack([wanted] * 2)))
    (batch,) = inference_batches(domain, 2, (0, 1), workers)
    assert batch.indices == [0, 1]


def test_domain_in_an_archive_can_be_sent_to_a_process(tmp_path: Path) -> None:
    split, wanted = BUILDERS["synthia"](tmp_path / "data")
    domain = opened("synthia", pack(tmp_path / "data", tmp_path / "synthia.zip", "RAND/"), split)
    again = pickle.loads(pickle.dumps(domain))
    assert np.array_equal(again.label(1), wanted)


def test_unlabelled_domain_needs_no_labels_in_the_archive(tmp_path: Path) -> None:
    split, _ = BUILDERS["camvid"](tmp_path / "data")
    shutil.rmtree(tmp_path / "data" / "labels")
    archive = pack(tmp_path / "data", tmp_path / "data.zip")
    assert opened("camvid", archive, split, labelled=False).image(0).ndim == 3
    with pytest.raises(SegadaptError, match=r"2 of 2 images have no label file.*data\.zip"):
        opened("camvid", archive, split)


def test_file_in_an_archive_is_named_with_it(tmp_path: Path) -> None:
    split, _ = BUILDERS["camvid"](tmp_path / "data")
    (tmp_path / "data" / "images" / split / "0001TP_006720.png").write_bytes(b"no image")
    domain = opened("camvid", pack(tmp_path / "data", tmp_path / "data.zip"), split)
    with pytest.raises(SegadaptError, match=r"data\.zip:images/val/0001TP_006720\.png.*decoded"):
        domain.image(1)


def test_damaged_and_compressed_archives_are_sentences(tmp_path: Path) -> None:
    for name in ("a.zip", "a.tar"):
        (tmp_path / name).write_bytes(b"PK no archive" * 50)
        with pytest.raises(SegadaptError, match=f"{name}: cannot be read as an archive"):
            opened("camvid", tmp_path / name, "val")
    (tmp_path / "b.tar.gz").write_bytes(b"x")
    with pytest.raises(SegadaptError, match=r"b\.tar\.gz: is neither .* unpack it"):
        open_root(tmp_path / "b.tar.gz")


def test_archive_of_the_labels_is_not_opened_for_images(tmp_path: Path) -> None:
    for dataset, images, labels in (
        ("cityscapes", "leftImg8bit", "gtFine"),
        ("foggy_cityscapes", "leftImg8bit_foggy", "gtFine"),
        ("acdc", "rgb_anon", "gt"),
        ("gta5", "images", "labels"),
    ):
        data = tmp_path / dataset
        split, _ = BUILDERS[dataset](data)
        # Named as the data sets' own archives are.
        name = {"leftImg8bit_foggy": "leftImg8bit_trainvaltest_foggy", "images": "01_images"}
        pack(
            data / images, data / f"{name.get(images, images + '_trainvaltest')}.zip", images + "/"
        )
        shutil.rmtree(data / labels)
        (data / f"01_{labels}.zip").write_bytes(b"opening this is an error")
        domain = opened(dataset, data, split, labelled=False)
        assert domain.image(1).ndim == 3
        assert check_domain(domain).problems == []
        with pytest.raises(SegadaptError, match=f"01_{labels}.zip: cannot be read as an archive"):
            opened(dataset, data, split)


def test_no_archive_is_opened_for_what_is_unpacked(tmp_path: Path) -> None:
    split, _ = BUILDERS["cityscapes"](tmp_path)
    (tmp_path / "leftImg8bit_trainvaltest.zip").write_bytes(b"half a download")
    domain = opened("cityscapes", tmp_path, split)
    assert len(contents(domain)) == 2
    assert all(isinstance(sample.image, Path) for sample in domain.samples)


def test_additions_of_macos_are_no_images(tmp_path: Path) -> None:
    split, _ = BUILDERS["camvid"](tmp_path / "data")
    archive = pack(tmp_path / "data", tmp_path / "data.zip", "TOP/")
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("__MACOSX/TOP/images/val/._0001TP_006690.png", b"x")
        file.writestr("TOP/images/val/._0001TP_006690.png", b"x")
    assert len(opened("camvid", archive, split)) == 2


def test_second_name_of_a_file_in_a_tar_file_has_its_content(tmp_path: Path) -> None:
    split, _ = BUILDERS["camvid"](tmp_path / "data")
    for part in ("images", "labels"):
        folder = tmp_path / "data" / part / split
        (folder / "z.png").hardlink_to(folder / "0001TP_006690.png")
    domain = opened("camvid", pack(tmp_path / "data", tmp_path / "data.tar"), split)
    assert [sample.name for sample in domain.samples] == ["0001TP_006690", "0001TP_006720", "z"]
    assert np.array_equal(domain.image(2), domain.image(0))
    assert np.array_equal(domain.label(2), domain.label(0))


@pytest.mark.parametrize("suffix", [".zip", ".tar"])
def test_archive_damaged_within_is_a_sentence(suffix: str, tmp_path: Path) -> None:
    split, _ = BUILDERS["camvid"](tmp_path / "data")
    archive = pack(tmp_path / "data", tmp_path / f"data{suffix}")
    domain = opened("camvid", archive, split)
    content = archive.read_bytes()
    before = b"0001TP_006690.png" if suffix == ".zip" else b"\x89PNG"  # the first image's content
    place = content.index(before) + len(before)
    archive.write_bytes(content[:place] + b"not what was there" + content[place + 18 :])
    with pytest.raises(
        SegadaptError, match=r"0001TP_006690\.png: the image file cannot be decoded"
    ):
        domain.image(0)


def test_encrypted_archive_is_a_sentence_at_once(tmp_path: Path) -> None:
    split, _ = BUILDERS["camvid"](tmp_path / "data")
    archive = pack(tmp_path / "data", tmp_path / "data.zip")
    content = bytearray(archive.read_bytes())
    place = content.index(b"PK\x01\x02")
    content[place + 8] |= 1  # the first file's flags in the list of contents
    archive.write_bytes(content)
    with pytest.raises(SegadaptError, match=r"data\.zip: .*is encrypted.*unpack it"):
        opened("camvid", archive, split)


def test_folder_of_compressed_archives_says_to_unpack(tmp_path: Path) -> None:
    split, _ = BUILDERS["cityscapes"](tmp_path)
    with tarfile.open(tmp_path / "leftImg8bit.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "leftImg8bit", "leftImg8bit")
    assert len(opened("cityscapes", tmp_path, split)) == 2
    shutil.rmtree(tmp_path / "leftImg8bit")
    with pytest.raises(SegadaptError, match=r"no such folder.*leftImg8bit\.tar\.gz.*unpack"):
        opened("cityscapes", tmp_path, split)


@pytest.mark.slow  # the worker imports torch afresh
def test_worker_that_is_started_afresh_reads_archives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loader, "START_METHOD", "spawn")
    split, wanted = BUILDERS["idd_lite"](tmp_path / "data")
    domain = opened("idd_lite", pack(tmp_path / "data", tmp_path / "data.tar"), split)
    (batch,) = training_batches(domain, 2, 0, (0, 1), (0, 1), False, 1)
    assert torch.equal(batch.label, torch.from_numpy(np.stack([wanted] * 2)))


def test_ordinary_folder_stays_a_path(tmp_path: Path) -> None:
    assert open_root(tmp_path) == tmp_path
    assert not isinstance(open_root(tmp_path / "nowhere"), ArchivePath)


OUTSIDE = ["../evil.png", "images/../../evil.png", "/tmp/evil.png", "images\\..\\..\\evil.png"]


@pytest.mark.parametrize("suffix", [".zip", ".tar"])
@pytest.mark.parametrize("name", OUTSIDE)
def test_archive_with_a_name_that_leads_outside_is_refused(
    tmp_path: Path, suffix: str, name: str
) -> None:
    """Labels and translations of its images would be written under that name."""
    archive = tmp_path / f"data{suffix}"
    if suffix == ".zip":
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("images/val/a.png", b"x")
            file.writestr(zipfile.ZipInfo(name), b"x")
    else:
        with tarfile.open(archive, "w") as file:
            for inner in ("images/val/a.png", name):
                info = tarfile.TarInfo(inner)
                info.size = 1
                file.addfile(info, io.BytesIO(b"x"))
    with pytest.raises(SegadaptError, match=r"which leads outside") as caught:
        open_root(archive).is_dir()
    assert str(archive) in str(caught.value) and len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("name", [*OUTSIDE, "", "a\0b"])
def test_image_of_such_a_name_is_in_no_domain(name: str) -> None:
    with pytest.raises(SegadaptError, match=r"leads outside"):
        Sample(name, Path("a.png"))
    assert Sample("folder/..a..b", Path("a.png")).name == "folder/..a..b"


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_tar_file_that_was_cut_off_is_told_and_not_shortened(tmp_path: Path, kept: float) -> None:
    """Also where the cut lies between two files, which readers take for the end."""
    archive = tmp_path / "data.tar"
    with tarfile.open(archive, "w") as file:
        for number in range(10):
            info = tarfile.TarInfo(f"images/val/{number}.png")
            info.size = 512
            file.addfile(info, io.BytesIO(b"x" * 512))
    archive.write_bytes(archive.read_bytes()[: round(kept * 10) * 1024])
    with pytest.raises(SegadaptError, match=r"cannot be read as an archive.*cut off"):
        open_root(archive).is_dir()
