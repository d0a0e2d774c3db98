"""Several domains as one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from segadapt.data.domain import Domain
from segadapt.data.mixture import mixture

MakeDomain = Callable[..., Domain]


def test_images_are_numbered_through(folder_domain: MakeDomain) -> None:
    domain = folder_domain([(4, 6)] * 3)
    both = mixture([(domain, 1.0), (domain.subset([domain.samples[2].name]), 2.0)])
    assert len(both) == 4 and both.lengths == (3, 1) and both.weights == (1.0, 2.0)
    assert [both.part(i)[1] for i in range(4)] == [0, 1, 2, 0]
    assert both.part(3)[0] is both.domains[1]
    with pytest.raises(IndexError):
        both.part(4)


def test_checkpoints_are_shown_images_of_the_first_domains_size(folder_domain: MakeDomain) -> None:
    domain = folder_domain([(4, 6)] * 3)
    small, large = replace(domain, size=(4, 6)), replace(domain, size=(8, 12))
    assert mixture([(small, 1.0), (large, 1.0)]).size == (4, 6)
    assert mixture([(small, 1.0), (replace(domain, size=None), 1.0)]).size is None
