"""Images that are there before a run begins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from segadapt.base.errors import SegadaptError
from segadapt.config.stage import Stage
from segadapt.data.paths import FilePath
from segadapt.data.transforms import UNDECODABLE, image_size
from segadapt.stages.context import StageContext


def open_images(stage: Stage, context: StageContext) -> None:
    """List the images that a stage refers to, where they exist before the run."""
    for reference in stage.references():
        if not context.is_images(reference.name):
            continue
        name = context.labels_behind(reference.name)
        if name in context.recipe.domains and exists(context, name):
            context.domain(name, reference.labelled)


def opened_domains(context: StageContext, stages: Iterable[str]) -> dict[str, bool]:
    """Domains that stages read and that are there before the run, and whether labels are opened."""
    found: dict[str, bool] = {}
    for stage in stages:
        for reference in context.recipe.stages[stage].references():
            if not context.is_images(reference.name):
                continue
            name = context.labels_behind(reference.name)
            if name in context.recipe.domains and exists(context, name):
                found[name] = found.get(name, False) or reference.labelled
    return found


def exists(context: StageContext, name: str) -> bool:
    """Whether the images of a domain are there before the run."""
    return context.recipe.domains[name].drawn_by is None


def check_own_sizes(
    context: StageContext, reference: str, place: str, batch_size: int, smallest: int
) -> None:
    """Images that keep their own sizes: equal ones in a batch, and sides of ``smallest`` pixels.

    The headers are looked at.
    """
    sizes: dict[tuple[int, int], FilePath] = {}
    for image, size in _header_sizes(context, reference):
        sizes.setdefault(size, image)
    if len(sizes) > 1 and batch_size > 1:
        (a, first), (b, second) = list(sizes.items())[:2]
        raise SegadaptError(
            f"{place}: domain {reference!r} holds images of different sizes ({first} is "
            f"{a[0]}x{a[1]}, {second} is {b[0]}x{b[1]}, height x width); give the domain a size, "
            "or set batch_size to 1"
        )
    for size, image in sizes.items():
        if min(size) < smallest and not context.classes_behind(reference).whole_image:
            raise SegadaptError(
                f"{place}: domain {reference!r} holds {image}, which is {size[0]}x{size[1]} "
                f"(height x width); at least {smallest} pixels are needed each way: give the "
                "domain a size, or leave the image out"
            )


def check_smallest(
    context: StageContext, reference: str, crop: tuple[int, int], place: str
) -> None:
    """Every image must hold a crop of (height, width); look at the headers."""
    if not exists(context, reference):
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
        except UNDECODABLE as error:
            raise SegadaptError(f"{sample.image}: cannot be decoded ({error})") from error


def check_shared(batch_size: int, devices: int, place: str) -> None:
    """Every process must get as many images of a batch."""
    if batch_size % devices:
        raise SegadaptError(
            f"{place}.batch_size: {batch_size} images cannot be shared by {devices} processes; "
            "make it a multiple"
        )
