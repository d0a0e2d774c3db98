"""Features of labelled pixels, for pictures of how well classes are told apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from segadapt.data.domain import Domain
from segadapt.data.transforms import resize_label
from segadapt.engine.predict import Predictor
from segadapt.losses.segmentation import IGNORE

IMAGES = 40
"""Evenly spaced images that are looked at."""


def labelled_features(
    predictor: Predictor, domain: Domain, per_class: int
) -> tuple[NDArray[np.float16], NDArray[np.uint8]]:
    """Last features of the backbone at pixels of every class.

    Args:
        predictor: a single model.
        domain: labelled images.
        per_class: at most so many pixels of each class, drawn evenly from the images looked at
            with a fixed seed, so that every model is asked about the same pixels.

    Returns:
        (number, channels) features and (number,) train ids.
    """
    chosen = sorted({round(i) for i in np.linspace(0, len(domain) - 1, min(IMAGES, len(domain)))})
    share = -(-per_class // len(chosen))
    generator = np.random.default_rng(0)
    vectors = [np.empty((0, 0), np.float16)]
    labels = [np.empty(0, np.uint8)]
    missing = np.full(len(domain.classes.names), per_class)
    for index in chosen:
        features = predictor.features(torch.from_numpy(domain.image(index))[None])[0]
        label = resize_label(domain.label(index), features.shape[1:])  # type: ignore[arg-type]
        flat = features.flatten(1).T.cpu().numpy()
        for k in np.unique(label[label != IGNORE]):
            places = np.flatnonzero(label == k)
            number = min(share, len(places), missing[k])
            missing[k] -= number
            places = generator.choice(places, number, replace=False)
            vectors.append(flat[places].astype(np.float16))
            labels.append(np.full(len(places), k, np.uint8))
    return np.concatenate(vectors[1:] or vectors), np.concatenate(labels)


def save_features(path: Path, features: NDArray[np.float16], labels: NDArray[np.uint8]) -> None:
    """Write both arrays as ``.npz``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, features=features, labels=labels)
