"""The sentences and number formats of the report."""

from __future__ import annotations

import re
from collections.abc import Sequence

from segadapt.report.gap import best_oracle, share_closed
from segadapt.report.inspection_records import Inspection
from segadapt.report.records import Evaluation, Run, Score

_NAMES = {
    "advent": "AdvEnt",
    "minent": "MinEnt",
    "intrada": "IntraDA",
    "pixintrada": "PixIntraDA",
    "cirn": "CIRN",
    "clan": "CLAN",
    "dacs": "DACS",
    "daformer": "DAFormer",
    "hrda": "HRDA",
    "mic": "MIC",
    "pla": "PLA",
    "cts": "CTS",
    "source_only": "source-only",
    "adaptsegnet": "AdaptSegNet",
}
NORMALISATIONS = {
    "none": "the mean entropy of the prediction, as it is",
    "rare_classes": "the mean entropy, normalised by the rare classes predicted in the image",
    "released": "the mean entropy, normalised the way the method’s released code does it",
}
LABEL_FREE = {
    "mean_entropy": "mean entropy",
    "information_maximisation": "information maximisation",
    "soft_neighbourhood_density": "soft neighbourhood density",
    "source_miou": "mIoU on held-out source images",
    "source_ap50": "AP50 on held-out source images",
}
"""Scores that choose among states without target labels."""
MEASURE_OF = {"pixels": "mIoU", "boxes": "AP50", "images": "accuracy"}
ONE_SEED = 1.0  # points below which one seed cannot tell two checkpoints apart


def display_name(name: str) -> str:
    """A checkpoint's name as it is usually written; unknown names stay as they are."""
    return _NAMES.get(name.lower().replace("-", "_"), _NAMES.get(name.lower(), name))


def marked_name(score: Score) -> str:
    """The name of what was scored; an oracle is marked wherever it appears."""
    name = display_name(score.checkpoint)
    return f"{name} (oracle)" if score.is_oracle and "oracle" not in name.lower() else name


def percent(fraction: float | None, digits: int = 1) -> str:
    """A fraction in percent without the sign, an en dash where there is no value."""
    return "–" if fraction is None else f"{100 * fraction:.{digits}f}"


def whole_percent(share: float) -> str:
    """A share in whole percent with a real minus, as in 42 % or −7 %."""
    return f"{100 * share:.0f} %".replace("-", "−")


def gain(points: float | None) -> str:
    """A difference in points with its sign (a real minus)."""
    if points is None:
        return ""
    text = f"{abs(points):.1f}"
    if text == "0.0":
        return "±0.0"
    return ("+" if points > 0 else "−") + text


def points_between(later: float | None, earlier: float | None) -> float | None:
    """Difference of two fractions in points."""
    return None if later is None or earlier is None else 100 * (later - earlier)


def duration(seconds: float | None) -> str:
    """A time a person can read: ``9.4 s``, ``7 min 12 s``, ``1 h 04 min``."""
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{round(seconds)} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    minutes = round(whole / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min"


def honest_scores(evaluation: Evaluation) -> list[Score]:
    """The scores that used no target labels, in the order they were written."""
    return [score for score in evaluation.scores if not score.is_oracle]


def best_adapted(evaluation: Evaluation) -> Score | None:
    """The best checkpoint without target labels, leaving out the first where there are others."""
    scores = honest_scores(evaluation)
    return max(scores[1:] or scores, key=lambda score: score.value or 0.0, default=None)


def best_honest(evaluation: Evaluation) -> Score | None:
    """The best checkpoint without target labels, the first included."""
    return max(honest_scores(evaluation), key=lambda score: score.value or 0.0, default=None)


def main_evaluation(evaluations: Sequence[Evaluation]) -> Evaluation | None:
    """The evaluation the headline speaks of: the first that compares the most checkpoints.

    One on source images is not of what a run is for.
    """
    on_target = [e for e in evaluations if not e.on_source]
    return max(on_target, key=lambda e: len(e.scores), default=None)


def headline(run: Run) -> str:
    """The result of the run in one sentence."""
    evaluation = main_evaluation(run.evaluations)
    if evaluation is None or not evaluation.scores:
        done = sum(stage.finished for stage in run.stages)
        if run.is_unscored:
            return unscored(run.inspections)
        return f"No evaluation yet: {done} of {len(run.stages)} stages begun so far are finished."
    scores = honest_scores(evaluation) or evaluation.scores
    measure = evaluation.measure
    if len(scores) == 1:
        name = marked_name(scores[0])
        return f"{name} reaches {percent(scores[0].value)} {measure} on {evaluation.domain}."
    if len(scores) <= 3:
        pairs = list(zip(scores[1:], scores[:-1], strict=True))
    else:
        best = best_adapted(evaluation)
        pairs = [(best, scores[0])] if best is not None else []
    parts = [_compared(later, earlier) for later, earlier in pairs]
    parts[0] = re.sub(" (over|against) ", rf" {measure} points \1 ", parts[0], count=1)
    return f"{'; '.join(parts)} on {evaluation.domain}."


def unscored(inspections: Sequence[Inspection]) -> str:
    """The result of a run without target labels, in one sentence."""
    if not inspections:
        return "No target labels: nothing says how good the result is."
    found = inspections[-1]
    last = display_name(found.checkpoints[-1].checkpoint)
    if found.changed is None:
        return f"No target labels: {last} is shown on {found.domain}; how good it is, is not known."
    first = display_name(found.checkpoints[0].checkpoint)
    return (
        f"No target labels, so no {MEASURE_OF[found.of]}; {last} differs from {first} in "
        f"{percent(found.changed)} % of the {found.of} of {found.domain}."
    )


def _compared(later: Score, earlier: Score) -> str:
    names = marked_name(later), marked_name(earlier)
    points = points_between(later.value, earlier.value)
    if points is None:
        return f"{names[0]} has no score to set beside {names[1]}"
    relation = "against" if points < 0 else "over"
    text = f"{names[0]} {gain(points)} {relation} {names[1]}"
    return text if abs(points) >= ONE_SEED else f"{text} (no more than noise)"


def gap_closed(evaluation: Evaluation) -> str:
    """How much of the way from the first checkpoint to the oracle was covered, if one is there."""
    scores = honest_scores(evaluation)
    oracle = best_oracle(evaluation.scores)
    best = best_adapted(evaluation)
    if len(scores) < 2 or best is None or best.value is None or scores[0].value is None:
        return ""
    share = share_closed(best.value, scores[0].value, oracle)
    if share is None or oracle is None:
        return ""
    gap = oracle - scores[0].value
    start, name = display_name(scores[0].checkpoint), display_name(best.checkpoint)
    if share <= 0:
        return f"{name} closes none of the {100 * gap:.1f}-point gap from {start} to the oracle."
    return (
        f"{name} closes {100 * share:.0f} % of the {100 * gap:.1f}-point gap "
        f"from {start} to the oracle, which was trained with target labels."
    )
