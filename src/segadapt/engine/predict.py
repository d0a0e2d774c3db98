"""Inference: from decoded images to class probabilities, and the Python way to use a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from segadapt.classes import ClassSet
from segadapt.data.transforms import normalise, read_image
from segadapt.engine.fabric import Processes, launch
from segadapt.errors import SegadaptError
from segadapt.losses.entropy import entropy_map
from segadapt.models.checkpoints import TrainedModel, load_checkpoint
from segadapt.tasks.segmentation import upsample


@dataclass(frozen=True)
class Prediction:
    """What a model says about one image, at the image's own size."""

    label: NDArray[np.uint8]
    """Most probable class per pixel, (height, width)."""
    entropy: NDArray[np.float32]
    """Normalised entropy per pixel in [0, 1], (height, width)."""
    probability: NDArray[np.float32]
    """Class probabilities, (classes, height, width)."""


class Predictor:
    """A trained segmenter on a device."""

    def __init__(self, trained: TrainedModel, processes: Processes) -> None:
        self.trained = trained
        self._processes = processes
        self._model = trained.model.to(
            processes.device,
            memory_format=torch.channels_last,  # type: ignore[call-overload]
        ).eval()

    @property
    def classes(self) -> ClassSet:
        """Names and colours of the predicted ids."""
        return self.trained.classes

    @torch.inference_mode()
    def logits(self, image: Tensor) -> Tensor:
        """Main logits at network resolution, float32, of uint8 RGB images (N, H, W, 3)."""
        device = self._processes.device
        x = normalise(image.to(device, non_blocking=True), self.trained.config.input_format)
        with self._processes.autocast():
            output = self._model(x)
        logits: Tensor = output.main.float()
        return logits

    @torch.inference_mode()
    def probability(self, image: Tensor, size: tuple[int, int]) -> Tensor:
        """Probabilities (N, C, height, width) at ``size`` of uint8 RGB images (N, H, W, 3)."""
        return upsample(self.logits(image), size).softmax(dim=1)

    def predict(self, image: str | Path | Image.Image | NDArray[np.uint8]) -> Prediction:
        """Predict one image: a file, a Pillow image, or RGB (height, width, 3) uint8.

        The image is resized to the size the model was trained with, and the result back to its own.

        Raises:
            SegadaptError: the file cannot be read, or the array is of another form.
        """
        original = _as_array(image)
        height, width = original.shape[:2]
        pixels = original
        size = self.trained.size
        if size is not None and (height, width) != size:
            resized = Image.fromarray(original).resize((size[1], size[0]), Image.Resampling.BICUBIC)
            pixels = np.array(resized)
        probability = self.probability(torch.from_numpy(pixels.copy())[None], (height, width))
        return Prediction(
            label=probability[0].argmax(dim=0).to(torch.uint8).cpu().numpy(),
            entropy=entropy_map(probability)[0].cpu().numpy(),
            probability=probability[0].cpu().numpy(),
        )


def load(path: str | Path, family: str | None = None, device: str = "auto") -> Predictor:
    """A checkpoint ready to predict: ``segadapt.load(path).predict(image).label``.

    Args:
        path: a checkpoint file.
        family: whose program a published file belongs to (``advent``, ``adaptsegnet``, ...).
        device: ``auto``, ``cpu`` or ``cuda``.

    Raises:
        SegadaptError: the file cannot be used, or the device is not there.
    """
    trained = load_checkpoint(Path(path), family)
    predictor: Predictor = launch(_predictor, (trained,), device, 1, "32-true")
    return predictor


def _predictor(processes: Processes, trained: TrainedModel) -> Predictor:
    return Predictor(trained, processes)


def _as_array(image: str | Path | Image.Image | NDArray[np.uint8]) -> NDArray[np.uint8]:
    if isinstance(image, (str, Path)):
        return read_image(Path(image), None)
    if isinstance(image, Image.Image):
        return np.array(image.convert("RGB"))
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise SegadaptError(
            f"an image array must be uint8 RGB (height, width, 3), not {image.dtype} {image.shape}"
        )
    return image
