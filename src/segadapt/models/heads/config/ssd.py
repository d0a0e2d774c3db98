"""Settings of SSD's head."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from segadapt.base.section import Section

Positive = Annotated[float, Field(gt=0, le=16)]


class SSDConfig(Section):
    """Values of SSD-300 (Liu et al., ECCV 2016, Sec. 2.2), as torchvision has them."""

    aspect_ratios: Annotated[
        tuple[Annotated[tuple[Positive, ...], Field(max_length=8)], ...],
        Field(min_length=1, max_length=12),
    ] = ((2.0,), (2.0, 3.0), (2.0, 3.0), (2.0, 3.0), (2.0,), (2.0,))
    """Of each map's anchors, beside 1; each stands for its inverse too."""
    scales: Annotated[tuple[Positive, ...], Field(min_length=2, max_length=13)] = (
        *(0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05),
    )
    """Sides of each map's anchors as shares of the image's, and one more."""
    steps: tuple[Positive, ...] | None = None
    """Distances of each map's anchors as shares of the image's side; None: by the map's size."""
    finest: Annotated[int, Field(ge=1, le=64)] = 8
    """Smallest stride of the trunk's maps that are looked at."""
    extra_channels: Annotated[int, Field(gt=0, le=2048)] = 256
    """Of the maps that are added behind the trunk's last one, where it gives fewer."""
    normalised: bool = False
    """Every map of the trunk has its vectors brought to a learned length, 20 at first, as SSD has
    it for conv4_3 alone (Sec. 3.1; torchvision's trunk does that itself)."""

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if len(self.scales) != len(self.aspect_ratios) + 1:
            raise ValueError(
                f"has {len(self.scales)} scales for {len(self.aspect_ratios)} maps; give one more "
                "than there are maps"
            )
        if self.steps is not None and len(self.steps) != len(self.aspect_ratios):
            raise ValueError(f"has {len(self.steps)} steps for {len(self.aspect_ratios)} maps")
        return self

    @property
    def anchors_of_maps(self) -> tuple[int, ...]:
        """Anchors of one place of each map."""
        return tuple(2 + 2 * len(ratios) for ratios in self.aspect_ratios)
