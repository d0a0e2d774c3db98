"""Pictures of images as several checkpoints see them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from segadapt.base.box_pictures import LEAST_DRAWN, box_picture
from segadapt.base.classes import ClassSet
from segadapt.base.pictures import entropy_picture, label_picture, save_jpeg
from segadapt.data.domain import Domain
from segadapt.engine.detect import entropy_of_places
from segadapt.engine.predict import Predictor

PALE = 0.35
"""How much of the photograph is left where two checkpoints say the same."""


def draw_pixels(
    folder: Path, domain: Domain, index: int, predictors: Mapping[str, Predictor]
) -> dict[str, Any]:
    """Prediction and entropy of every checkpoint, and where the last differs from the first."""
    image = domain.image(index)
    save_jpeg(image, folder / "image.jpg")
    labels, drawn = [], {}
    for title, predictor in predictors.items():
        found = predictor.predict_sample(domain, index)
        labels.append(found.label)
        label_picture(found.label, domain.classes).save(folder / f"{title}.label.png")
        entropy_picture(found.entropy).save(folder / f"{title}.entropy.png")
        drawn[title] = {"label": f"{title}.label.png", "entropy": f"{title}.entropy.png"}
    files: dict[str, Any] = {"image": "image.jpg", "predictions": drawn}
    if len(labels) > 1:
        differ_picture(image, labels[0], labels[-1], domain.classes).save(folder / "differ.png")
        files["differ"] = "differ.png"
    return files


def differ_picture(
    image: NDArray[np.uint8],
    first: NDArray[np.uint8],
    last: NDArray[np.uint8],
    classes: ClassSet,
) -> Image.Image:
    """A pale grey photograph, with the last map's colours where it differs from the first."""
    grey = np.asarray(Image.fromarray(image).convert("L"), np.float32)[..., None]
    pale = np.repeat(255 - PALE * (255 - grey), 3, axis=2).astype(np.uint8)
    colours = np.asarray(label_picture(last, classes).convert("RGB"))
    return Image.fromarray(np.where((first != last)[..., None], colours, pale))


def draw_whole(
    folder: Path, domain: Domain, index: int, predictors: Mapping[str, Predictor]
) -> dict[str, Any]:
    """The image, and the name of the class that every checkpoint gives it."""
    save_jpeg(domain.image(index), folder / "image.jpg")
    drawn = {}
    for title, predictor in predictors.items():
        label = int(predictor.predict_sample(domain, index).label.flat[0])
        drawn[title] = {"class": domain.classes.names[label]}
    return {"image": "image.jpg", "predictions": drawn}


def draw_boxes(
    folder: Path, domain: Domain, index: int, predictors: Mapping[str, Predictor]
) -> dict[str, Any]:
    """The image with every checkpoint's boxes, how many they are, and where it is unsure."""
    image = domain.image(index)
    batch = torch.from_numpy(image.copy())[None]
    save_jpeg(np.asarray(box_picture(image, (), (), domain.classes)), folder / "image.jpg")
    drawn = {}
    for title, predictor in predictors.items():
        (found,) = predictor.detections(batch)
        ids, scores = found.labels.tolist(), found.scores.tolist()
        picture = box_picture(image, found.boxes.cpu(), ids, domain.classes, scores)
        save_jpeg(np.asarray(picture), folder / f"{title}.boxes.jpg")
        entropy_picture(entropy_of_places(predictor, batch)[0].numpy()).save(
            folder / f"{title}.entropy.png"
        )
        drawn[title] = {
            "boxes": f"{title}.boxes.jpg",
            "entropy": f"{title}.entropy.png",
            "number": sum(score >= LEAST_DRAWN for score in scores),
        }
    return {"image": "image.jpg", "predictions": drawn}
