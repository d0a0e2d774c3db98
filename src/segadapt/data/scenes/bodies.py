"""Side profiles of the vehicles, in metres."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Body:
    """Side profile from the rear bumper over the roof to the front, in metres (length, height).

    ``skin`` has one letter per stretch between points: p paint, g glass, b bumper.
    """

    profile: tuple[tuple[float, float], ...]
    skin: str
    belt: float  # height where the side windows start
    half_width: float
    wheel: float
    axles: tuple[float, float]


BODIES = {
    "hatch": Body(
        (
            (-1.95, 0.3),
            (-2.0, 0.62),
            (-1.93, 0.95),
            (-1.6, 1.42),
            (-0.6, 1.5),
            (0.25, 1.46),
            (1.0, 0.98),
            (1.85, 0.8),
            (2.0, 0.55),
            (1.97, 0.26),
        ),
        "bpgpp" + "gppb",
        0.95,
        0.86,
        0.31,
        (-1.25, 1.3),
    ),
    "saloon": Body(
        (
            (-2.2, 0.32),
            (-2.25, 0.6),
            (-2.2, 0.95),
            (-1.55, 1.0),
            (-0.95, 1.4),
            (0.2, 1.43),
            (0.95, 0.97),
            (2.05, 0.8),
            (2.2, 0.55),
            (2.18, 0.26),
        ),
        "bppgpgppb",
        0.95,
        0.88,
        0.32,
        (-1.35, 1.4),
    ),
    "suv": Body(
        (
            (-2.1, 0.4),
            (-2.15, 0.72),
            (-2.1, 1.08),
            (-1.9, 1.68),
            (-0.5, 1.76),
            (0.3, 1.72),
            (0.95, 1.12),
            (1.95, 1.0),
            (2.15, 0.68),
            (2.1, 0.34),
        ),
        "bpgppgppb",
        1.08,
        0.93,
        0.37,
        (-1.3, 1.35),
    ),
    "van": Body(
        (
            (-2.6, 0.4),
            (-2.65, 1.0),
            (-2.62, 1.35),
            (-2.55, 1.95),
            (-2.4, 2.15),
            (1.3, 2.12),
            (1.95, 1.25),
            (2.5, 1.0),
            (2.6, 0.6),
            (2.58, 0.3),
        ),
        "bpgpp" + "gppb",
        1.3,
        0.98,
        0.34,
        (-1.6, 1.6),
    ),
    "bus": Body(
        (
            (-5.2, 0.35),
            (-5.25, 1.0),
            (-5.25, 1.5),
            (-5.2, 2.6),
            (-5.1, 3.05),
            (5.1, 3.05),
            (5.2, 2.6),
            (5.25, 1.2),
            (5.25, 0.8),
            (5.2, 0.3),
        ),
        "bpgpp" + "pgpb",
        1.3,
        1.25,
        0.48,
        (-3.0, 3.4),
    ),
}
