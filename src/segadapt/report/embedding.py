"""t-SNE pictures of features, one per checkpoint (PixIntraDA, Fig. 4); extra ``plots``."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from markupsafe import Markup

from segadapt.report import wording
from segadapt.report.records import Evaluation

SIDE = 260
FEWEST = 10
"""Points below which there is nothing to see."""
AVAILABLE = find_spec("sklearn") is not None


@dataclass(frozen=True)
class Embedding:
    """The features of one checkpoint in two dimensions."""

    name: str
    svg: Markup | None
    """None where scikit-learn is not installed."""


def embeddings(evaluation: Evaluation) -> list[Embedding]:
    """One per checkpoint whose features were kept, in the order of the scores."""
    folder = evaluation.stage.directory / "features"
    found = []
    for score in evaluation.scores:
        path = folder / f"{score.checkpoint}.npz"
        if path.is_file():
            svg = _scatter(path, evaluation.colours) if AVAILABLE else None
            if svg != "":
                found.append(Embedding(wording.marked_name(score), svg))
    return found


def _scatter(path: Path, colours: list[tuple[int, int, int]]) -> Markup:
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    with np.load(path, allow_pickle=False) as arrays:
        features, labels = arrays["features"].astype(np.float32), arrays["labels"]
    if len(labels) < FEWEST:
        return Markup("")
    reduced = PCA(min(30, *features.shape), random_state=0).fit_transform(features)
    perplexity = min(30.0, (len(reduced) - 1) / 3)
    places = TSNE(2, perplexity=perplexity, init="pca", random_state=0).fit_transform(reduced)
    low, high = places.min(axis=0), places.max(axis=0)
    places = 8 + (SIDE - 16) * (places - low) / np.maximum(high - low, 1e-6)
    dots = [
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.2" fill="rgb({r} {g} {b})"/>'
        for (x, y), (r, g, b) in zip(places, (colours[k] for k in labels), strict=True)
    ]
    return Markup(
        f'<svg class="embedding" viewBox="0 0 {SIDE} {SIDE}" role="img" '
        f'aria-label="t-SNE of features by class">{"".join(dots)}</svg>'
    )
