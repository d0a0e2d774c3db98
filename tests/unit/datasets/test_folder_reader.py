"""Your own data."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from miniatures import BUILDERS, CLASSES_YAML, RNG, opened
from PIL import Image

from segadapt.base.errors import SegadaptError
from segadapt.data.check import check_domain


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "webp"])
def test_image_cut_off_or_damaged_anywhere_is_read_or_refused_in_a_sentence(
    suffix: str, tmp_path: Path
) -> None:
    images = tmp_path / "images/day"
    images.mkdir(parents=True)
    (tmp_path / "classes.yaml").write_text(CLASSES_YAML)
    path = images / f"a.{suffix}"
    Image.fromarray(RNG.integers(0, 256, (24, 24, 3)).astype(np.uint8)).save(path)
    whole = path.read_bytes()
    domain = opened("folder", tmp_path, "day", labelled=False)
    rng = np.random.default_rng(1)
    refused = 0
    cuts = [whole[:n] for n in (0, 1, 9, 20, 40, len(whole) // 2)]
    for _ in range(150):
        damaged = bytearray(whole)
        damaged[int(rng.integers(len(whole) if rng.random() < 0.4 else 64))] ^= 1 << rng.integers(8)
        cuts.append(bytes(damaged))
    for content in cuts:
        path.write_bytes(content)
        try:
            assert domain.image(0).ndim == 3
        except SegadaptError as error:
            refused += 1
            assert str(path) in str(error)
    assert refused >= 5


def test_two_images_of_one_name_are_refused(tmp_path: Path) -> None:
    split, _ = BUILDERS["folder"](tmp_path)
    shutil.copy(tmp_path / "images/day/a.jpg", tmp_path / "images/day/a.png")
    with pytest.raises(SegadaptError, match=r"a\.png.*a\.jpg.*same name"):
        opened("folder", tmp_path, split)


MANY_CLASSES = "classes:\n" + "".join(
    f"  - {{name: c{i}, colour: [0, 0, 0], ids: []}}\n" for i in range(256)
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "is missing"),
        ("classes: [", "not valid YAML"),
        ("classes: [\xff, !!int abc]\n", "not valid YAML"),
        ("classes:\n  - 2026-02-31\n", "not valid YAML"),
        ("classes: " + "[" * 3000 + "\n", "nested too deep"),
        ("classes: []\nclasses: []\n", "'classes' is given twice"),
        (CLASSES_YAML.replace("[13]", "3"), "classes.1.ids: must be a list, as [3] (it is 3)"),
        (CLASSES_YAML.replace("colour", "color"), "there are name, colour, ids, rare"),
        (CLASSES_YAML.replace("car", "road"), "classes 0 and 1 (counted from 0) are both called"),
        (CLASSES_YAML.replace("[13]", "[13, 255]").replace("ignore: [255]", ""), "where ignore is"),
        (MANY_CLASSES, "at most 255 classes"),
        ("", "classes.yaml"),
        ("classes: []", "classes"),
        ("classes:\n  - {name: a, colour: [0, 0, 300], ids: [0]}\n", "classes.0.colour.2"),
        (CLASSES_YAML.replace("[13]", "[7]"), "id 7 is given twice, to road and to car"),
        (CLASSES_YAML.replace("[255]", "[13]"), "id 13 is given twice, to ignore and to car"),
        (CLASSES_YAML + "extra: 1\n", "extra"),
    ],
)
def test_bad_classes_file(tmp_path: Path, text: str | None, says: str) -> None:
    split, _ = BUILDERS["folder"](tmp_path)
    (tmp_path / "classes.yaml").unlink()
    if text is not None:
        (tmp_path / "classes.yaml").write_text(text)
    with pytest.raises(SegadaptError) as caught:
        opened("folder", tmp_path, split)
    assert says in str(caught.value) and "classes.yaml" in str(caught.value)


def test_classes_file_gives_names_colours_and_rare_classes(tmp_path: Path) -> None:
    split, _ = BUILDERS["folder"](tmp_path)
    classes = opened("folder", tmp_path, split).classes
    assert classes.names == ("road", "car")
    assert classes.colours == ((128, 64, 128), (0, 0, 142))
    assert classes.rare == (1,)


def test_class_that_the_labels_lack_is_said_by_an_empty_list(tmp_path: Path) -> None:
    split, _ = BUILDERS["folder"](tmp_path)
    (tmp_path / "classes.yaml").write_text(
        CLASSES_YAML.replace("ignore", "  - {name: tram, colour: [0, 80, 100], ids: []}\nignore")
    )
    domain = opened("folder", tmp_path, split)
    assert domain.classes.names == ("road", "car", "tram")
    findings = check_domain(domain)
    assert findings.class_shares["tram"] == 0
    assert not any("tram" in str(problem) for problem in findings.problems)
