"""References between the stages of a recipe: each must name an earlier result of the right kind."""

from __future__ import annotations

from collections.abc import Mapping

from segadapt.artefacts import OUTPUTS, Kind
from segadapt.config import (
    ClassPriorStage,
    DrawStage,
    EvaluateStage,
    FourierTranslation,
    GeneratorTranslation,
    PixelSplitStage,
    PseudoLabelStage,
    RankStage,
    Recipe,
    SelectStage,
    StageConfig,
    TrainStage,
    TrainTranslatorStage,
    TranslateStage,
)
from segadapt.errors import SegadaptError


def check_references(recipe: Recipe, title: str) -> None:
    """Resolve every reference of every stage, in order.

    Raises:
        SegadaptError: one names nothing, something later, or something of another kind.
    """
    for name, domain in recipe.domains.items():
        maker = recipe.stages.get(domain.drawn_by) if domain.drawn_by else None
        if domain.drawn_by and not isinstance(maker, DrawStage):
            raise SegadaptError(
                f"recipe {title}: domains.{name}.drawn_by: {domain.drawn_by!r} is no draw stage "
                "of this recipe"
            )
    seen: dict[str, StageConfig] = {}
    for name, stage in recipe.stages.items():
        place = f"recipe {title}: stages.{name}"
        if "." in name or "/" in name or name in recipe.domains:
            raise SegadaptError(
                f"{place}: a stage's name must not hold a dot or a slash, nor be a domain's"
            )
        check = _Checker(recipe, seen, place)
        if isinstance(stage, TrainStage):
            check.train(stage)
        elif isinstance(stage, SelectStage):
            check.select(stage)
        elif isinstance(stage, ClassPriorStage):
            check.expect("source", stage.source, ("source", "labels", "translation"))
        elif isinstance(stage, TrainTranslatorStage):
            check.expect("source", stage.source, ("source", "labels"))
            check.expect("target", stage.target, ("target", "images"))
            if stage.segmenter is not None:
                check.expect("segmenter", stage.segmenter, ("checkpoint",))
        elif isinstance(stage, TranslateStage):
            check.translate(stage)
        elif isinstance(stage, RankStage | PseudoLabelStage | PixelSplitStage):
            check.expect("checkpoint", stage.checkpoint, ("checkpoint",))
            check.expect("images", stage.images, ("target", "images"))
        elif isinstance(stage, EvaluateStage):
            for i, reference in enumerate(stage.checkpoints):
                check.expect(f"checkpoints.{i}", reference, ("checkpoint",))
            for title, weights in stage.ensembles.items():
                for reference in weights:
                    check.expect(f"ensembles.{title}", reference, ("checkpoint",))
            check.titles(stage)
            for i, reference in enumerate(stage.selections):
                check.expect(f"selections.{i}", reference, ("selection",))
            check.expect("domain", stage.domain, ("test", "source"))
        seen[name] = stage


