"""The ``translate`` stage: source images in the look of the target, with the source's labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segadapt.artefacts import ImageSet
from segadapt.base.errors import SegadaptError
from segadapt.base.pictures import save_jpeg
from segadapt.data.domain import Domain
from segadapt.data.transforms import read_image
from segadapt.engine.fabric import Processes
from segadapt.engine.log import progress
from segadapt.stages.context import Work
from segadapt.stages.translate.agreement import agreement
from segadapt.stages.translate.config import TranslateStage
from segadapt.stages.translate.rules import FolderTranslation, FourierTranslation
from segadapt.stages.translate.translators import (
    FourierJob,
    GeneratorJob,
    counterparts,
    generator_of,
    translated_path,
)


def run(stage: TranslateStage, work: Work) -> dict[str, Any]:
    """Translate the images that are not there yet; leave ``images.json`` and a gallery."""
    source = work.context.domain(stage.source, labelled=False)
    summary: dict[str, Any] = {"images": len(source)}
    back: Callable[[Path], NDArray[np.uint8]] | None = None
    if isinstance(stage.translation, FolderTranslation):
        files = counterparts(source, work.context.file(stage.translation.folder))
    else:
        files = {sample.name: translated_path(work.directory, sample) for sample in source.samples}
        missing = [i for i, s in enumerate(source.samples) if not files[s.name].is_file()]
        work.processes.barrier()  # all have looked before one begins to write
        problems: list[SegadaptError] = []
        if isinstance(stage.translation, FourierTranslation):
            assert stage.target is not None
            target = work.context.domain(stage.target, labelled=False)
            seed = work.context.stage_seed(work.name)
            fourier = FourierJob(source, target, stage.translation.beta, seed, work.directory)
            done = fourier.batches(missing, stage.workers, work.processes, problems.append)
        else:
            translator = generator_of(stage.translation, work.context)
            generator = GeneratorJob(source, translator, work.directory, work.processes)
            done = generator.batches(missing, stage.batch_size, stage.workers, problems.append)
            back = generator.cycled if translator.to_source is not None else None
        for _ in progress(done, work.name, len(missing), work.processes):
            pass
        _tell(problems, work.processes, len(source))
    work.processes.barrier()
    images = ImageSet(stage.source, {k: str(path) for k, path in files.items()})
    if work.processes.is_first:
        images.save(work.directory)
        _gallery(work.directory / "gallery", source, files, stage.gallery, back)
    work.processes.barrier()
    if stage.segmenter is not None:
        translated = work.context.domain(f"{work.name}.images", labelled=False)
        predictor = work.context.predictor(stage.segmenter, work.processes)
        summary |= agreement(work.name, source, translated, predictor, stage, work.processes)
    return summary


def _tell(problems: Sequence[SegadaptError], processes: Processes, number: int) -> None:
    """Raise one error for all images that could not be translated; the others are kept."""
    told = [str(x) for part in processes.gather([str(x) for x in problems]) for x in part]
    if len(told) == 1:
        raise SegadaptError(told[0])
    if told:
        raise SegadaptError(
            f"{len(told)} of {number} images cannot be translated, all others are: "
            + "; ".join(told[:5])
            + ("; ..." if len(told) > 5 else "")
        )


def _gallery(
    folder: Path,
    source: Domain,
    files: dict[str, Path],
    number: int,
    back: Callable[[Path], NDArray[np.uint8]] | None,
) -> None:
    """Evenly spaced images beside their translations and, where there is a way, cycled back."""
    folder.mkdir(exist_ok=True)
    count = len(source)
    for index in sorted({round(i) for i in np.linspace(0, count - 1, min(number, count))}):
        sample = source.samples[index]
        image = source.image(index)
        height, width = image.shape[:2]
        save_jpeg(image, folder / f"{index:05d}.source.jpg")
        translated = read_image(files[sample.name], (height, width))
        save_jpeg(translated, folder / f"{index:05d}.translated.jpg")
        if back is not None:
            save_jpeg(back(files[sample.name]), folder / f"{index:05d}.cycled.jpg")
