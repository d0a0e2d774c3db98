"""Score tables in every format, from values worked out by hand."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from segadapt.base.errors import SegadaptError
from segadapt.commands.tables import score_table, write_table

RESULT: dict[str, Any] = {
    "domain": "own val",
    "classes": ["road", "traffic_sign", "train"],
    "absent_rule": "rule",
    "scores": [
        {
            "checkpoint": "advent",
            "oracle": False,
            "iou": [0.9, 0.256, None],
            "miou": 0.578,
            "pixel_accuracy": 0.8,
            "subsets": {"2": 0.9},
        },
        {
            "checkpoint": "best",
            "oracle": True,
            "iou": [1.0, 0.0, 0.5],
            "miou": 0.5,
            "pixel_accuracy": float("nan"),
            "subsets": {"2": 1.0},
        },
    ],
}
WANTED = [
    ["class", "advent", "best (oracle)"],
    ["road", "90.0", "100.0"],
    ["traffic_sign", "25.6", "0.0"],
    ["train", "", "50.0"],
    ["mIoU of 2 or 3", "57.8", "50.0"],
    ["mIoU of 2", "90.0", "100.0"],
    ["pixel accuracy", "80.0", ""],
]


def test_table_has_classes_means_and_empty_cells_for_absent_ones() -> None:
    assert score_table(RESULT) == WANTED


def test_csv_reads_back(tmp_path: Path) -> None:
    write_table(tmp_path / "t.csv", RESULT)
    with (tmp_path / "t.csv").open(newline="") as file:
        assert list(csv.reader(file)) == WANTED


def test_markdown_lines(tmp_path: Path) -> None:
    write_table(tmp_path / "t.md", RESULT)
    lines = (tmp_path / "t.md").read_text().splitlines()
    assert lines[0] == "| class | advent | best (oracle) |"
    assert lines[1] == "| --- | ---: | ---: |"
    assert lines[4] == "| train |  | 50.0 |"


def test_latex_escapes_and_ends_its_lines(tmp_path: Path) -> None:
    write_table(tmp_path / "t.tex", RESULT)
    text = (tmp_path / "t.tex").read_text()
    assert text.startswith("\\begin{tabular}{lrr}\n\\toprule\n")
    assert "traffic\\_sign & 25.6 & 0.0 \\\\\n" in text
    assert text.rstrip().endswith("\\bottomrule\n\\end{tabular}")


def test_unknown_suffix_and_unwritable_file_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(SegadaptError, match=r"\.xlsx: must end in one of \.csv, \.md, \.tex"):
        write_table(tmp_path / "t.xlsx", RESULT)
    with pytest.raises(SegadaptError, match="cannot be written"):
        write_table(tmp_path / "nowhere" / "t.csv", RESULT)


def test_the_mean_says_over_how_many_classes_it_is() -> None:
    """Of three classes one is absent: the mean is over two."""
    score = {
        "checkpoint": "a",
        "oracle": False,
        "iou": [0.5, None, 0.7],
        "miou": 0.6,
        "subsets": {},
        "pixel_accuracy": 0.8,
    }
    result = {"classes": ["x", "y", "z"], "scores": [score]}
    assert ["mIoU of 2", "60.0"] in score_table(result)
    other = {**score, "iou": [0.5, 0.0, 0.7]}
    assert score_table({**result, "scores": [score, other]})[4][0] == "mIoU of 2 or 3"
