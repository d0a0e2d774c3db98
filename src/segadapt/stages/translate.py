"""The ``translate`` stage: source images in the look of the target, with the source's labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segadapt.artefacts import ImageSet
from segadapt.config import FolderTranslation, FourierTranslation, TranslateStage
from segadapt.data.domain import Domain
from segadapt.data.transforms import read_image
from segadapt.engine.fabric import Processes
from segadapt.engine.log import progress
from segadapt.errors import SegadaptError
from segadapt.pictures import save_jpeg
from segadapt.stages.agreement import agreement
from segadapt.stages.context import StageContext
from segadapt.stages.translators import (
    FourierJob,
    GeneratorJob,
    counterparts,
    generator_of,
    translated_path,
)


def run(
    name: str, config: TranslateStage, context: StageContext, directory: Path, processes: Processes
) -> dict[str, Any]:
    """Translate the images that are not there yet; leave ``images.json`` and a gallery."""
    source = context.domain(config.source, labelled=False)
    summary: dict[str, Any] = {"images": len(source)}
    back: Callable[[Path], NDArray[np.uint8]] | None = None
    if isinstance(config.translation, FolderTranslation):
        files = counterparts(source, context.file(config.translation.folder))
    else:
        files = {sample.name: translated_path(directory, sample) for sample in source.samples}
        missing = [i for i, s in enumerate(source.samples) if not files[s.name].is_file()]
        processes.barrier()  # all have looked before one begins to write
        problems: list[SegadaptError] = []
        if isinstance(config.translation, FourierTranslation):
            assert config.target is not None
            target = context.domain(config.target, labelled=False)
            seed = context.stage_seed(name)
            fourier = FourierJob(source, target, config.translation.beta, seed, directory)
            done = fourier.batches(missing, config.workers, processes, problems.append)
        else:
            translator = generator_of(config.translation, context)
            generator = GeneratorJob(source, translator, directory, processes)
            done = generator.batches(missing, config.batch_size, config.workers, problems.append)
            back = generator.cycled if translator.to_source is not None else None
        for _ in progress(done, name, len(missing), processes):
            pass
        _tell(problems, processes, len(source))
    processes.barrier()
    images = ImageSet(config.source, {k: str(path) for k, path in files.items()})
    if processes.is_first:
        images.save(directory)
        _gallery(directory / "gallery", source, files, config.gallery, back)
    processes.barrier()
    if config.segmenter is not None:
        translated = context.domain(f"{name}.images", labelled=False)
        predictor = context.predictor(config.segmenter, processes)
        summary |= agreement(name, source, translated, predictor, config, processes)
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
