"""Images that are there before a run begins."""

from __future__ import annotations

from collections.abc import Iterator

from segadapt.config import RankStage, TranslateStage
from segadapt.data.paths import FilePath
from segadapt.data.transforms import image_size
from segadapt.errors import SegadaptError
from segadapt.stages.context import StageContext
from segadapt.stages.preflight.classes import classes_behind


def open_images(context: StageContext, reference: str, labelled: bool) -> None:
    """List the images behind a reference, where they exist before the run."""
    maker = context.recipe.stages.get(reference.partition(".")[0])
    if isinstance(maker, TranslateStage):
        reference = maker.source  # translated images have its labels
    domain = context.recipe.domains.get(reference)
    if domain is not None and domain.drawn_by is None:
        context.domain(reference, labelled)


def check_one_size(context: StageContext, reference: str, place: str) -> None:
    """Images keep their own sizes, so a batch needs equal ones; look at the headers."""
    sizes: dict[tuple[int, int], FilePath] = {}
    for image, size in _header_sizes(context, reference):
        sizes.setdefault(size, image)
    if len(sizes) > 1:
        (a, first), (b, second) = list(sizes.items())[:2]
        raise SegadaptError(
            f"{place}: domain {reference!r} holds images of different sizes ({first} is "
            f"{a[0]}x{a[1]}, {second} is {b[0]}x{b[1]}, height x width); give the domain a size, "
            "or set batch_size to 1"
        )


def check_smallest(
    context: StageContext, reference: str, crop: tuple[int, int], place: str
) -> None:
    """Every image must hold a crop of (height, width); look at the headers."""
    if context.recipe.domains[reference].drawn_by is not None:
        return
    for image, size in _header_sizes(context, reference):
        if size[0] < crop[0] or size[1] < crop[1]:
            raise SegadaptError(
                f"{place}.crop: {list(crop)} is larger than {image}, which is "
                f"{size[0]}x{size[1]} (height x width); make it smaller, or give domain "
                f"{reference!r} a size"
            )


def _header_sizes(
    context: StageContext, reference: str
) -> Iterator[tuple[FilePath, tuple[int, int]]]:
    """Every image file of a domain with its (height, width), as its header says."""
    for sample in context.domain(reference, labelled=False).samples:
        try:
            yield sample.image, image_size(sample.image)
        except OSError as error:
            raise SegadaptError(f"{sample.image}: cannot be decoded ({error})") from error


def check_rare_classes(context: StageContext, config: RankStage, place: str) -> None:
    classes = classes_behind(context, config.images)
    if config.normalisation != "none" and not classes.rare:
        raise SegadaptError(
            f"{place}.normalisation: class set {classes.name!r} marks no class as rare; mark some "
            "(`rare: true` in classes.yaml) or set normalisation to none"
        )
