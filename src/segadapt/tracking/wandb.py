"""Weights & Biases; without a key or a chosen mode, offline: nothing leaves the machine."""

from __future__ import annotations

import os
from collections.abc import Mapping

from PIL import Image

from segadapt.tracking.tracker import PROJECT, RunToTrack


class Wandb:
    """A run of wandb, each stage with an axis of its own, as iterations begin anew in each."""

    def __init__(self, run: RunToTrack) -> None:
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        import wandb

        self._image = wandb.Image
        self._axes: set[str] = set()
        mode = os.environ.get("WANDB_MODE")
        if mode is None:
            mode = "online" if wandb.login(prompt=False, verify=False) else "offline"
        if mode == "offline":
            print(
                "wandb: offline, for WANDB_MODE says so or there is no key; send it later with "
                f"wandb sync {run.folder}/wandb/offline-run-*-{run.id}",
                flush=True,
            )
        self._run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", PROJECT),
            id=run.id,
            name=run.name,
            dir=str(run.folder),
            config=dict(run.settings),
            mode=mode,
            resume="allow" if mode == "online" else None,
            # What the terminal shows, code and its repository are nobody's business.
            settings=wandb.Settings(console="off", quiet=True, disable_code=True, disable_git=True),
        )

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Numbers at an iteration of a stage."""
        stage = next(iter(values)).partition("/")[0]
        axis = f"{stage}/iteration"
        if axis not in self._axes:
            self._run.define_metric(f"{stage}/*", step_metric=axis)
            self._axes.add(axis)
        self._run.log({**values, axis: step})

    def picture(self, name: str, picture: Image.Image) -> None:
        """An RGB picture."""
        self._run.log({name: self._image(picture)})

    def finish(self, complete: bool) -> None:
        """Send what is waiting."""
        self._run.finish(exit_code=0 if complete else 1)
