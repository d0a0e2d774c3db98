"""Data sets whose splits lie apart by weather or time of day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from segadapt.base.errors import SegadaptError
from segadapt.data.domain import Sample
from segadapt.data.left_out import LeftOut
from segadapt.data.listing import find_images
from segadapt.data.paths import DataPath


class Layout(NamedTuple):
    """Where such a data set has its files, below ``rgb_anon`` and ``gt``."""

    dataset: str
    conditions: Sequence[str]
    called: str
    """What a condition is, in messages."""
    folder: str
    """Of one condition's split, with ``{condition}`` and ``{split}``."""
    label_ending: str


def samples_by_condition(
    layout: Layout, root: DataPath, split: str, left_out: LeftOut | None
) -> list[Sample]:
    """Images of ``split``: of every condition that is there, or of one as in ``night_train``.

    Raises:
        SegadaptError: there is no such condition, or a folder is missing.
    """
    first, _, rest = split.partition("_")
    if rest and first not in layout.conditions:
        raise SegadaptError(
            f"{layout.dataset}: split {split!r} begins with no {layout.called}; there are "
            f"{', '.join(layout.conditions)}"
        )

    def folder(part: str, condition: str) -> DataPath:
        return root / part / layout.folder.format(condition=condition, split=rest or split)

    everywhere = [c for c in layout.conditions if folder("rgb_anon", c).is_dir()]
    found = []
    for condition in (first,) if rest else everywhere or layout.conditions:
        labels = folder("gt", condition)
        images = find_images(folder("rgb_anon", condition), ending="_rgb_anon", left_out=left_out)
        found += [
            Sample(f"{condition}/{name}", path, labels / f"{name}{layout.label_ending}")
            for name, path in images.items()
        ]
    return found
