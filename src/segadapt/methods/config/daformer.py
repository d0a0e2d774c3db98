"""Settings of DAFormer."""

from __future__ import annotations

from segadapt.config.values import Fraction, Weight
from segadapt.methods.config.dacs import DACSConfig

THINGS = (
    "person",
    "rider",
    "car",
    "truck",
    "bus",
    "train",
    "motorcycle",
    "bicycle",
    "traffic light",
    "traffic sign",
)


class DAFormerConfig(DACSConfig):
    """Values of the released program."""

    lambda_feature: Weight = 0.005
    """Of the distance to the features of the starting weights; 0 for vision foundation models,
    which it harms."""
    things: tuple[str, ...] = THINGS
    """Classes on which it is measured."""
    least_share: Fraction = 0.75
    """Of a cell of the feature map that one of them must fill."""
