"""Where everything is: the camera, the course of the street, and what stands along it.

Nothing here knows about colours; the same plan can be drawn in either domain. Distances are metres,
``s`` is measured sideways from the road's centre line, ``z`` ahead of the camera. The numbers were
tuned by hand to the class shares, horizon and object sizes of CamVid's training images.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .canvas import F32, SUPERSAMPLE, View

FAR = 150.0


@dataclass(frozen=True)
class Street:
    """Cross-section and course of the street; pairs are (left, right)."""

    offset: float
    slope: float
    bend: float
    half_road: float
    side: int  # -1: traffic keeps left, +1: right
    verge: tuple[float, float]
    walk: tuple[float, float]
    setback: tuple[float, float]
    paved: bool
    joint: float
    phase: float
    dash_period: float
    dash_length: float
    lane_lines: tuple[float, ...]
    solid_centre: bool
    edge_mark: int  # 0 none, 1 white, 2 yellow, 3 double yellow
    bike_lane: bool
    junctions: tuple[tuple[int, float, float], ...]
    crossings: tuple[tuple[float, float], ...]
    arrows: tuple[tuple[float, float], ...]
    island: tuple[float, float, float] | None
    sun: tuple[float, float]  # ground shadow of a 1 m post: (dx, dz)

    def centre(self, z: F32) -> F32:
        """X of the road's centre line at depths ``z``."""
        return self.offset + self.slope * z + self.bend * z * z

    def x(self, s: float, z: float) -> float:
        """World X of the point ``s`` metres beside the centre line at depth ``z``."""
        return s + self.offset + self.slope * z + self.bend * z * z

    def heading(self, z: float) -> float:
        """Direction of the street at depth ``z`` in radians from straight ahead."""
        return float(np.arctan(self.slope + 2 * self.bend * z))


@dataclass(frozen=True)
class Thing:
    """One object to draw: ``size`` and ``extra`` mean what the painter of ``kind`` says."""

    kind: str
    s: float
    z: float
    size: float = 1.0
    extra: float = 0.0
    heading: float = 0.0
    order: float = 0.0  # depth used for painting far to near


def make_view(rng: np.random.Generator, size: tuple[int, int]) -> View:
    """A windscreen camera for a final picture of ``size`` = (height, width)."""
    h, w = size[0] * SUPERSAMPLE, size[1] * SUPERSAMPLE
    return View(
        width=w,
        height=h,
        focal=float(rng.uniform(0.82, 1.12)) * w,
        centre_x=w * float(rng.uniform(0.44, 0.56)),
        horizon=h * float(np.clip(rng.normal(0.492, 0.028), 0.4, 0.58)),
        eye=float(rng.uniform(1.2, 1.7)),
    )


def make_street(rng: np.random.Generator) -> Street:
    """Draw the cross-section and course of one street."""
    town = rng.random() < 0.66
    lanes = int(rng.choice([2, 2, 2, 3, 4]))
    half = lanes * float(rng.uniform(1.4, 1.85)) + float(rng.choice([0, 0, 2.0]))
    side = -1 if rng.random() < 0.75 else 1
    own = half * float(rng.uniform(0.3, 0.62))  # lateral place of the ego lane
    walk = tuple(float(v) for v in rng.uniform(1.6, 4.2, size=2))
    verge = (
        (0.2, 0.2) if town else tuple(float(v) for v in rng.choice([0.2, 0.2, 1.5, 2.5], size=2))
    )
    setback = tuple(
        float(v) for v in (rng.choice([0, 0, 0, 2], size=2) if town else rng.uniform(2, 9, size=2))
    )
    junctions = []
    for d in (-1, 1):
        if rng.random() < 0.45:
            z0 = float(rng.uniform(9, 45))
            junctions.append((d, z0, z0 + float(rng.uniform(5, 9))))
    crossings = [float(rng.uniform(8, 35))] if rng.random() < 0.2 else []
    lines = tuple(float(v) for v in np.linspace(-half, half, lanes + 1)[1:-1])
    reach = float(rng.uniform(0.2, 2.2))
    turn = float(rng.uniform(0, 2 * np.pi))
    return Street(
        offset=-side * own + float(rng.normal(0, 0.4)),
        slope=float(rng.normal(0, 0.035)),
        bend=float(rng.normal(0, 0.0007)),
        half_road=half,
        side=side,
        verge=(verge[0], verge[1]),
        walk=(walk[0], walk[1]),
        setback=(setback[0], setback[1]),
        paved=bool(town),
        joint=float(rng.choice([0.0, 0.6, 0.9, 1.8])),
        phase=float(rng.uniform(0, 9)),
        dash_period=float(rng.choice([4.5, 6.0, 9.0])),
        dash_length=float(rng.uniform(1.6, 4.0)),
        lane_lines=lines if rng.random() < 0.9 else (),
        solid_centre=bool(rng.random() < 0.12),
        edge_mark=int(rng.choice([0, 0, 1, 2, 3, 3])),
        bike_lane=bool(rng.random() < 0.12),
        junctions=tuple(junctions),
        crossings=tuple((z, z + 2.8) for z in crossings),
        arrows=((float(rng.uniform(5, 25)), side * half * 0.5),) if rng.random() < 0.2 else (),
        island=(float(rng.uniform(12, 40)), float(rng.uniform(42, 60)), 0.8)
        if rng.random() < 0.15
        else None,
        sun=(reach * float(np.cos(turn)), reach * float(np.sin(turn)) * 0.6),
    )
