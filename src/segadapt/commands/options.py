"""Options that say several things at once, in the terms of the package."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from segadapt.base.errors import SegadaptError
from segadapt.config.views import Views


def ensemble_of(options: Iterable[str]) -> dict[Path, float]:
    """``--with FILE[=WEIGHT]`` options as weights by file.

    Raises:
        SegadaptError: a weight is no number above zero.
    """
    weights: dict[Path, float] = {}
    for option in options:
        file, separator, weight = option.rpartition("=")
        try:
            value = float(weight) if separator else 1.0
        except ValueError:
            value = 0.0
        if not 0 < value < math.inf:
            raise SegadaptError(f"--with {option}: the weight after = must be a number above zero")
        weights[Path(file if separator else option)] = value
    return weights


def views_of(scales: str, flip: bool, window: str | None) -> Views:
    """``--scales``, ``--flip`` and ``--window``: how a model looks at an image.

    Raises:
        SegadaptError: one of them cannot be read.
    """
    try:
        size = tuple(window.lower().split("x")) if window is not None else None
        values = {"scales": scales.split(","), "flip": flip, "window": size}
        return Views.model_validate(values)
    except ValidationError as error:
        problem = error.errors()[0]
        raise SegadaptError(
            f"--{problem['loc'][0]}: {problem['msg']} (it is {problem.get('input')!r}); scales are "
            "numbers as in 0.75,1,1.25, a window is HEIGHTxWIDTH as in 512x512"
        ) from error
