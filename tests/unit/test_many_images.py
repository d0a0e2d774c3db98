"""What is done once, or not at all, for each of a million images."""

from __future__ import annotations

import math
import pickle
import re
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from miniatures import CLASSES_YAML, opened
from PIL import Image

from segadapt.artefacts import SPLIT_FILE, RankedImage, Split, strict_json
from segadapt.config.load import validate
from segadapt.data import same_images as module
from segadapt.data.left_out import LeftOut
from segadapt.data.lists import _by_name_and_path, listed
from segadapt.data.walk import pictures_of
from segadapt.report.charts import MOST_POINTS, ranked_curve
from segadapt.report.read import _shown
from segadapt.stages import context as context_module
from segadapt.stages.context import StageContext


def folder(root: Path, number: int) -> Path:
    """A data set of uncompressed images, whose files are of one length."""
    images = root / "images/day"
    images.mkdir(parents=True)
    for i in range(number):
        pixels = np.random.default_rng(i).integers(0, 256, (32, 48, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(images / f"{i}.bmp")
    (root / "classes.yaml").write_text(CLASSES_YAML)
    return root


def test_a_run_lists_each_of_its_domains_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    domain = {"dataset": "folder", "split": "day", "root": str(folder(tmp_path / "data", 2))}
    train = {
        "stage": "train",
        "method": "source_only",
        "source": "source",
        "model": {"backbone": "squeezenet1_0", "weights": "none"},
        "iterations": 1,
    }
    raw = {
        "name": "many",
        "domains": {
            "source": {**domain, "role": "source"},
            "target": {**domain, "role": "target"},
        },
        "stages": {"train": train},
    }
    context = StageContext(validate(raw, "many"), tmp_path, tmp_path, seed=0)
    asked: list[str] = []
    real = context_module.open_domain

    def counted(*arguments: object) -> object:
        asked.append(str(arguments[3]))
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(context_module, "open_domain", counted)
    first = context.domain("target", labelled=False)
    assert context.domain("target", labelled=False) is first
    context.domain("source", labelled=False)
    assert asked == ["domain 'target'", "domain 'source'"]
    # Processes are not sent millions of names: each lists for itself.
    assert "_listed" not in pickle.loads(pickle.dumps(context)).__dict__


def test_files_of_one_length_are_each_looked_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = opened("folder", folder(tmp_path / "a", 6), "day", labelled=False)
    other = opened("folder", folder(tmp_path / "b", 4), "day", labelled=False)
    looked: list[object] = []
    real = module._part
    monkeypatch.setattr(module, "_part", lambda path: looked.append(path) or real(path))
    assert module.same_images(one, other) == ["0", "1", "2", "3"]
    assert len(looked) == len(set(looked)) == 10


def test_a_list_of_file_names_needs_no_other_ends_of_paths(tmp_path: Path) -> None:
    domain = opened("folder", folder(tmp_path / "a", 2), "day", labelled=False)
    assert set(_by_name_and_path(domain.samples, {1})) == {"0", "0.bmp", "1", "1.bmp"}
    (tmp_path / "list.txt").write_text("1.bmp\nday/0.bmp\n")
    found = listed(domain.samples, tmp_path / "list.txt", "mine")
    assert [sample.name for sample in found] == ["1", "0"]


def test_files_written_piece_by_piece_are_whole_and_strict(tmp_path: Path) -> None:
    images = tuple(RankedImage(f"{i}", i / 3, math.nan, 1, 0, "easy") for i in range(3))
    split = Split("target", 0.5, "none", images)
    split.save(tmp_path)
    text = (tmp_path / SPLIT_FILE).read_text()
    assert text == strict_json(asdict(split), indent=1) + "\n"
    assert "NaN" not in text and text.count("null") == 3
    assert [x.name for x in tmp_path.iterdir()] == [SPLIT_FILE]
    finite = Split("target", 0.5, "none", tuple(replace(x, mean_entropy=0.5) for x in images))
    finite.save(tmp_path)
    assert Split.load(tmp_path) == finite


def test_images_are_sorted_as_their_paths_are(tmp_path: Path) -> None:
    names = ("a-b/1.png", "a/2.png", "a/10.png", "a.b/3.png", "a0.png", "A/1.png", "ä/1.png")
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [path for path, _ in pictures_of(tmp_path, LeftOut())]
    assert found == sorted(tmp_path / name for name in names)


def test_a_curve_of_very_many_scores_has_as_many_points_as_can_be_seen() -> None:
    number = 50 * MOST_POINTS
    scores = [i / number for i in range(number)]
    assert points(scores, number // 2) == [MOST_POINTS, MOST_POINTS]
    assert points(scores[:500], 500) == [500]


def points(scores: list[float], easy: int) -> list[int]:
    """Of each line of the curve."""
    page = str(ranked_curve(scores, [i < easy for i in range(len(scores))]))
    lines = re.findall(r'<polyline class="line \w+" points="([^"]+)"', page)
    return [len(line.split()) for line in lines]


def test_pictures_of_places_past_99999_are_found(tmp_path: Path) -> None:
    for name in ("00003.image.jpg", "00003.entropy.png", "120000.image.jpg", "notes.txt"):
        (tmp_path / name).touch()
    assert _shown(tmp_path, 10**6) == [3, 120000]
    assert _shown(tmp_path, 10) == [3]
    assert _shown(tmp_path / "none", 10) == []
