"""The ``evaluate`` stage: scores of checkpoints side by side on a labelled domain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field, model_validator

from segadapt.base.section import problem_at
from segadapt.config.stage import Reference, Stage
from segadapt.config.values import BatchSize, Weights, Workers, misfit_of_name
from segadapt.config.views import Views

if TYPE_CHECKING:
    from segadapt.stages.context import StageContext


class EvaluateStage(Stage):
    """Score checkpoints on a labelled domain."""

    checkpoints: list[str] = Field(min_length=1)
    """Outputs of earlier stages, such as ``advent.checkpoint``."""
    ensembles: dict[str, Weights] = Field(default_factory=dict)
    """By title: checkpoints with the weights that their score maps are averaged with."""
    selections: list[str] = Field(default_factory=list)
    """Selections whose snapshots are all scored: last, label-free and oracle choice."""
    domain: str
    """Labelled images to score on."""
    views: Views = Views()
    batch_size: BatchSize = 4
    """Images that the networks look at together; on a CPU it is one at a time."""
    workers: Workers = 2
    pictures: Annotated[int, Field(ge=0)] = 6
    """Images of the domain that the report shows."""
    features: Annotated[int, Field(ge=0)] = 0
    """Pixels of each class whose features are kept of every checkpoint, for a t-SNE picture in the
    report (with scikit-learn, extra ``plots``)."""

    without_effect = Stage.without_effect | {"pictures", "features"}

    @model_validator(mode="after")
    def _has_titles_of_their_own(self) -> EvaluateStage:
        single = {reference.partition(".")[0] for reference in self.checkpoints}
        for title in self.ensembles:
            if title in single or "/" in title:
                raise problem_at(
                    f"ensembles.{title}",
                    "must not hold a slash, nor be the name of a scored stage",
                )
            misfit = misfit_of_name(title)
            if misfit is not None:
                raise problem_at("ensembles", misfit)
        return self

    def references(self) -> list[Reference]:
        """All models, the selections, and the domain."""
        models = [(f"checkpoints.{i}", name) for i, name in enumerate(self.checkpoints)]
        models += [
            (f"ensembles.{title}", name)
            for title, weights in self.ensembles.items()
            for name in weights
        ]
        return [
            *(Reference(key, name, ("checkpoint",)) for key, name in models),
            *(
                Reference(f"selections.{i}", name, ("selection",))
                for i, name in enumerate(self.selections)
            ),
            Reference("domain", self.domain, ("test", "source"), labelled=True),
        ]

    def check(self, context: StageContext, place: str) -> None:
        """Other views than the plain one need pixels; boxes need what scores them."""
        from segadapt.stages.evaluate.check_boxes import check_boxes
        from segadapt.stages.whole_images import require_pixels

        check_boxes(self, context, place)
        if self.views != Views():
            require_pixels(self, context, place)
