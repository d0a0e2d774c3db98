"""Which trackers there are, and whether their libraries are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from segadapt.base.errors import SegadaptError
from segadapt.base.extras import require_extra
from segadapt.tracking.mlflow import Mlflow
from segadapt.tracking.tensorboard import TensorBoard
from segadapt.tracking.tracker import RunToTrack, Tracker
from segadapt.tracking.trackio import Trackio
from segadapt.tracking.wandb import Wandb

TRACKERS: Mapping[str, Callable[[RunToTrack], Tracker]] = {
    "wandb": Wandb,
    "trackio": Trackio,
    "mlflow": Mlflow,
    "tensorboard": TensorBoard,
}
"""By name, which is that of the library and of the extra."""


def require_trackers(names: Sequence[str], run: Path) -> None:
    """Look, without importing them, whether trackers can follow a run.

    Raises:
        SegadaptError: a name is unknown, its library is not installed, or cannot write below the
            run's folder.
    """
    for name in names:
        if name not in TRACKERS:
            raise SegadaptError(f"--track {name}: is unknown; choose of {', '.join(TRACKERS)}")
        require_extra(f"--track {name}:", name, **{name: name})
    if "tensorboard" in names:
        try:
            str(run).encode()
        except UnicodeEncodeError as error:
            raise SegadaptError(
                f"--out {run}: has a name that is no UTF-8, which TensorBoard's files cannot be "
                "written below; name another folder with --out"
            ) from error
