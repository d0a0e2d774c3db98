"""Inference: from decoded images to class probabilities, and the Python way to use a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias, overload

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from segadapt.base.classes import ClassSet
from segadapt.base.compute import Compute, Precision
from segadapt.base.detections import Detections
from segadapt.base.errors import SegadaptError
from segadapt.config import Views
from segadapt.data.domain import Domain
from segadapt.data.transforms import as_rgb, read_image, resize_image, seen_at
from segadapt.engine.exported.read import load_model, require_free_size
from segadapt.engine.fabric import Processes, launch
from segadapt.engine.prediction import Prediction
from segadapt.engine.readout import read_out
from segadapt.engine.views import further_scales, view_logits
from segadapt.losses.two_views import cosine_distance
from segadapt.models.boxes import as_map
from segadapt.models.files.checkpoints import TrainedModel, checkpoint_of
from segadapt.models.inputs import normalise
from segadapt.tasks.detection import DetectionTask, boxes_of_level, detections
from segadapt.tasks.segmentation import Level, upsample

Picture: TypeAlias = str | Path | Image.Image | NDArray[np.uint8]
"""A file, a Pillow image, or RGB (height, width, 3)."""


class TwoViews(NamedTuple):
    """How two classifiers look at one image, (height, width) each."""

    distance: NDArray[np.float32]
    """R of CIRN's Eq. 7 in [0, 1]: 0 where both say the same."""
    attention: tuple[NDArray[np.float32], ...]
    """The K maps of the ancillary classifier in [0, 1]; none of a plain one."""


