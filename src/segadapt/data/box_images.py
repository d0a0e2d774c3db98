"""Images with boxes for training: augmented, resized, mirrored, and put together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from segadapt.base.errors import SegadaptError
from segadapt.config.training import BoxAugmentation
from segadapt.data.box_augmentation import augmented
from segadapt.data.boxes.array import mirrored_boxes, resized_boxes
from segadapt.data.domain import Domain
from segadapt.data.mixture import Mixture
from segadapt.data.order import Draw
from segadapt.data.transforms import resize_image, scaled_size


@dataclass
class BoxImages(Dataset[Any]):
    """(image (H, W, 3) uint8, boxes (M, 6) in its pixels or None without labels) for a draw."""

    domain: Domain | Mixture
    augmentation: BoxAugmentation | None = None

    def __getitem__(self, draw: Draw) -> Any:
        # A worker's exception would reach the user wrapped in a traceback, so it is handed over
        # as a value and raised in the main process.
        domain, number = self.domain.part(draw.image)
        try:
            image = domain.original(number)
            label = domain.label(number) if domain.labelled else None
        except SegadaptError as error:
            return error
        frame = domain.size or image.shape[:2]
        if draw.scale != 1.0:
            frame = scaled_size(frame, draw.scale)
        if self.augmentation is not None:
            image, label = augmented(image, label, self.augmentation, (*draw.again, 1))
        label = None if label is None else resized_boxes(label, image.shape[:2], frame)
        image = resize_image(image, frame)
        if draw.mirrored:
            image = image[:, ::-1]
            label = None if label is None else mirrored_boxes(label, image.shape[1])
        pixels = torch.from_numpy(np.ascontiguousarray(image))
        return pixels, None if label is None else torch.from_numpy(label)
