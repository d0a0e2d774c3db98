"""What can be found wrong about a translation."""

from __future__ import annotations

from segadapt.models.files.translators import load_translator
from segadapt.stages.boxes import require_no_boxes
from segadapt.stages.context import StageContext
from segadapt.stages.images import exists
from segadapt.stages.translate.config import TranslateStage
from segadapt.stages.translate.rules import FolderTranslation, GeneratorTranslation
from segadapt.stages.translate.translators import counterparts

JPEG_BYTES = 0.5
"""Of a pixel, at the quality that translated images are written with."""


def check(stage: TranslateStage, context: StageContext, place: str) -> None:
    """A folder must have every image's counterpart, a file a generator."""
    if stage.segmenter is not None:
        require_no_boxes(stage.segmenter, "segmenter", context, place)
    rule = stage.translation
    there = stage.source in context.recipe.domains and exists(context, stage.source)
    if isinstance(rule, FolderTranslation) and there:
        source = context.domain(stage.source, labelled=False)
        counterparts(source, context.file(rule.folder))
    if isinstance(rule, GeneratorTranslation) and rule.file is not None:
        load_translator(context.file(rule.file))


def written_bytes(stage: TranslateStage, context: StageContext) -> int:
    """Translated images, where their number and size are known before the run."""
    domain = context.recipe.domains.get(stage.source)
    if isinstance(stage.translation, FolderTranslation) or domain is None:
        return 0
    if domain.drawn_by is not None or domain.size is None:
        return 0
    number = len(context.domain(stage.source, labelled=False))
    return round(number * domain.size[0] * domain.size[1] * JPEG_BYTES)
