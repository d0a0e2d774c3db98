"""What a segmenter writes: ids, overlays, entropies and probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segadapt.base.pictures import entropy_picture, label_picture, overlay_picture
from segadapt.commands.label_ids import stored_picture
from segadapt.commands.predict.looks import Seen, saved, stacked, unwritable
from segadapt.engine.predict import Predictor
from segadapt.engine.readout import Readout, read_out

QUALITY = 90
"""Of JPEG files."""


class Kind(StrEnum):
    """What can be written of a picture, each into a folder of that name."""

    labels = "labels"
    overlays = "overlays"
    entropy = "entropy"
    probabilities = "probabilities"


USUAL = (Kind.labels, Kind.overlays)


class Segments:
    """Looks at pictures with a segmenter, see :class:`Looker`."""

    def __init__(
        self,
        predictor: Predictor,
        out: Path,
        kinds: Sequence[Kind],
        ids: NDArray[np.uint16] | None,
    ) -> None:
        """``ids``: what is stored for each class; the class's own number where None."""
        self.outputs = tuple(map(str, kinds))
        self.film_folder = str(Kind.overlays) if Kind.overlays in kinds else None
        self._predictor, self._out, self._kinds, self._ids = predictor, out, set(kinds), ids

    def look(self, batch: Sequence[Seen]) -> list[Readout]:
        """See :class:`Looker`."""
        first, *further = stacked(batch)
        logits = self._predictor.logits(first, further)
        wanted = (Kind.entropy in self._kinds, Kind.probabilities in self._kinds)
        return [read_out(logits[i : i + 1], _size(seen), *wanted) for i, seen in enumerate(batch)]

    def write(self, seen: Seen, found: Readout, film: bool) -> None:
        """See :class:`Looker`."""
        classes = self._predictor.classes
        if Kind.labels in self._kinds:
            picture = (
                label_picture(found.label, classes)
                if self._ids is None
                else stored_picture(found.label, self._ids, classes)
            )
            saved(picture, self._file(seen, Kind.labels), compress_level=1)
        if Kind.overlays in self._kinds and not film:
            file = self._out / Kind.overlays / f"{seen.name}.jpg"
            saved(self.picture(seen, found), file, quality=QUALITY)
        if found.entropy is not None:
            saved(entropy_picture(found.entropy), self._file(seen, Kind.entropy), compress_level=1)
        if found.probability is not None:
            array = self._out / Kind.probabilities / f"{seen.name}.npy"
            try:
                array.parent.mkdir(parents=True, exist_ok=True)
                np.save(array, found.probability.astype(np.float16))
            except OSError as error:
                raise unwritable(array, error) from error

    def picture(self, seen: Seen, found: Readout) -> Image.Image:
        """See :class:`Looker`."""
        return overlay_picture(seen.original, found.label, self._predictor.classes)

    def finish(self) -> None:
        """See :class:`Looker`."""

    def _file(self, seen: Seen, kind: Kind) -> Path:
        return self._out / kind / f"{seen.name}.png"


def _size(seen: Seen) -> tuple[int, int]:
    height, width = seen.original.shape[:2]
    return height, width
