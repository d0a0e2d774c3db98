"""TensorBoard: event files below ``RUN/tracking/tensorboard``."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PIL import Image

from segadapt.tracking.tracker import RunToTrack, flat


class TensorBoard:
    """Event files, one more each time that a run goes on."""

    def __init__(self, run: RunToTrack) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(run.folder / "tensorboard" / run.id))
        lines = "\n".join(f"    {key}: {value}" for key, value in flat(run.settings).items())
        self._writer.add_text("settings", lines)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Numbers at an iteration of a stage."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def picture(self, name: str, picture: Image.Image) -> None:
        """An RGB picture."""
        self._writer.add_image(name, np.asarray(picture), dataformats="HWC")

    def finish(self, complete: bool) -> None:
        """Write what is waiting; event files know nothing of success."""
        self._writer.close()
