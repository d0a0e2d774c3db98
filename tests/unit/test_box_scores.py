"""AP of boxes: as COCO's own program has it, whoever detects, and however many do."""

from __future__ import annotations

import contextlib
import io
import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from segadapt.base.detections import Detections
from segadapt.base.errors import SegadaptError
from segadapt.metrics_boxes import require_box_scores, score_boxes

Truth = NDArray[np.float32]


def found(*rows: tuple[float, ...]) -> Detections:
    """Of rows (left, top, right, bottom, score, class)."""
    table = torch.tensor(rows, dtype=torch.float32).reshape(-1, 6)
    return Detections(table[:, :4], table[:, 4], table[:, 5].long())


def true(*rows: tuple[float, ...]) -> Truth:
    """Of rows (left, top, right, bottom, class[, ignored])."""
    return np.array([(*row, 0.0)[:6] for row in rows], np.float32).reshape(-1, 6)


def random_images(number: int, classes: int, seed: int) -> tuple[list[Detections], list[Truth]]:
    """True boxes, some of them crowds, and boxes near them and elsewhere; empty images too."""
    random = np.random.default_rng(seed)
    predictions, truths = [], []
    for image in range(number):
        count = 0 if image % 5 == 0 else int(random.integers(1, 9))
        corner = random.uniform(0, 200, (count, 2))
        side = random.uniform(4, 120, (count, 2))
        ids = random.integers(0, classes, (count, 1))
        crowd = random.random((count, 1)) < 0.15
        truth = np.hstack([corner, corner + side, ids, crowd]).astype(np.float32)
        near = np.repeat(truth, 2, axis=0)
        near[:, :4] += random.normal(0, 6, (len(near), 4)).astype(np.float32)
        wild = 0 if image % 7 == 0 else 130 if image == 3 else 4
        corner = random.uniform(0, 200, (wild, 2))
        far = np.hstack([corner, corner + random.uniform(4, 90, (wild, 2)), np.zeros((wild, 2))])
        rows = np.vstack([near, far]).astype(np.float32)
        rows[:, 2:4] = np.maximum(rows[:, 2:4], rows[:, :2] + 1)
        # Many are equally sure, so that the order of boxes and images shows.
        scores = random.integers(1, 20, len(rows)).astype(np.float32) / 20
        labels = random.integers(0, classes, len(rows))
        right = random.random(len(rows)) < 0.7
        labels = np.where(right, rows[:, 4].astype(np.int64), labels)
        order = np.argsort(-scores, kind="stable")
        predictions.append(
            Detections(
                torch.from_numpy(rows[order, :4].copy()),
                torch.from_numpy(scores[order]),
                torch.from_numpy(labels[order]),
            )
        )
        truths.append(truth)
    return predictions, truths


def by_coco(predictions: list[Detections], truths: list[Truth], classes: int) -> COCOeval:
    """COCO's own program on files of the same boxes."""
    annotations: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    for image, (prediction, truth) in enumerate(zip(predictions, truths, strict=True)):
        for left, top, right, bottom, label, crowd in truth.tolist():
            width, height = (
                float(np.float32(b) - np.float32(a)) for a, b in ((left, right), (top, bottom))
            )
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image,
                    "category_id": int(label),
                    "bbox": [left, top, width, height],
                    "area": width * height,
                    "iscrowd": int(crowd),
                }
            )
        sides = (prediction.boxes[:, 2:] - prediction.boxes[:, :2]).tolist()
        columns = (prediction.boxes.tolist(), sides, prediction.scores, prediction.labels)
        results += [
            {
                "image_id": image,
                "category_id": int(label),
                "bbox": [*box[:2], *side],
                "score": float(score),
            }
            for box, side, score, label in zip(*columns, strict=True)
        ]
    truth_file = COCO()
    truth_file.dataset = {
        "info": {},
        "images": [{"id": i} for i in range(len(truths))],
        "categories": [{"id": i, "name": str(i)} for i in range(classes)],
        "annotations": annotations,
    }
    with contextlib.redirect_stdout(io.StringIO()):
        truth_file.createIndex()
        evaluation = COCOeval(truth_file, truth_file.loadRes(results), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation


@pytest.mark.parametrize("seed", range(4))
def test_equals_cocos_own_program(seed: int) -> None:
    predictions, truths = random_images(40, 3, seed)
    ours = score_boxes(predictions, truths, 3)
    theirs = by_coco(predictions, truths, 3)
    assert [ours.map, ours.ap50, ours.ap75] == pytest.approx(theirs.stats[:3], abs=1e-12)
    precision = theirs.eval["precision"][:, :, :, 0, -1]
    for place in range(3):
        assert ours.precision[place] == pytest.approx(precision[0, :, place], abs=1e-12)
        assert ours.class_ap[place] == pytest.approx(precision[:, :, place].mean(), abs=1e-12)
        assert ours.class_ap50[place] == pytest.approx(precision[0, :, place].mean(), abs=1e-12)
    assert 0.1 < ours.map < ours.ap50 < 0.95


def test_by_hand() -> None:
    """Two cars: the surest box is one, the next is nothing, the third is the other car, cut."""
    truth = [true((0, 0, 10, 10, 0), (20, 0, 30, 10, 0)), true((0, 0, 8, 8, 2, 1))]
    prediction = [
        found(
            (0, 0, 10, 10, 0.9, 0),
            (50, 50, 60, 60, 0.8, 0),
            (20, 0, 30, 7, 0.7, 0),  # IoU 0.7
            (0, 0, 9, 9, 0.6, 1),
        ),
        found((0, 0, 8, 8, 0.5, 2)),
    ]
    scores = score_boxes(prediction, truth, 4)
    # Recall 0.5 with precision 1 (51 recalls), the other 50 with precision 2/3.
    at_50 = (51 + 50 * 2 / 3) / 101
    assert scores.class_ap50 == [pytest.approx(at_50), None, None, None]
    assert scores.ap50 == pytest.approx(at_50)
    # Above 0.7 the second car is not found: 0.75 to 0.95, five of ten.
    assert scores.ap75 == pytest.approx(51 / 101)
    assert scores.map == pytest.approx((5 * at_50 + 5 * 51 / 101) / 10)
    assert scores.boxes == [2, 0, 0, 0]
    assert scores.precision[0] is not None and scores.precision[0][50:52] == [
        1.0,
        pytest.approx(2 / 3),
    ]


def test_nothing_found_is_0_and_nothing_there_is_no_number() -> None:
    nothing_found = score_boxes([found()], [true((0, 0, 5, 5, 1))], 2)
    assert (nothing_found.ap50, nothing_found.class_ap50) == (0.0, [None, 0.0])
    nothing_there = score_boxes([found((0, 0, 5, 5, 0.5, 1))], [true()], 2)
    assert math.isnan(nothing_there.map) and nothing_there.class_ap == [None, None]
    assert math.isnan(score_boxes([], [], 2).ap50)


def test_missing_extra_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    require_box_scores()
    monkeypatch.setattr("segadapt.base.extras.find_spec", lambda _: None)
    with pytest.raises(SegadaptError, match=r"segadapt\[boxes\]"):
        require_box_scores()
