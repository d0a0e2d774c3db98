"""Whether a network takes images of a size, and gives what trunk and head say of themselves."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from segadapt.base.errors import SegadaptError, first_line
from segadapt.config.model import ModelConfig
from segadapt.models.build import build_segmenter
from segadapt.models.heads.base import Head, LevelLogits
from segadapt.models.recomputed import blocks_of
from segadapt.models.segmenter import Segmenter

ENOUGH, MOST_PASSES = 0.5, 5
"""Seconds, and passes, that the time of a pass is found in."""


class Trial(NamedTuple):
    """What is known of a network that takes its images."""

    parameters: int
    seconds: float
    """That one image took it on the CPU, forwards."""
    blocks: int
    """Of its trunk, that processes can share; see :meth:`Trunk.blocks`."""
    recomputable: int
    """Of its trunk, whose activations can be computed again."""


def try_network(
    config: ModelConfig, num_classes: int, size: tuple[int, int], batch_size: int
) -> Trial:
    """Show a network so many black images of (height, width) as a training would.

    Raises:
        SegadaptError: it cannot be built, or does not take the image, or gives something else than
            it should.
    """
    # Two images tell as much as more do: a norm over one number is the trap.
    return _tried(config.model_dump_json(), num_classes, size, min(batch_size, 2))


@lru_cache(maxsize=64)
def _tried(settings: str, num_classes: int, size: tuple[int, int], batch_size: int) -> Trial:
    config = ModelConfig.model_validate_json(settings)
    model = build_segmenter(config, num_classes).train()
    image = torch.zeros(batch_size, 3, *size)
    called = f"model: {config.backbone} and {config.heads}"
    several = f"{batch_size} images" if batch_size > 1 else "one image"
    place = f"{several} of [{size[0]}, {size[1]}] (height, width)"
    try:
        with torch.no_grad():
            maps = model.features(image)
            problem = _misfit_of_maps(model, maps)
            output = model(image) if problem is None else None
            seconds = _seconds(model, image) / batch_size if problem is None else 0.0
    except SegadaptError:
        raise
    except Exception as error:  # of the network's own code: it may be anything
        raise SegadaptError(
            f"{called} fail on {place} at a time ({type(error).__name__}: {first_line(error)}); "
            "choose another size of the domains' images, a larger batch, or another network; in a "
            "network of your own look there first (--debug shows the line)"
        ) from error
    problem = problem or _misfit_of_output(model, output, num_classes)
    if problem is not None:
        raise SegadaptError(f"{called}: {problem}")
    parameters = sum(p.numel() for p in model.parameters())
    recomputable = len(blocks_of(model.trunk))
    return Trial(parameters, seconds, len(model.trunk.blocks()), recomputable)


def _seconds(model: Segmenter, image: Tensor) -> float:
    """The shortest of a few passes: other work on the machine only lengthens them."""
    passes: list[float] = []
    while sum(passes) < ENOUGH and len(passes) < MOST_PASSES:
        start = time.perf_counter()
        model(image)
        passes.append(time.perf_counter() - start)
    return min(passes)


def _misfit_of_maps(model: Segmenter, maps: object) -> str | None:
    channels = model.trunk.channels
    if not isinstance(maps, list) or not all(isinstance(x, Tensor) and x.ndim == 4 for x in maps):
        return "the trunk must give a list of maps, (N, channels, h, w) each"
    found = tuple(x.shape[1] for x in maps)
    if found != tuple(channels):
        return f"the trunk says {tuple(channels)} channels, and its maps have {found}"
    return None


def _misfit_of_output(model: Segmenter, output: object, num_classes: int) -> str | None:
    if not isinstance(output, LevelLogits):
        return "the head must give LevelLogits, as in LevelLogits(scores)"
    inherited = _main_scores_of_another(type(model.head))
    if inherited is not None:
        return (
            f"the head has a forward of its own and the main_scores of {inherited}, which "
            "predictions ask for; give it a main_scores too"
        )
    levels = {"main": output.main, "aux": output.aux}
    given = [name for name, scores in levels.items() if scores is not None]
    if given != list(model.level_names):
        return f"the head gives the levels {given}, and says {list(model.level_names)}"
    if (output.summands is not None) != model.head.is_sum:
        return "the head must give summands if, and only if, is_sum says so"
    if output.boxes is not None:
        if output.main.ndim != 5 or output.main.shape[1] != num_classes + 1:
            return f"the head's scores must be (N, {num_classes + 1}, anchors, h, w)"
        return None
    for name in given:
        scores = levels[name]
        if not isinstance(scores, Tensor) or scores.ndim != 4 or scores.shape[1] != num_classes:
            return f"the head's {name} scores must be (N, {num_classes}, h, w)"
    return None


def _main_scores_of_another(kind: type[Head]) -> str | None:
    """The class whose ``main_scores`` do not know of the ``forward`` that a head has by now."""
    forward, scores = (
        next(x for x in kind.__mro__ if name in vars(x)) for name in ("forward", "main_scores")
    )
    # Head's own are made of whatever forward there is.
    if scores is Head or issubclass(scores, forward):
        return None
    return scores.__name__
