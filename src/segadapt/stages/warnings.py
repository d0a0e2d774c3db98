"""What a run goes on with, and somebody should know before it does."""

from __future__ import annotations

from collections.abc import Iterator

from segadapt.base.counted import counted
from segadapt.data.datasets import folder
from segadapt.data.listing import dataset_reader, left_out
from segadapt.data.paths import open_root
from segadapt.stages.context import StageContext
from segadapt.stages.images import exists
from segadapt.stages.overlap import trained_on_scored


def warnings(context: StageContext) -> Iterator[str]:
    """Sentences: files that were passed over, and labels that are trained on and scored."""
    for name in context.recipe.domains:
        if exists(context, name):
            yield from _left_out(context, name)
    for name, stage in context.recipe.stages.items():
        if stage.stage != "evaluate":
            continue
        for title, overlap in trained_on_scored(context, stage).items():
            yield (
                f"stages.{name}: {title} was trained with the labels of "
                f"{counted(overlap.images, 'image')} that it is scored on, first {overlap.first}; "
                "its score says nothing of other images, and the report marks it. Score it on "
                "images of their own"
            )


def _left_out(context: StageContext, name: str) -> Iterator[str]:
    reader = dataset_reader(context.recipe.domains[name].dataset)
    if reader is not folder:  # others list what their data sets have
        return
    root = open_root(context.domain_root(name))
    place = folder.image_folder(root, context.recipe.domains[name].split)
    found = left_out(place)
    if not found:
        return
    kinds = ", ".join(
        f"{number} {'hidden' if suffix == 'hidden' else f'with {suffix}'}"
        for suffix, number in found.most_common()
    )
    advice = ""
    if found.keys() & {".heic", ".heif", ".avif", ".dng", ".cr2", ".nef", ".arw", ".exr"}:
        advice = "; convert photographs among them to JPEG or PNG to have them used"
    yield (
        f"domain {name!r}: {counted(found.total(), 'file')} below {place} "
        f"{'is' if found.total() == 1 else 'are'} left out ({kinds}){advice}"
    )
