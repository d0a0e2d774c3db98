"""Optimizers, schedule, and how images are moved in a training."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from segadapt.base.section import Section, problem_at
from segadapt.config.mixed import Names
from segadapt.config.values import BatchSize, Fraction, Positive, ScaleRange, Size


class ModelOptimizer(Section):
    """Optimizer of the segmenter; defaults are those of the released programs."""

    name: Literal["sgd", "adamw"] = "sgd"
    lr: Annotated[float, Field(gt=0)] = 2.5e-4
    """Learning rate of the trunk."""
    classifier_factor: Annotated[float, Field(gt=0)] = 10.0
    """Factor on the head's rate."""
    momentum: Fraction = 0.9
    """SGD's."""
    weight_decay: Annotated[float, Field(ge=0)] = 5e-4
    """Trunk and head say which parameters it spares."""
    layer_decay: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Factor on the rate from each block of a transformer to the one before it (BEiT, VFM-UDA++);
    for trunks that say how deep their parameters lie."""
    clip_norm: Annotated[float, Field(gt=0)] | None = None
    """Largest norm of the gradient; not clipped where not given."""
    repeated_updates: bool | Literal["released"] = False
    """Update each backbone parameter as often per step as the released programs do (SGD only).
    ``released``: as they did with PyTorch 0.4.1, which the published numbers were made with. Its
    SGD adds the weight decay to the gradient in place, so the k-th of n updates of a step decays k
    times. True: as with a PyTorch of today, once in each."""

    @model_validator(mode="after")
    def _repeats_with_sgd_only(self) -> ModelOptimizer:
        if self.repeated_updates and self.name != "sgd":
            raise problem_at("repeated_updates", "goes with the sgd optimizer only")
        return self


class DiscriminatorOptimizer(Section):
    """Adam for the networks beside the segmenter."""

    lr: Annotated[float, Field(gt=0)] = 1e-4
    """Learning rate."""
    betas: tuple[Fraction, Fraction] = (0.9, 0.99)
    """Adam's."""


class Schedule(Section):
    """Polynomial decay of all learning rates, after a linear warm-up where one is asked for."""

    power: Annotated[float, Field(ge=0)] = 0.9
    """Of (1 - share of the training that is done), the factor on the rates; 0 keeps them."""
    iterations: Positive | None = None
    """Length of the decay; the stage's own iterations where not given. The published runs decay
    over 250000 and stop earlier."""
    warm_up: Annotated[int, Field(ge=0)] = 0
    """Iterations over which rates rise in a line."""
    warm_up_from: Fraction = 0.0
    """Factor on the rates at the first of them."""
    decays_in_warm_up: bool = False
    """The decay is at work while rates rise, as in DAFormer's program (1500 iterations from 1e-6, a
    power of 1); CLAN's rises to the whole rate first."""


class CropConfig(Section):
    """Random crops of the images of both domains, each on its own."""

    size: Size
    """(height, width)."""
    largest_share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Of a labelled crop's pixels that one class may fill (DAFormer: 0.75)."""
    tries: Annotated[int, Field(gt=0, le=100)] = 10
    """Crops that are tried until one shows enough; the last one is taken."""


class RareClassesConfig(Section):
    """Rare class sampling (DAFormer, Sec. 3.3): a class is drawn, then an image that shows it."""

    counts: Names
    """Output of a ``class_counts`` stage for the source; of several sources one each, in their
    order."""
    temperature: Annotated[float, Field(gt=0)] = 0.01
    """Small ones favour rare classes."""
    least_pixels: Annotated[int, Field(ge=0)] = 3000
    """Of the class that an image must have more than, at its labels' own size."""
    least_in_crop: Annotated[int, Field(ge=0)] = 1500
    """The same of a crop."""


class ValidationConfig(Section):
    """Scores on a labelled domain while a training goes on. They are shown, and nothing is chosen
    by them."""

    domain: str
    """A test or source domain, whose labels are opened for it."""
    every: Positive
    """Iterations between two scores; the last state is scored too."""
    batch_size: BatchSize = 4
    """Images that the network looks at together."""


class Jitter(Section):
    """Every image of both domains resized and moved on its own within its frame. What comes in
    from outside is black: it has no label, but losses on maps of the target see it."""

    scale: ScaleRange = (1.0, 1.0)
    """Smallest and largest factor, drawn evenly between their logarithms."""
    shift: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Largest move up, down, left or right, as a share of the image's height or width."""


class BoxAugmentation(Section):
    """SSD's augmentation of images with boxes (Liu et al., Sec. 2.2 and 3.6), of both domains.
    Mirroring is the stage's ``flip``."""

    photometric: bool = True
    """Brightness, contrast, saturation, hue and order of channels, each by chance."""
    expand: Fraction = 0.5
    """How likely an image is laid on a larger grey one, so that objects become small."""
    largest_expansion: Annotated[float, Field(ge=1, le=16)] = 4.0
    """Factor on the image's sides."""
    crop: bool = True
    """A part that overlaps a box by 0, 0.1, 0.3, 0.5, 0.7, 0.9, or all of it, drawn by chance. Of
    the target, whose boxes are never opened, as if the whole image were a box."""
