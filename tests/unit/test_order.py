"""Which images each iteration sees, and how far they are moved."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segadapt.config import Jitter
from segadapt.data.order import training_order


@given(st.integers(1, 9), st.integers(1, 5), st.integers(0, 2**31), st.booleans())
@settings(max_examples=40, deadline=None)
def test_every_epoch_is_a_permutation(length: int, batch: int, seed: int, flip: bool) -> None:
    order = training_order((length,), batch, seed, 0, 3 * length, flip)
    flat = [draw.image for drawn in order for draw in drawn]
    assert len(flat) == 3 * length * batch
    for start in range(0, len(flat), length):
        assert sorted(flat[start : start + length]) == list(range(length))


@given(st.integers(1, 9), st.integers(1, 5), st.integers(0, 99), st.integers(0, 20))
@settings(max_examples=40, deadline=None)
def test_order_is_a_function_of_its_arguments_and_can_start_anywhere(
    length: int, batch: int, seed: int, start: int
) -> None:
    whole = list(training_order((length,), batch, seed, 0, 20, True))
    assert list(training_order((length,), batch, seed, 0, 20, True)) == whole
    assert list(training_order((length,), batch, seed, start, 20, True)) == whole[start:]


def test_epochs_and_seeds_differ() -> None:
    flat = [d.image for b in training_order((50,), 1, 0, 0, 100, False) for d in b]
    assert flat[:50] != flat[50:]
    assert flat[:50] != list(range(50))
    assert flat[:50] != [d.image for b in training_order((50,), 1, 1, 0, 50, False) for d in b]


def test_flip_mirrors_about_half_and_changes_no_order() -> None:
    plain = [d for b in training_order((400,), 4, 0, 0, 100, False) for d in b]
    flipped = [d for b in training_order((400,), 4, 0, 0, 100, True) for d in b]
    assert not any(d.mirrored for d in plain)
    assert [d.image for d in plain] == [d.image for d in flipped]
    # 400 fair coins: five standard deviations are 50.
    assert 150 < sum(d.mirrored for d in flipped) < 250


def test_every_image_is_moved_on_its_own_within_the_limits() -> None:
    jitter = Jitter(scale=(0.5, 2.0), shift=0.1)
    draws = [
        x for batch in training_order((50,), 10, 0, 0, 40, False, jitter=jitter) for x in batch
    ]
    moves = [x.move for x in draws if x.move is not None]
    assert len(moves) == 400
    factors = np.array([factor for factor, _ in moves])
    shifts = np.array([shift for _, shift in moves])
    assert len(np.unique(factors)) == len(np.unique(shifts[:, 0])) == 400
    assert 0.5 <= factors.min() < 0.55 and 1.8 < factors.max() <= 2.0
    assert -0.1 <= shifts.min() < -0.09 and 0.09 < shifts.max() <= 0.1
    # As often made smaller as larger: a fair coin is outside these limits once in 10**6 times.
    assert 150 < (factors < 1.0).sum() < 250


def test_moves_change_no_order() -> None:
    plain = training_order((7,), 3, 4, 0, 9, True)
    moved = training_order((7,), 3, 4, 0, 9, True, jitter=Jitter(scale=(0.5, 2.0)))
    for a, b in zip(plain, moved, strict=True):
        assert [x[:4] for x in a] == [x[:4] for x in b]
        assert all(x.move is None for x in a) and all(x.move is not None for x in b)


def test_a_resumed_run_moves_alike() -> None:
    jitter = Jitter(shift=0.2)
    whole = list(training_order((7,), 3, 4, 0, 9, True, jitter=jitter))
    assert all(x.move is not None for batch in whole for x in batch)
    assert whole[5:] == list(training_order((7,), 3, 4, 5, 9, True, jitter=jitter))


def test_several_domains_are_drawn_by_their_weights() -> None:
    batches = training_order((30, 50), 4, 7, 0, 1000, True, weights=(3.0, 1.0))
    draws = [draw.image for batch in batches for draw in batch]
    assert set(draws) == set(range(80))
    assert sum(image < 30 for image in draws) / len(draws) == pytest.approx(0.75, abs=0.03)
    # Its own images come in an order of their own: none twice in an epoch.
    for first in range(0, 4000, 30):
        own = [image for image in draws[first : first + 30] if image < 30]
        assert len(own) == len(set(own))


def test_the_first_domain_gives_what_it_would_give_alone() -> None:
    alone = [draw for batch in training_order((30,), 4, 7, 0, 50, True) for draw in batch]
    together = training_order((30, 50), 4, 7, 0, 50, True, weights=(1.0, 1.0))
    shared = [draw for batch in together for draw in batch]
    pairs = [(a, b) for a, b in zip(alone, shared, strict=True) if b.image < 30]
    assert 60 < len(pairs) < 140 and all(a == b for a, b in pairs)


def test_several_domains_can_start_anywhere() -> None:
    whole = list(training_order((5, 9), 3, 2, 0, 30, True, weights=(1.0, 2.0)))
    assert whole[11:] == list(training_order((5, 9), 3, 2, 11, 30, True, weights=(1.0, 2.0)))
