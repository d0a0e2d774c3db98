"""Trackio; on this machine, unless TRACKIO_SPACE_ID names a Space."""

from __future__ import annotations

import os
from collections.abc import Mapping

from PIL import Image

from segadapt.tracking.tracker import PROJECT, RunToTrack


class Trackio:
    """A run of Trackio, where it keeps its own: `trackio show` finds it there."""

    def __init__(self, run: RunToTrack) -> None:
        os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
        import trackio

        self._library = trackio
        name = f"{run.name}-{run.id}"
        self._run = trackio.init(
            project=PROJECT, name=name, config=dict(run.settings), resume="allow", embed=False
        )

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Numbers at an iteration of a stage."""
        self._run.log(dict(values), step=step)

    def picture(self, name: str, picture: Image.Image) -> None:
        """An RGB picture."""
        self._run.log({name: self._library.Image(picture)}, step=0)

    def finish(self, complete: bool) -> None:
        """Write what is waiting; Trackio knows nothing of success."""
        self._library.finish()
