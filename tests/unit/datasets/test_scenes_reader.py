"""The embedded scenes."""

from __future__ import annotations

from segadapt.data.datasets import camvid, scenes


def test_ids_and_classes_are_those_of_camvid() -> None:
    for name, class_map in scenes.CLASS_MAPS.items():
        theirs = camvid.CLASS_MAPS[name]
        assert class_map.classes == theirs.classes
        assert class_map.ids == {i: train for i, train in theirs.ids.items() if i != camvid.VOID}
