"""The mistakes that a classifier of whole images is surest about, as pictures."""

from __future__ import annotations

import heapq
from pathlib import Path
from typing import Any

from segadapt.base.pictures import save_jpeg
from segadapt.data.domain import Domain
from segadapt.data.loader import inference_batches
from segadapt.engine.predict import Predictor


def save_mistakes(
    title: str, predictor: Predictor, domain: Domain, number: int, batch_size: int, directory: Path
) -> dict[str, Any]:
    """Write the ``number`` most certain mistakes of a checkpoint.

    Returns:
        What the report needs: the images' files, true and predicted classes, and probabilities.
    """
    found: list[tuple[float, int, int, int]] = []
    for batch in inference_batches(domain, batch_size, (0, 1), workers=0):
        assert batch.labels is not None
        probability = predictor.probability(batch.image, (1, 1))[:, :, 0, 0].cpu()
        for index, label, row in zip(batch.indices, batch.labels, probability, strict=True):
            truth, predicted = int(label), int(row.argmax())
            if truth not in (predicted, 255):
                found.append((float(row[predicted]), index, truth, predicted))
    names = domain.classes.names
    folder = Path("mistakes") / title
    (directory / folder).mkdir(parents=True, exist_ok=True)
    rows = []
    for certainty, index, truth, predicted in heapq.nlargest(number, found):
        path = folder / f"{index:05d}.jpg"
        save_jpeg(domain.image(index), directory / path)
        rows.append(
            {
                "image": path.as_posix(),
                "name": domain.samples[index].name,
                "truth": names[truth],
                "predicted": names[predicted],
                "probability": certainty,
            }
        )
    return {"checkpoint": title, "images": rows}
