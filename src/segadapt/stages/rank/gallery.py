"""Pictures of ranked images: what was predicted in them, and where that is unsure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from segadapt.artefacts import Split
from segadapt.base.box_pictures import box_picture
from segadapt.base.pictures import entropy_picture, label_picture, save_jpeg
from segadapt.data.domain import Domain
from segadapt.engine.detect import entropy_of_places
from segadapt.engine.predict import Predictor


def save_gallery(
    folder: Path, split: Split, domain: Domain, predictor: Predictor, number: int
) -> None:
    """Images evenly spaced over the ranking, the easiest and the hardest included."""
    folder.mkdir(exist_ok=True)
    count = len(split.images)
    chosen = sorted({round(i) for i in np.linspace(0, count - 1, min(number, count))})
    draw = _boxes if domain.classes.boxes else _pixels
    for rank in chosen:
        alone = domain.subset([split.images[rank].name])
        draw(folder / f"{rank:05d}", alone, predictor)


def _pixels(stem: Path, alone: Domain, predictor: Predictor) -> None:
    prediction = predictor.predict_sample(alone, 0)
    save_jpeg(alone.image(0), stem.with_suffix(".image.jpg"))
    label_picture(prediction.label, predictor.classes).save(stem.with_suffix(".prediction.png"))
    entropy_picture(prediction.entropy).save(stem.with_suffix(".entropy.png"))


def _boxes(stem: Path, alone: Domain, predictor: Predictor) -> None:
    image = alone.image(0)
    batch = torch.from_numpy(image.copy())[None]
    (found,) = predictor.detections(batch)
    ids, scores = found.labels.tolist(), found.scores.tolist()
    save_jpeg(image, stem.with_suffix(".image.jpg"))
    drawn = box_picture(image, found.boxes.cpu(), ids, predictor.classes, scores)
    drawn.save(stem.with_suffix(".prediction.png"))
    entropy = entropy_of_places(predictor, batch)[0]
    entropy_picture(entropy.numpy()).save(stem.with_suffix(".entropy.png"))
