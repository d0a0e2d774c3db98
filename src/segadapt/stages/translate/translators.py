"""The ways to translate an image, one file at a time; what is there already is left alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from segadapt.artefacts import TRANSLATOR_FILE
from segadapt.base.errors import SegadaptError
from segadapt.data.domain import Domain, Sample
from segadapt.data.listing import find_images
from segadapt.data.loader import Done, mapped
from segadapt.data.transforms import image_size, read_image, resize_image
from segadapt.engine.fabric import Processes
from segadapt.engine.looking import looked_at
from segadapt.models.files.translators import Translator, load_translator, translate_whole
from segadapt.models.inputs import from_signed, signed
from segadapt.stages.context import StageContext
from segadapt.stages.translate.rules import GeneratorTranslation
from segadapt.translation.fourier import swap_low_frequencies

QUALITY = 95
"""Of the JPEG files: a translated GTA5 takes a fifth of what PNG files would."""

OnError = Callable[[SegadaptError], None]


def translated_path(directory: Path, sample: Sample) -> Path:
    """Where the translation of an image lies."""
    return directory / "images" / f"{sample.name}.jpg"


def _save(image: NDArray[np.uint8], path: Path) -> None:
    """Write a picture that is whole or absent."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".tmp")  # no longer than .jpg: a name may have the utmost length
    Image.fromarray(image).save(partial, format="JPEG", quality=QUALITY)
    partial.replace(path)


@dataclass
class FourierJob:
    """FDA. What an image becomes is a function of the seed and its number alone, so that an
    interrupted translation goes on, on any number of processes."""

    source: Domain
    target: Domain
    beta: float
    seed: int
    directory: Path

    def batches(
        self, indices: list[int], workers: int, processes: Processes, on_error: OnError
    ) -> Iterator[Done]:
        """Translate this process's share of the images with such numbers."""
        return mapped(self, indices[processes.rank :: processes.count], workers, on_error)

    def __call__(self, index: int) -> None:
        image = self.source.image(index)
        height, width = image.shape[:2]
        other = int(np.random.default_rng((self.seed, index)).integers(len(self.target)))
        style = resize_image(self.target.image(other), (height, width))
        translated = swap_low_frequencies(image, style, self.beta)
        _save(translated, translated_path(self.directory, self.source.samples[index]))


@dataclass
class GeneratorJob:
    """A trained generator, on the run's device; whole images at the domain's size."""

    source: Domain
    translator: Translator
    directory: Path
    processes: Processes

    def __post_init__(self) -> None:
        self.translator.to_target.to(self.processes.device)
        if self.translator.to_source is not None:
            self.translator.to_source.to(self.processes.device)

    def batches(
        self, indices: list[int], batch_size: int, workers: int, on_error: OnError
    ) -> Iterator[Done]:
        """Translate this process's share of the images with such numbers."""
        part = replace(self.source, samples=tuple(self.source.samples[i] for i in indices))
        for batch in looked_at(part, self.processes, batch_size, workers, on_error=on_error):
            for i, image in zip(
                batch.indices, self._through(batch.image, "to_target"), strict=True
            ):
                _save(image, translated_path(self.directory, part.samples[i]))
            yield Done(batch.indices)

    def cycled(self, path: Path) -> NDArray[np.uint8]:
        """A translated picture, back in the source's look."""
        image = torch.from_numpy(read_image(path, None))[None]
        back: NDArray[np.uint8] = self._through(image, "to_source")[0]
        return back

    @torch.inference_mode()
    def _through(self, image: torch.Tensor, way: str) -> NDArray[np.uint8]:
        with self.processes.autocast():
            generator = getattr(self.translator, way)
            made = translate_whole(generator, signed(image.to(self.processes.device)))
        return from_signed(made).cpu().numpy()


def generator_of(config: GeneratorTranslation, context: StageContext) -> Translator:
    """The translator that a stage trained, or that a file holds."""
    if config.file is not None:
        return load_translator(context.file(config.file))
    assert config.translator is not None
    folder = context.stage_directory(config.translator.partition(".")[0])
    return load_translator(folder / TRANSLATOR_FILE)


def counterparts(source: Domain, folder: Path) -> dict[str, Path]:
    """The images of ``folder`` that bear the names of the source's.

    Raises:
        SegadaptError: some are missing, or one has other proportions than the source's.
    """
    if not folder.is_dir():
        raise SegadaptError(
            f"{folder}: there is no such folder of translated images; it is named below the data "
            "root"
        )
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