class _Checker:
    """Looks at the references of one stage."""

    def __init__(self, recipe: Recipe, seen: Mapping[str, StageConfig], place: str) -> None:
        self.recipe, self.seen, self.place = recipe, seen, place

    def train(self, stage: TrainStage) -> None:
        labelled = ("source", "labels", "translation")
        self.expect("source", stage.source, (*labelled, "target") if stage.oracle else labelled)
        if stage.target is not None:
            self.expect("target", stage.target, ("target", "images"))
        if stage.start_from is not None:
            self.expect("start_from", stage.start_from, ("checkpoint",))
        if stage.class_prior is not None:
            self.expect("class_prior", stage.class_prior, ("class_prior",))
        if stage.optimizer.repeated_updates and stage.optimizer.name != "sgd":
            raise SegadaptError(
                f"{self.place}.optimizer.repeated_updates: goes with the sgd optimizer only"
            )

    def translate(self, stage: TranslateStage) -> None:
        self.expect("source", stage.source, ("source", "labels"))
        if stage.target is not None:
            self.expect("target", stage.target, ("target", "images"))
        elif isinstance(stage.translation, FourierTranslation):
            raise SegadaptError(
                f"{self.place}.target: is required; name the target domain whose look is taken"
            )
        if isinstance(stage.translation, GeneratorTranslation) and stage.translation.translator:
            self.expect("translation.translator", stage.translation.translator, ("translator",))
        if stage.segmenter is not None:
            self.expect("segmenter", stage.segmenter, ("checkpoint",))

    def select(self, stage: SelectStage) -> None:
        self.expect("snapshots", stage.snapshots, ("snapshots",))
        trained = self.seen[stage.snapshots.partition(".")[0]]
        assert isinstance(trained, TrainStage)
        if trained.snapshots < 2:
            raise SegadaptError(
                f"{self.place}.snapshots: {stage.snapshots!r} has {trained.snapshots}; set "
                "`snapshots` of that stage to 2 or more to choose among them"
            )
        self.expect("images", stage.images, ("target", "images"))
        if stage.source is not None:
            self.expect("source", stage.source, ("source",))

    def titles(self, stage: EvaluateStage) -> None:
        single = {reference.partition(".")[0] for reference in stage.checkpoints}
        for title in stage.ensembles:
            if title in single or "/" in title:
                raise SegadaptError(
                    f"{self.place}.ensembles.{title}: must not hold a slash, nor be the name of a "
                    "scored stage"
                )

    def expect(self, key: str, reference: str, kinds: tuple[str, ...]) -> None:
        found = self.kind(key, reference)
        if found not in kinds:
            names = {
                "images": "a split's images",
                "labels": "pseudo-labels",
                "translation": "translated images",
                "class_prior": "a class prior",
                "translator": "a translator",
                "snapshots": "snapshots",
            }
            wanted = " or ".join(
                names.get(k, f"a {k}" if k == "checkpoint" else f"a {k} domain") for k in kinds
            )
            hint = ""
            if key == "source" and found == "target":
                hint = "; its labels are never opened, unless for an upper bound with oracle: true"
            raise SegadaptError(
                f"{self.place}.{key}: {reference!r} is {names.get(found, f'a {found}')}"
                f"{' domain' if found in ('source', 'target', 'test') else ''}, "
                f"expected {wanted}{hint}"
            )

    def kind(self, key: str, reference: str) -> Kind | str:
        if reference in self.recipe.domains:
            domain = self.recipe.domains[reference]
            if domain.drawn_by is not None and domain.drawn_by not in self.seen:
                raise SegadaptError(
                    f"{self.place}.{key}: domain {reference!r} is drawn by stage "
                    f"{domain.drawn_by!r}, which must come before this one"
                )
            return domain.role
        stage_name, _, output = reference.partition(".")
        if stage_name not in self.seen:
            later = stage_name in self.recipe.stages
            raise SegadaptError(
                f"{self.place}.{key}: {reference!r} "
                + (
                    "names a stage that does not come before this one"
                    if later
                    else "is neither a domain nor an output of a stage (STAGE.OUTPUT)"
                )
                + f"; domains are {', '.join(self.recipe.domains)}"
            )
        outputs = OUTPUTS[self.seen[stage_name].stage]
        if output not in outputs:
            raise SegadaptError(
                f"{self.place}.{key}: stage {stage_name!r} has no output {output!r}; "
                f"it has {', '.join(outputs) or 'none'}"
            )
        stage = self.seen[stage_name]
        if isinstance(stage, RankStage) and stage.easy_ratio == {"easy": 0.0, "hard": 1.0}[output]:
            raise SegadaptError(
                f"{self.place}.{key}: {reference!r} is empty at easy_ratio {stage.easy_ratio:g}; "
                "change the ratio, or leave that part out (a ratio of 1 is self-training: method "
                "source_only on the pseudo-labels)"
            )
        return outputs[output]
