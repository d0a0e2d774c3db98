"""The ``translate`` stage: source images in the look of the target, with the source's labels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from segadapt.artefacts import ImageSet
from segadapt.config import FolderTranslation, TranslateStage
from segadapt.data.domain import Domain
from segadapt.data.listing import find_images
from segadapt.data.loader import mapped
from segadapt.data.transforms import image_size, resize_image
from segadapt.engine.fabric import Processes
from segadapt.engine.log import progress
from segadapt.errors import SegadaptError
from segadapt.pictures import save_jpeg
from segadapt.stages.context import StageContext
from segadapt.translation.fourier import swap_low_frequencies

QUALITY = 95
"""Of the JPEG files: a translated GTA5 takes a fifth of what PNG files would."""


def run(
    name: str, config: TranslateStage, context: StageContext, directory: Path, processes: Processes
) -> dict[str, Any]:
    """Translate the images that are not there yet; leave ``images.json`` and a gallery."""
    source = context.domain(config.source, labelled=False)
    if isinstance(config.translation, FolderTranslation):
        files = counterparts(source, context.file(config.translation.folder))
    else:
        assert config.target is not None
        target = context.domain(config.target, labelled=False)
        beta = config.translation.beta
        job = _Fourier(source, target, beta, context.stage_seed(name), directory)
        mine = range(processes.rank, len(source), processes.count)
        missing = [i for i in mine if not job.path(i).is_file()]
        done = mapped(job, missing, config.workers)
        for _ in progress(done, name, len(source), processes):
            pass
        files = {sample.name: job.path(i) for i, sample in enumerate(source.samples)}
    processes.barrier()
    if processes.is_first:
        ImageSet(config.source, {k: str(path) for k, path in files.items()}).save(directory)
        _gallery(directory / "gallery", source, files, config.gallery)
    processes.barrier()
    return {"images": len(source)}


def counterparts(source: Domain, folder: Path) -> dict[str, Path]:
    """The images of ``folder`` that bear the names of the source's.

    Raises:
        SegadaptError: some are missing, or one has other proportions than the source's.
    """
    found = find_images(folder)
    names = [sample.name for sample in source.samples]
    if not all(name in found for name in names):
        # Folders below may be others, as long as the names alone are unique.
        flat = {k.rpartition("/")[2]: path for k, path in found.items()}
        stems = {name.rpartition("/")[2] for name in names}
        if len(flat) == len(found) and len(stems) == len(names):
            found = {name: flat[s] for name in names if (s := name.rpartition("/")[2]) in flat}
    missing = [name for name in names if name not in found]
    if missing:
        raise SegadaptError(
            f"{folder}: has no image for {len(missing)} of the {len(names)} of {source.title}, "
            f"first {missing[0]}; translated images keep the names (and, where names repeat, the "
            "folders) of those they come from"
        )
    files = {name: Path(str(found[name])) for name in names}
    first = source.samples[0]
    ours, theirs = image_size(first.image), image_size(files[first.name])
    if abs(ours[0] * theirs[1] / (ours[1] * theirs[0]) - 1) > 0.1:
        raise SegadaptError(
            f"{files[first.name]}: is {theirs[0]}x{theirs[1]} (height x width), the image it "
            f"comes from {ours[0]}x{ours[1]}; a translation must keep the proportions"
        )
    return files


@dataclass
class _Fourier:
    """Translates one image by its number. A function of the seed and the number alone, so that an
    interrupted translation goes on, on any number of processes."""

    source: Domain
    target: Domain
    beta: float
    seed: int
    directory: Path

    def path(self, index: int) -> Path:
        return self.directory / "images" / f"{self.source.samples[index].name}.jpg"

    def __call__(self, index: int) -> int:
        image = self.source.image(index)
        other = int(np.random.default_rng((self.seed, index)).integers(len(self.target)))
        style = resize_image(self.target.image(other), image.shape[:2])  # type: ignore[arg-type]
        translated = swap_low_frequencies(image, style, self.beta)
        path = self.path(index)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        Image.fromarray(translated).save(partial, format="JPEG", quality=QUALITY)
        partial.replace(path)
        return index


def _gallery(folder: Path, source: Domain, files: dict[str, Path], number: int) -> None:
    """Evenly spaced images beside their translations."""
    folder.mkdir(exist_ok=True)
    count = len(source)
    for index in sorted({round(i) for i in np.linspace(0, count - 1, min(number, count))}):
        sample = source.samples[index]
        image = source.image(index)
        with Image.open(files[sample.name]) as translated:
            pixels = np.asarray(translated.convert("RGB"))
        save_jpeg(image, folder / f"{index:05d}.source.jpg")
        save_jpeg(resize_image(pixels, image.shape[:2]), folder / f"{index:05d}.translated.jpg")  # type: ignore[arg-type]
