"""The embedded procedural scenes, as the ``draw`` stage leaves them on disk."""

from __future__ import annotations

from segadapt.base.classes import CAMVID_11, STREET_7
from segadapt.data.class_map import ClassMap
from segadapt.data.datasets import camvid
from segadapt.data.domain import Sample
from segadapt.data.left_out import LeftOut
from segadapt.data.paths import DataPath

DEFAULT_ROOT = "scenes"

# Classes and ids are CamVid's, so that the drawn scenes can serve as a source for it.
CLASS_MAPS = {
    "camvid11": ClassMap(CAMVID_11, {i: i for i in range(11)} | {255: 255}),
    "street7": ClassMap(STREET_7, dict(enumerate(camvid.TO_STREET_7)) | {255: 255}),
}


def samples(root: DataPath, split: str, left_out: LeftOut | None = None) -> list[Sample]:
    """Images of ``split``: rendered, camera_train or camera_val."""
    return camvid.samples(root, split, left_out)


label_folder = camvid.label_folder
