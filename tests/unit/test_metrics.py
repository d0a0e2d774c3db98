"""Scores by hand, and against independent implementations."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from segadapt.base.classes import CITYSCAPES_19, ClassSet
from segadapt.metrics import ConfusionMatrix, Scores, mean_iou, score

THREE = ClassSet("three", ("a", "b", "c"), ((10, 0, 0), (0, 20, 0), (0, 0, 30)))


def counts(
    truth: NDArray[np.integer], predicted: NDArray[np.integer], classes: int
) -> torch.Tensor:
    matrix = ConfusionMatrix(classes, torch.device("cpu"))
    matrix.update(torch.from_numpy(predicted), torch.from_numpy(truth))
    return matrix.counts()


def scores(truth: list[int], predicted: list[int], classes: ClassSet = THREE) -> Scores:
    matrix = counts(np.array(truth), np.array(predicted), len(classes.names))
    return score(matrix, classes)


def test_scores_by_hand() -> None:
    found = scores([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 2, 2])
    assert found.confusion == [[2, 1, 0], [0, 1, 1], [0, 0, 1]]  # rows are the truth
    # intersection over union: 2 of 3, 1 of 3 and 1 of 2
    assert found.iou == pytest.approx([2 / 3, 1 / 3, 1 / 2])
    assert found.miou == pytest.approx((2 / 3 + 1 / 3 + 1 / 2) / 3)
    assert found.pixel_accuracy == pytest.approx(4 / 6)


def test_perfect_and_wholly_wrong_predictions() -> None:
    assert scores([0, 1, 2], [0, 1, 2]).miou == 1
    assert scores([0, 1, 2], [1, 2, 0]).miou == 0


def test_absent_class_has_no_score_and_is_left_out_of_the_mean() -> None:
    found = scores([0, 0, 1, 1], [0, 0, 1, 0])
    assert found.iou[2] is None
    assert found.miou == pytest.approx((2 / 3 + 1 / 2) / 2)


def test_class_predicted_but_never_labelled_counts_as_zero() -> None:
    found = scores([0, 0, 1, 1], [0, 0, 1, 2])
    assert found.iou[2] == 0
    assert found.miou == pytest.approx((1 + 1 / 2 + 0) / 3)


def test_class_labelled_but_never_predicted_counts_as_zero() -> None:
    assert scores([0, 2], [0, 0]).iou == [pytest.approx(1 / 2), None, 0]


def test_ignored_pixels_count_nowhere() -> None:
    plain = scores([0, 1, 1], [0, 1, 0])
    ignored = scores([0, 1, 1, 255, 255, 255], [0, 1, 0, 0, 1, 2])
    assert ignored == plain


def test_nothing_labelled_gives_no_number() -> None:
    found = scores([255, 255], [0, 1])
    assert found.iou == [None, None, None]
    assert math.isnan(found.miou)
    assert math.isnan(found.pixel_accuracy)


def test_counts_before_the_first_image_are_zero() -> None:
    assert ConfusionMatrix(3, torch.device("cpu")).counts().tolist() == [[0] * 3] * 3


def test_counts_add_up_over_images_of_any_size() -> None:
    rng = np.random.default_rng(0)
    matrix = ConfusionMatrix(3, torch.device("cpu"))
    truths, predictions = [], []
    for shape in ((4, 5), (1, 7), (2, 3)):
        truth, predicted = rng.integers(0, 3, shape), rng.integers(0, 3, shape)
        matrix.update(torch.from_numpy(predicted), torch.from_numpy(truth))
        truths.append(truth.ravel())
        predictions.append(predicted.ravel())
    whole = counts(np.concatenate(truths), np.concatenate(predictions), 3)
    assert torch.equal(matrix.counts(), whole)


def test_label_may_hold_bytes() -> None:
    truth = np.array([[0, 255, 1]], np.uint8)
    assert counts(truth, np.array([[0, 1, 0]]), 2).tolist() == [[1, 0], [1, 0]]


def test_subset_is_the_mean_over_its_classes_that_are_present() -> None:
    classes = ClassSet(
        "four", ("a", "b", "c", "d"), ((0, 0, 0),) * 4, subsets={"ab": (0, 1), "cd": (2, 3)}
    )
    found = scores([0, 0, 1, 2], [0, 1, 1, 2], classes)
    assert found.subsets == {"ab": pytest.approx((1 / 2 + 1 / 2) / 2), "cd": 1}


def test_mean_over_no_class_is_no_number() -> None:
    assert math.isnan(mean_iou([None, None]))


def test_synthia_protocols_leave_out_the_published_classes() -> None:
    names = set(CITYSCAPES_19.names)

    def members(subset: str) -> set[str]:
        return {CITYSCAPES_19.names[i] for i in CITYSCAPES_19.subsets[subset]}

    assert len(names) == 19
    assert names - members("16") == {"terrain", "truck", "train"}
    assert members("16") - members("13") == {"wall", "fence", "pole"}
    assert len(members("13")) == 13


@given(
    st.integers(1, 6).flatmap(
        lambda classes: st.tuples(
            st.just(classes),
            st.lists(
                st.tuples(
                    st.one_of(st.integers(0, classes - 1), st.just(255)),
                    st.integers(0, classes - 1),
                ),
                max_size=60,
            ),
        )
    )
)
def test_iou_is_that_of_sets_of_pixels(case: tuple[int, list[tuple[int, int]]]) -> None:
    number, pairs = case
    if number < 2:
        number = 2
    truth = np.array([t for t, _ in pairs], int)
    predicted = np.array([p for _, p in pairs], int)
    classes = ClassSet("any", ("x",) * number, ((0, 0, 0),) * number)
    found = score(counts(truth, predicted, number), classes)
    used = {i for i, t in enumerate(truth) if t != 255}
    for k in range(number):
        labelled = {i for i in used if truth[i] == k}
        guessed = {i for i in used if predicted[i] == k}
        union = labelled | guessed
        expected = len(labelled & guessed) / len(union) if union else None
        assert found.iou[k] == pytest.approx(expected)
    assert sum(map(sum, found.confusion)) == len(used)


def test_confusion_and_iou_are_those_of_scikit_learn() -> None:
    sklearn_metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(1)
    truth, predicted = rng.integers(0, 19, 5000), rng.integers(0, 19, 5000)
    found = score(counts(truth, predicted, 19), CITYSCAPES_19)
    np.testing.assert_array_equal(
        found.confusion, sklearn_metrics.confusion_matrix(truth, predicted)
    )
    np.testing.assert_allclose(
        np.array(found.iou, float), sklearn_metrics.jaccard_score(truth, predicted, average=None)
    )
    assert found.pixel_accuracy == pytest.approx(sklearn_metrics.accuracy_score(truth, predicted))
