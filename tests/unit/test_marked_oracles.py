"""An oracle is marked where it is the only one to speak of, too."""

from __future__ import annotations

from pathlib import Path

from segadapt.report.records import Evaluation, Run, Score, Stage
from segadapt.report.spreads import spread
from segadapt.report.summary import Comparison, Row, headline
from segadapt.report.wording import headline as headline_of_run


def test_summary_of_oracles_alone(tmp_path: Path) -> None:
    rows = [
        Row("first", True, spread([0.4, 0.5]), None, []),
        Row("second", True, spread([0.6, 0.7]), spread([0.2, 0.2]), []),
    ]
    sentence = headline([Comparison("camvid val", [], rows)], 2)
    assert sentence.startswith("second (oracle) +20.0") and "over first (oracle)" in sentence


def test_report_of_an_oracle_alone(tmp_path: Path) -> None:
    score = Score("first", True, 0.5, [], None, [], {}, scored_and_trained_on=3)
    assert score.mark == "trained on 3 of the scored images"
    stage = Stage(1, "evaluate", tmp_path, finished=True)
    evaluation = Evaluation(stage, "camvid val", [], [], "", [score], [])
    run = Run(tmp_path, {}, "", [stage], {}, [], [evaluation])
    assert headline_of_run(run) == "first (oracle) reaches 50.0 mIoU on camvid val."
