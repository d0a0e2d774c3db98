"""What an evaluation leaves, of maps and of boxes alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from segadapt.artefacts import write_json
from segadapt.data.domain import Domain
from segadapt.stages.context import Work
from segadapt.stages.evaluate.config import EvaluateStage

REPORT_FILE = "report.json"


def save_report(
    stage: EvaluateStage,
    work: Work,
    domain: Domain,
    measure: str,
    absent_rule: str,
    scores: Sequence[dict[str, Any]],
    selections: Sequence[dict[str, Any]],
    mistakes: Sequence[dict[str, Any]],
    pictures: Sequence[dict[str, Any]],
) -> None:
    """Leave ``report.json``; the first process alone writes it, and all wait for it.

    Args:
        stage: the evaluation's settings.
        work: where it works.
        domain: what was scored.
        measure: what the headline's number is called.
        absent_rule: what is said of classes that do not occur.
        scores: one row for each checkpoint.
        selections: scores of snapshots that were chosen among.
        mistakes: of each checkpoint, where they are shown.
        pictures: with the number of their image as ``index``, which is not kept.
    """
    if work.processes.is_first:
        write_json(
            work.directory / REPORT_FILE,
            {
                "domain": work.context.recipe.domains[stage.domain].title,
                "views": stage.views.model_dump(mode="json"),
                "images": len(domain),
                "classes": domain.classes.names,
                "colours": domain.classes.colours,
                "absent_rule": absent_rule,
                "measure": measure,
                "scores": scores,
                "selections": selections,
                "mistakes": mistakes,
                "pictures": [{k: v for k, v in p.items() if k != "index"} for p in pictures],
            },
        )
    work.processes.barrier()
