"""Labels against their images, and images against the size that they are resized to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segadapt.base.errors import SegadaptError
from segadapt.data.check import check_domain
from segadapt.data.domain import Domain
from segadapt.data.loader import inference_batches, training_batches
from segadapt.data.proportions import header_sizes, squeezed

Make = Callable[..., Domain]


def relabel(domain: Domain, index: int, size: tuple[int, int]) -> None:
    path = domain.samples[index].label
    assert isinstance(path, Path)
    Image.fromarray(np.full(size, 7, np.uint8)).save(path)


def test_label_of_the_domains_size_is_compared_with_its_image(folder_domain: Make) -> None:
    """96x64 images with 64x96 labels, in a domain of size 64x96."""
    domain = folder_domain([(96, 64)] * 2, size=(64, 96))
    for index in range(2):
        relabel(domain, index, (64, 96))
    says = r"is 64x96 \(height x width\) but its image .* is 96x64"
    with pytest.raises(SegadaptError, match=says):
        next(training_batches(domain, 1, 0, (0, 1), (0, 1), False, 0))
    with pytest.raises(SegadaptError, match=says):
        next(inference_batches(domain, 1, (0, 1), 0))
    problems = check_domain(domain).problems_by_kind()
    assert {kind: len(found) for kind, found in problems.items()} == {
        "labels of another size than their image": 2
    }


def test_label_a_few_pixels_off_is_a_warning_where_a_run_takes_it(folder_domain: Make) -> None:
    domain = folder_domain([(48, 64)] * 3, size=(24, 32))
    relabel(domain, 0, (48, 65))
    assert len(list(training_batches(domain, 1, 0, (0, 3), (0, 1), False, 0))) == 3
    found = check_domain(domain)
    assert found.problems == []
    (warning,) = found.warnings
    assert "of another size" in warning.kind and "is 48x65" in warning.message


def test_and_a_problem_where_images_keep_their_sizes(folder_domain: Make) -> None:
    domain = folder_domain([(48, 64)] * 3)
    relabel(domain, 0, (48, 65))
    with pytest.raises(SegadaptError, match=r"is 48x65"):
        list(training_batches(domain, 1, 0, (0, 3), (0, 1), False, 0))
    assert len(check_domain(domain).problems) == 1


def test_size_of_other_proportions_than_the_images_is_told(folder_domain: Make) -> None:
    domain = folder_domain([(48, 64), (48, 64), (24, 64)], size=(24, 64))
    sentence = squeezed(domain, header_sizes(domain))
    assert sentence is not None
    assert "size [24, 64]" in sentence and "2 of 3 images" in sentence and "48x64" in sentence
    assert [w.message for w in check_domain(domain).warnings] == [sentence]


@pytest.mark.parametrize("size", [None, (24, 32), (50, 64)])
def test_nothing_is_told_where_images_keep_their_shape(
    folder_domain: Make, size: tuple[int, int] | None
) -> None:
    domain = folder_domain([(48, 64)] * 2, size=size)
    assert squeezed(domain, header_sizes(domain)) is None
    assert check_domain(domain).warnings == []
