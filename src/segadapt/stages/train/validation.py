"""Scores on a labelled domain while a training goes on; nothing is chosen by them."""

from __future__ import annotations

import json
from pathlib import Path

from segadapt.artefacts import strict_json
from segadapt.config.training import ValidationConfig
from segadapt.engine.detect import detect, scores_of
from segadapt.engine.evaluate import evaluate
from segadapt.engine.predict import Predictor
from segadapt.models.files.checkpoints import TrainedModel
from segadapt.stages.context import Work

VALIDATION_FILE = "validation.jsonl"


class Validation:
    """Scores a network every so many iterations, and leaves ``validation.jsonl``."""

    def __init__(self, config: ValidationConfig, work: Work, workers: int) -> None:
        self._config, self._work, self._workers = config, work, workers
        self._domain = work.context.domain(config.domain, labelled=True)
        self._path = work.directory / VALIDATION_FILE

    def at(self, iteration: int, trained: TrainedModel) -> None:
        """Score the network after ``iteration`` iterations; it is left as it was."""
        modes = [(module, module.training) for module in trained.model.modules()]
        work = self._work
        title = f"{work.name}: {iteration} on {self._config.domain}"
        predictor = Predictor(trained, work.processes)
        seen = (self._domain, self._config.batch_size, work.processes, title, self._workers)
        if self._domain.classes.boxes:
            boxes = scores_of(detect(predictor, *seen), len(self._domain.classes.names))
            measure, scores = "AP50", {"ap50": boxes.ap50, "map": boxes.map}
        else:
            pixels = evaluate(predictor, *seen)
            measure = "mIoU"
            scores = {"miou": pixels.miou, "pixel_accuracy": pixels.pixel_accuracy}
        for module, training in modes:
            module.training = training
        if not work.processes.is_first:
            return
        row = {"iteration": iteration, **scores}
        before = [r for r in _rows(self._path) if r["iteration"] < iteration]
        partial = self._path.with_name(self._path.name + ".partial")
        lines = [*before, {**row, "domain": self._domain.title}]
        partial.write_text("".join(strict_json(line) + "\n" for line in lines))
        partial.replace(self._path)
        value = 100 * next(iter(scores.values()))
        print(f"{title}: {measure} {value:.2f} (nothing is chosen by it)", flush=True)


def _rows(path: Path) -> list[dict[str, float]]:
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]
