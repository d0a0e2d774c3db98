"""Trainings of which a step is counted: each method at its published sizes."""

from __future__ import annotations

from dataclasses import dataclass, field

from segadapt.base.classes import CITYSCAPES_16, CITYSCAPES_19, ClassSet
from segadapt.base.errors import SegadaptError
from segadapt.config.load import load_recipe
from segadapt.config.recipe import Recipe
from segadapt.data.transforms import scaled_size
from segadapt.stages.train.config import TrainStage

Size = tuple[int, int]
"""(height, width)."""


@dataclass(frozen=True)
class Case:
    """A stage of a recipe."""

    name: str
    recipe: str = ""
    """A shipped one, or a file."""
    stage: str = "adapt"
    overrides: tuple[str, ...] = ()
    """As after ``--set``."""
    source: str = "source"
    """The domain whose images are the labelled ones."""


@dataclass(frozen=True)
class Training:
    """What a case comes to."""

    stage: TrainStage
    classes: ClassSet
    source: Size
    target: Size
    recipe: Recipe = field(repr=False)


GTA5 = "gta5-cityscapes"
CASES = (
    Case("source_only", f"{GTA5}/source_only", "source-only"),
    Case("minent", f"{GTA5}/minent"),
    Case("advent", f"{GTA5}/advent"),
    Case("advent, SYNTHIA", "synthia-cityscapes/advent"),
    Case("adaptsegnet", f"{GTA5}/adaptsegnet"),
    Case("clan", f"{GTA5}/clan"),
    Case("cirn", f"{GTA5}/cirn", "ass"),
    Case("pixintrada", f"{GTA5}/pixintrada", "cts", source="target"),
    Case("mean_teacher", f"{GTA5}/advent", overrides=("stages.adapt.method=mean_teacher",)),
    Case("dacs", f"{GTA5}/dacs", "dacs"),
    Case("daformer", f"{GTA5}/daformer"),
    Case("mic, HRDA", f"{GTA5}/mic"),
    Case("mic, DINOv2-B", f"{GTA5}/vfm_uda"),
    Case("mic, DINOv2-B, of 2", f"{GTA5}/vfm_uda", overrides=("stages.adapt.batch_size=2",)),
)


def training(case: Case) -> Training:
    """Read a case's recipe.

    Raises:
        SegadaptError: there is no such recipe, or no such training stage in it.
    """
    recipe = load_recipe(case.recipe, case.overrides)
    stage = recipe.stages.get(case.stage)
    if not isinstance(stage, TrainStage):
        found = ", ".join(k for k, x in recipe.stages.items() if isinstance(x, TrainStage))
        raise SegadaptError(f"{case.recipe}: has no train stage {case.stage}; there are {found}")
    classes = CITYSCAPES_16 if recipe.domains["target"].classes else CITYSCAPES_19
    sizes = [_size(recipe, stage, domain) for domain in (case.source, "target")]
    return Training(stage, classes, sizes[0], sizes[1], recipe)


def _size(recipe: Recipe, stage: TrainStage, domain: str) -> Size:
    """The largest that its images get."""
    if stage.crop is not None:
        return stage.crop.size
    size = recipe.domains[domain].size
    if size is None:
        raise SegadaptError(f"{domain}: has images of many sizes; set a size or a crop")
    largest = stage.scales[1]
    return size if largest == 1.0 else scaled_size(size, largest)
