"""Checking the files of a domain."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from miniatures import CLASSES_YAML
from PIL import Image

from segadapt.config import DomainConfig
from segadapt.data.check import check_domain
from segadapt.data.listing import list_domain


def test_check_tells_all_problems_together_by_kind(tmp_path: Path) -> None:
    for i in range(9):
        image, label = tmp_path / f"images/day/{i}.png", tmp_path / f"labels/day/{i}.png"
        for path in (image, label):
            path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((2, 4, 3), np.uint8)).save(image)
        Image.fromarray(np.array([[0, 7, 13, 255]] * 2, np.uint8)).save(label)
    (tmp_path / "classes.yaml").write_text(CLASSES_YAML)
    labels = tmp_path / "labels/day"
    for i in (0, 1, 2):
        (labels / f"{i}.png").unlink()
    (labels / "3.png").write_bytes(b"nothing")
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(labels / "4.png")
    Image.fromarray(np.full((2, 4), 99, np.uint8)).save(labels / "5.png")
    (tmp_path / "images/day/6.png").write_bytes(b"nothing")
    config = DomainConfig(dataset="folder", split="day", role="source")
    found = check_domain(list_domain(config, tmp_path, "domain mine"))
    by_kind = found.problems_by_kind()
    assert {kind: len(messages) for kind, messages in by_kind.items()} == {
        "labels that are missing": 3,
        "labels that cannot be read": 1,
        "labels of another size than their image": 1,
        "labels with ids outside the class map": 1,
        "images that cannot be read": 1,
    }
    assert next(iter(by_kind)) == "labels that are missing"
    assert [name in by_kind["labels that are missing"][i] for i, name in enumerate("012")]
    assert found.sizes == {(2, 4): 8}
    assert found.class_shares == {"road": pytest.approx(2 / 3), "car": pytest.approx(1 / 3)}
