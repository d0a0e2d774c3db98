"""How two class sets differ, in words."""

from __future__ import annotations

import pytest

from segadapt.base.classes import ClassSet, class_difference


def named(*names: str) -> ClassSet:
    return ClassSet("x", names, ((0, 0, 0),) * len(names))


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        ("road car", "car road", "another order: class 0 (counted from 0) is 'road' in the one"),
        ("a b c d", "a b d c", "class 2 (counted from 0) is 'c' in the one and 'd' in the other"),
        ("road car", "road Car", "'car' in the first alone, 'Car' in the second alone"),
        ("road car", "road", "'car' in the first alone"),
        ("a", "a b c d e f", "'b', 'c', 'd' and 2 more in the second alone"),
    ],
)
def test_difference_is_shown(first: str, second: str, says: str) -> None:
    assert says in class_difference(named(*first.split()), named(*second.split()))


def test_a_name_that_one_set_has_twice_is_found() -> None:
    assert "twice" in class_difference(named("a", "b", "a"), named("a", "b"))