class Predictor:
    """A trained segmenter, or several whose score maps are averaged, or a detector, on a device."""

    def __init__(
        self,
        trained: TrainedModel | Sequence[tuple[TrainedModel, float]],
        processes: Processes,
        views: Views | None = None,
    ) -> None:
        """``trained`` is a model, or models with the weights of their score maps.

        Raises:
            SegadaptError: models of different classes or sizes; of detectors several, or other
                views than the plain one.
        """
        members = [(trained, 1.0)] if isinstance(trained, TrainedModel) else list(trained)
        first = members[0][0]
        if first.classes.boxes:
            _require_one_look(len(members), views or Views())
        for other, _ in members[1:]:
            _require_alike(first, other)
        self.classes: ClassSet = first.classes
        """Names and colours of the predicted ids."""
        self.size = first.size
        """(height, width) that images had in training; None where each kept its own."""
        self.oracle = any(model.oracle for model, _ in members)
        """Target labels took part in training."""
        self._processes = processes
        self._views = views or Views()
        total = sum(weight for _, weight in members)
        self._members = [
            (
                model.model.to(
                    processes.device,
                    memory_format=torch.channels_last,  # type: ignore[call-overload]
                ).eval(),
                model.config.input_format,
                weight / total,
            )
            for model, weight in members
        ]

    @property
    def scales(self) -> tuple[float, ...]:
        """Factors at which it looks at images besides their own size."""
        return further_scales(self._views)

    @torch.inference_mode()
    def logits(self, image: Tensor, scaled: Sequence[Tensor] = ()) -> Tensor:
        """Class scores, float32, of uint8 RGB images (N, H, W, 3).

        ``scaled`` is the same at each of :attr:`scales`, from the files' own pixels.

        (N, C, h, w) at the network's resolution for one model and the plain view, which is brought
        to any size without loss of time; at image size (N, C, H, W) otherwise, and where the
        network had to pad the image.
        """
        image = image.to(self._processes.device, non_blocking=True)
        scaled = [x.to(self._processes.device, non_blocking=True) for x in scaled]
        if len(self._members) == 1:
            return self._member_logits(image, scaled, 0)
        size = image.shape[1:3]
        total: Tensor | None = None
        for index, (_, _, weight) in enumerate(self._members):
            logit = weight * upsample(self._member_logits(image, scaled, index), size)
            total = logit if total is None else total + logit
        assert total is not None
        return total

    def _member_logits(self, image: Tensor, scaled: Sequence[Tensor], index: int) -> Tensor:
        model, input_format, _ = self._members[index]

        def network(x: Tensor) -> Tensor:
            with self._processes.autocast():
                scores: Tensor = model.main_scores(x)
            return scores.float()

        seen = [normalise(x, input_format) for x in (image, *scaled)]
        return view_logits(network, seen[0], self._views, seen[1:])

    @torch.inference_mode()
    def features(self, image: Tensor) -> Tensor:
        """Last features of the (first) model's backbone, (N, channels, h, w), float32."""
        model, input_format, _ = self._members[0]
        image = image.to(self._processes.device, non_blocking=True)
        with self._processes.autocast():
            last: Tensor = model.last_features(normalise(image, input_format))
        return last.float()

    @torch.inference_mode()
    def boxes(self, image: Tensor) -> Level:
        """What a detector says of uint8 RGB images (N, H, W, 3), anchors in pixels of these."""
        model, input_format, _ = self._members[0]
        image = image.to(self._processes.device, non_blocking=True)
        with self._processes.autocast():
            output = model(normalise(image, input_format))
        task = DetectionTask(len(self.classes.names))
        (level,) = task.levels_of(output, (image.shape[1], image.shape[2]))
        return level

    def place_probability(self, image: Tensor) -> Tensor:
        """Probabilities (N, C, h, w) at each place that is judged in uint8 RGB images (N, H, W, 3).

        These are the positions at the network's resolution; of a detector all of its anchors, in
        h, of all grids, with the background as the first of the classes (ADVENT, Appendix A).
        """
        if self.classes.boxes:
            return as_map(boxes_of_level(self.boxes(image)).scores).softmax(dim=1)
        return self.logits(image).softmax(dim=1)

    def detections(self, image: Tensor) -> list[Detections]:
        """Boxes that a detector finds in uint8 RGB images (N, H, W, 3), in pixels of these."""
        return detections(self.boxes(image), (image.shape[1], image.shape[2]))

    @torch.inference_mode()
    def two_views(self, image: NDArray[np.uint8]) -> TwoViews | None:
        """Distance and attention for RGB (height, width, 3); None where one classifier decides."""
        model, input_format, _ = self._members[0]
        if not model.head.is_sum or len(self._members) > 1:
            return None
        device_image = torch.from_numpy(image.copy())[None].to(self._processes.device)
        with self._processes.autocast():
            output, maps = model.with_attention(normalise(device_image, input_format))
        size = image.shape[:2]
        assert output.summands is not None
        one, other = (upsample(x, size).softmax(dim=1) for x in output.summands)
        return TwoViews(
            cosine_distance(one, other)[0].clamp(0, 1).cpu().numpy(),
            tuple(upsample(x, size)[0, 0].cpu().numpy() for x in maps),
        )

    @torch.inference_mode()
    def probability(
        self, image: Tensor, size: tuple[int, int], scaled: Sequence[Tensor] = ()
    ) -> Tensor:
        """Probabilities (N, C, height, width) at ``size`` of uint8 RGB images (N, H, W, 3).

        ``scaled``: see :meth:`logits`.
        """
        return upsample(self.logits(image, scaled), size).softmax(dim=1)

    @overload
    def predict(self, image: Picture) -> Prediction: ...

    @overload
    def predict(self, image: list[Picture]) -> list[Prediction]: ...

    def predict(self, image: Picture | list[Picture]) -> Prediction | list[Prediction]:
        """Predict one image: a file, a Pillow image, or RGB (height, width, 3) uint8; or a list.

        The image is resized to the size the model was trained with, and the result back to its own.

        Raises:
            SegadaptError: the file cannot be read, or the array is of another form; the model
                finds boxes, see :func:`segadapt.detect_image`.
        """
        if self.classes.boxes:
            raise SegadaptError(
                "this checkpoint finds boxes and gives pixels no classes; call "
                "segadapt.detect_image(predictor, image) in place of predict"
            )
        if isinstance(image, list):
            return [self.predict(one) for one in image]
        original = rgb_array(image)
        height, width = original.shape[:2]
        return self._prediction(original, self.size, (height, width))

    def predict_sample(self, domain: Domain, index: int) -> Prediction:
        """Predict an image of a domain as it is scored: seen, and shown, in the domain's size."""
        original = domain.original(index)
        height, width = domain.size or original.shape[:2]
        return self._prediction(original, domain.size, (height, width))

    def _prediction(
        self,
        original: NDArray[np.uint8],
        size: tuple[int, int] | None,
        shown: tuple[int, int],
    ) -> Prediction:
        """Of an image seen in ``size``, and at the scales of the views, at the size ``shown``."""
        seen = [torch.from_numpy(x.copy())[None] for x in seen_at(original, size, self.scales)]
        found = read_out(self.logits(seen[0], seen[1:]), shown)
        assert found.entropy is not None and found.probability is not None
        return Prediction(
            found.label,
            found.entropy,
            found.probability,
            resize_image(original, shown),
            self.classes,
        )


