"""BDD100K."""

from __future__ import annotations

from segadapt.data.datasets import bdd100k


def test_ids_are_train_ids() -> None:
    assert bdd100k.CLASS_MAPS["cityscapes19"].ids == {**{i: i for i in range(19)}, 255: 255}
