"""The model of a run that is published, with what the run knows of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from segadapt.artefacts import CHECKPOINT_FILE
from segadapt.base.errors import SegadaptError
from segadapt.models.files.checkpoints import TrainedModel, checkpoint_of, load_checkpoint
from segadapt.report.read import read_run
from segadapt.report.records import Evaluation, Run, Score, Stage


@dataclass(frozen=True)
class Published:
    """A checkpoint of a run."""

    file: Path
    model: TrainedModel
    run: Run
    stage: Stage
    """That left it."""

    @property
    def reference(self) -> str:
        """What a recipe calls it: ``STAGE.checkpoint`` or ``STAGE.teacher``."""
        return f"{self.stage.name}.{self.file.stem}"

    def is_scored_by(self, score: Score, evaluation: Evaluation) -> bool:
        """Whether a row of an evaluation is of this very file, and not of an average."""
        title = score.checkpoint
        settings = evaluation.stage.config
        if title in (settings.get("ensembles") or {}):
            return False
        return title == self.stage.name and self.reference in settings.get("checkpoints", ())


def published_of(path: Path) -> Published:
    """What is meant by a run's folder, a stage's, or a checkpoint's file.

    Raises:
        SegadaptError: it is of no run, of an unfinished stage, or is not as the stage left it.
    """
    file = checkpoint_of(path).absolute()
    directory = file.parent.parent
    if not (directory / "run.json").is_file():
        raise SegadaptError(
            f"{path}: is of no run, and a model card is made of a run's records; give a run's "
            f"folder, or RUN/N-STAGE/{CHECKPOINT_FILE}"
        )
    run = read_run(directory)
    stages = [stage for stage in run.stages if stage.directory == file.parent and stage.finished]
    if not stages:
        warnings = run.info.get("warnings") or ()
        told = [x for x in warnings if str(x).startswith(f"{file.parent.name}:")]
        raise SegadaptError(f"{file}: {told[0] if told else 'its stage is not finished'}")
    return Published(file, load_checkpoint(file), run, stages[0])
