"""IDD-Lite."""

from __future__ import annotations

from segadapt.data.datasets import idd_lite


def test_ids_are_the_seven_classes() -> None:
    assert idd_lite.CLASS_MAPS["street7"].ids == {**{i: i for i in range(7)}, 255: 255}