def load(
    path: str | Path | Mapping[Path, float],
    family: str | None = None,
    device: str = "auto",
    views: Views | None = None,
    precision: Precision = "32-true",
) -> Predictor:
    """A checkpoint ready to predict: ``segadapt.load(path).predict(image).label``.

    Args:
        path: a checkpoint file, the folder of a stage, or of a run that has one, ``hf:USER/NAME``
            or ``hf:USER/NAME@REVISION`` on the Hugging Face hub, or several with the weights that
            their score maps are averaged with (an ensemble).
        family: whose layout published files have, see ``docs/published-checkpoints.md``.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
        views: scales, mirroring and windows; the plain image where not given.
        precision: ``32-true`` or ``bf16-mixed``.

    Raises:
        SegadaptError: a file cannot be used, files do not fit each other, or the device is not
            there.
    """
    weights = path if isinstance(path, Mapping) else {path: 1.0}
    members = [
        (load_model(checkpoint_of(Path(file)), family), weight) for file, weight in weights.items()
    ]
    if views is not None and (views.window is not None or further_scales(views)):
        for file, (trained, _) in zip(weights, members, strict=True):
            require_free_size(Path(file), trained.size, "scales and windows")
    compute = Compute(device, precision=precision)
    predictor: Predictor = launch(_predictor, (members, views), compute)
    return predictor


def _predictor(
    processes: Processes, members: list[tuple[TrainedModel, float]], views: Views | None
) -> Predictor:
    return Predictor(members, processes, views)


def _require_alike(first: TrainedModel, other: TrainedModel) -> None:
    if first.classes.names != other.classes.names:
        raise SegadaptError(
            f"an ensemble needs models of the same classes in the same order; one has "
            f"{len(first.classes.names)} ({', '.join(first.classes.names[:3])}, ...), another "
            f"{len(other.classes.names)} ({', '.join(other.classes.names[:3])}, ...)"
        )
    if first.size != other.size:
        raise SegadaptError(
            "an ensemble needs models that were trained with images of the same size; one has "
            f"{first.size}, another {other.size} (height, width)"
        )


def _require_one_look(models: int, views: Views) -> None:
    if models > 1:
        raise SegadaptError(
            "an ensemble averages score maps, which detectors of boxes have not; score or apply "
            "them one at a time"
        )
    if views != Views():
        raise SegadaptError(
            "a detector of boxes looks at the whole image, once; leave out scales, mirroring and "
            "windows"
        )


def rgb_array(image: str | Path | Image.Image | NDArray[np.uint8]) -> NDArray[np.uint8]:
    """RGB (height, width, 3) uint8 of a file, a Pillow image, or such an array.

    Raises:
        SegadaptError: the file cannot be read, or the array is of another form.
    """
    if isinstance(image, (str, Path)):
        return read_image(Path(image), None)
    if isinstance(image, Image.Image):
        return np.array(as_rgb(image, "the image"))
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise SegadaptError(
            f"an image array must be uint8 RGB (height, width, 3), not {image.dtype} {image.shape}"
        )
    return image
