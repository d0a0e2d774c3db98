"""MLflow; a database below ``RUN/tracking`` unless MLFLOW_TRACKING_URI names a server."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping

from PIL import Image

from segadapt.tracking.tracker import PROJECT, RunToTrack, flat

ID_TAG = "segadapt.id"
NOT_IN_NAMES = re.compile(r"[^\w\-. /]")
LONGEST_PARAMETER = 500
MOST_PARAMETERS = 100
"""In one call."""


class Mlflow:
    """A run of MLflow."""

    def __init__(self, run: RunToTrack) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        # A server that is away would hold up the training for minutes at every record.
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
        from mlflow import MlflowClient
        from mlflow.entities import Metric, Param

        self._metric = Metric
        given = os.environ.get("MLFLOW_TRACKING_URI")
        self._client = MlflowClient(given or f"sqlite:///{run.folder}/mlflow.db")
        title = os.environ.get("MLFLOW_EXPERIMENT_NAME", PROJECT)
        experiment = self._client.get_experiment_by_name(title)
        if experiment is not None:
            place = experiment.experiment_id
        else:
            pictures = None if given else (run.folder / "mlflow").as_uri()
            place = self._client.create_experiment(title, pictures)
        before = self._client.search_runs([place], f"tags.`{ID_TAG}` = '{run.id}'")
        if before:
            self._id = before[0].info.run_id
            self._client.update_run(self._id, status="RUNNING")
            return
        made = self._client.create_run(place, tags={ID_TAG: run.id}, run_name=run.name)
        self._id = made.info.run_id
        settings = [
            Param(_name(key), value[:LONGEST_PARAMETER])
            for key, value in flat(run.settings).items()
        ]
        for start in range(0, len(settings), MOST_PARAMETERS):
            self._client.log_batch(self._id, params=settings[start : start + MOST_PARAMETERS])

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Numbers at an iteration of a stage."""
        now = int(1000 * time.time())
        found = [self._metric(_name(name), value, now, step) for name, value in values.items()]
        self._client.log_batch(self._id, metrics=found)

    def picture(self, name: str, picture: Image.Image) -> None:
        """An RGB picture."""
        self._client.log_image(self._id, picture, artifact_file=f"{_name(name)}.png")

    def finish(self, complete: bool) -> None:
        """Say how it ended; everything was sent at once."""
        self._client.set_terminated(self._id, "FINISHED" if complete else "KILLED")


def _name(name: str) -> str:
    return NOT_IN_NAMES.sub("-", name)
