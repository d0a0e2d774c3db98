"""What stands and moves along a street: the list of things to draw, still without colours."""

from __future__ import annotations

import numpy as np

from .layout import FAR, Street, Thing


def _in_junction(street: Street, side: int, z0: float, z1: float) -> bool:
    return any(d == side and z0 < b and z1 > a for d, a, b in street.junctions)


def _building_rows(street: Street, rng: np.random.Generator) -> list[Thing]:
    things: list[Thing] = []
    for k, side in enumerate((-1, 1)):
        line = street.half_road + street.verge[k] + street.walk[k] + street.setback[k]
        open_land = rng.random() < (0.1 if street.paved else 0.3)
        typical = float(rng.uniform(8.0, 20.0) if street.paved else rng.uniform(6.0, 11.0))
        gap = float(rng.uniform(0.02, 0.2) if street.paved else rng.uniform(0.2, 0.6))
        z = float(rng.uniform(-6, 0))
        end = float(rng.uniform(90, FAR))
        while z < end:
            width = float(rng.uniform(6, 17))
            if open_land or rng.random() < gap or _in_junction(street, side, z, z + width):
                _fill_gap(things, street, side, line, z, width, rng)
            else:
                tall = float(np.clip(rng.normal(typical, 2.2), 4.5, 24))
                s = side * (line + float(rng.uniform(0, 0.8)) * (rng.random() < 0.5))
                things.append(Thing("building", s, z, tall, z + width, order=z + width + 2))
                if street.setback[k] > 1.5:
                    _front_garden(things, street, side, k, z, z + width, rng)
            z += width + float(rng.choice([0.0, 0.0, 0.0, 2.0]))
    # The far end is closed, else every straight street would run into open sky.
    for _ in range(14):
        s = float(rng.uniform(-75, 75))
        kind = "tree" if rng.random() < 0.5 else "block"
        tall = float(rng.uniform(7, 20))
        things.append(Thing(kind, s, FAR + 20, tall, float(rng.uniform(12, 30)), order=FAR + 30))
    return things


def _fill_gap(
    things: list[Thing],
    street: Street,
    side: int,
    line: float,
    z: float,
    width: float,
    rng: np.random.Generator,
) -> None:
    """Trees, hedges or fences where no house stands (nothing but trees far back in a junction)."""
    back = float(rng.uniform(4, 14))
    for _ in range(int(rng.integers(2, 5))):
        zt = z + float(rng.uniform(0, width))
        if zt > 4:
            s = side * (line + back + float(rng.uniform(0, 8)))
            things.append(Thing("tree", s, zt, float(rng.uniform(6, 15)), order=zt + 45))
    if not _in_junction(street, side, z, z + width) and rng.random() < 0.75:
        kind = "fence" if rng.random() < 0.4 else "hedge"
        tall = float(rng.uniform(1.1, 2.2))
        things.append(Thing(kind, side * line, z, tall, z + width, order=z + width))


def _front_garden(
    things: list[Thing],
    street: Street,
    side: int,
    k: int,
    z0: float,
    z1: float,
    rng: np.random.Generator,
) -> None:
    edge = side * (street.half_road + street.verge[k] + street.walk[k] + 0.1)
    roll = rng.random()
    if roll < 0.8:
        kind = "hedge" if roll < 0.3 else "fence" if roll < 0.5 else "lowwall"
        tall = float(rng.uniform(0.8, 1.7))
        things.append(Thing(kind, edge, z0, tall, z1, order=z1))
    if rng.random() < 0.35 and z1 > 6:
        zt = float(rng.uniform(max(z0, 5), z1))
        tall = float(rng.uniform(3, 8))
        things.append(Thing("tree", edge + side * 1.5, zt, tall, order=zt + 1))


def _kerb_things(street: Street, rng: np.random.Generator) -> list[Thing]:
    """Street trees, lamps, signs, lights, bollards and railings beside the kerb."""
    things: list[Thing] = []
    for k, side in enumerate((-1, 1)):
        kerb = street.half_road + street.verge[k]
        near = side * (kerb + 0.5)
        far = side * (kerb + street.walk[k] - 0.3)
        if rng.random() < 0.36:
            z = float(rng.uniform(5, 25))
            step = float(rng.uniform(7, 18))
            while z < 100:
                if rng.random() < 0.7:
                    tall = float(rng.uniform(5, 13))
                    things.append(Thing("tree", near + side * 0.5, z, tall, order=z))
                z += step
        spot = near if rng.random() < 0.6 else far
        z = float(rng.uniform(8, 34))
        tall = float(rng.uniform(5.5, 9.5))
        arm = float(rng.choice([0.0, 1.0, 2.0]))
        stop = 110 if rng.random() < 0.65 else 0
        while z < stop:
            things.append(Thing("lamp", spot, z, tall, -side * arm, order=z))
            z += float(rng.uniform(24, 45))
        for _ in range(int(rng.poisson(2.0))):
            z = float(rng.uniform(6, 45))
            things.append(Thing("sign", near, z, float(rng.uniform(0.55, 1.1)), order=z))
        if rng.random() < 0.16:
            z = float(rng.uniform(9, 28))
            s = side * (kerb + street.walk[k] + 0.6)
            things.append(Thing("board", s, z, float(rng.uniform(1.2, 2.4)), order=z))
        for _ in range(int(rng.poisson(0.6))):
            z = float(rng.uniform(7, 40))
            things.append(Thing("post", near, z, float(rng.uniform(2.5, 5.0)), order=z))
        if rng.random() < 0.25:
            z = float(rng.uniform(5, 25))
            for i in range(int(rng.integers(2, 8))):
                things.append(Thing("bollard", near, z + 1.8 * i, 0.95, order=z + 1.8 * i))
        if rng.random() < 0.2:
            z0 = float(rng.uniform(5, 30))
            z1 = z0 + float(rng.uniform(10, 30))
            if not _in_junction(street, side, z0, z1):
                tall = float(rng.uniform(1.1, 1.4))
                things.append(Thing("fence", near, z0, tall, z1, order=z0 + 1))
        if rng.random() < 0.2:
            z = float(rng.uniform(7, 30))
            things.append(Thing("bin", far, z, float(rng.uniform(0.9, 1.5)), order=z))
        for d, a, b in street.junctions:
            if d == side and rng.random() < 0.6:
                things.append(Thing("light", near, a - 0.5, 2.6, order=a - 0.5))
                things.append(Thing("light", near, b + 0.8, 2.6, order=b + 0.8))
        for a, _ in street.crossings:
            things.append(Thing("light", near, a - 0.3, 2.6, order=a - 0.3))
    if street.island is not None:
        z = street.island[0] + 0.7
        things.append(Thing("sign", 0.0, z, 0.8, 1.0, order=z))
        things.append(Thing("bollard", 0.3, z + 1, 1.0, order=z + 1))
    return things


def _vehicles(street: Street, rng: np.random.Generator) -> list[Thing]:
    things: list[Thing] = []

    def add(s: float, z: float, heading: float) -> None:
        kind = str(
            rng.choice(
                ["car", "car", "car", "car", "car", "car", "van", "bus"],
                p=[0.15, 0.15, 0.15, 0.15, 0.15, 0.13, 0.09, 0.03],
            )
        )
        if kind == "bus" and z < 14:
            kind = "car"
        things.append(Thing(kind, s, z, 1.0, 0.0, heading, order=z))

    half, side = street.half_road, street.side
    for d in (-1, 1):
        if rng.random() < 0.4 and half > 3.2:
            z = float(rng.uniform(3.6, 16))
            stop = float(rng.uniform(25, 80))
            while z < stop:
                if rng.random() < 0.8 and not _in_junction(street, d, z - 3, z + 3):
                    flip = np.pi if (d != side) != (rng.random() < 0.1) else 0.0
                    add(d * (half - 1.05), z, street.heading(z) + flip + rng.normal(0, 0.02))
                z += float(rng.uniform(5.2, 7.5))
    z = float(rng.uniform(6, 28))
    while z < 90 and rng.random() < 0.75:
        add(side * half * float(rng.uniform(0.35, 0.5)), z, street.heading(z))
        z += float(rng.uniform(7, 30))
    z = float(rng.uniform(6, 28))
    while z < 90 and rng.random() < 0.72:
        add(-side * half * float(rng.uniform(0.35, 0.5)), z, street.heading(z) + np.pi)
        z += float(rng.uniform(8, 30))
    for d, a, b in street.junctions:
        if rng.random() < 0.4:
            turn = d * np.pi / 2 * (1 if rng.random() < 0.5 else -1)
            zc = (a + b) / 2 + float(rng.uniform(-1, 1))
            add(d * (half + float(rng.uniform(-3, 6))), zc, turn + rng.normal(0, 0.2))
    if not street.paved and rng.random() < 0.3:  # a car park beside the road
        d = int(rng.choice([-1, 1]))
        s = d * (half + 8)
        z = float(rng.uniform(9, 16))
        for i in range(int(rng.integers(3, 8))):
            add(s, z + 2.6 * i, d * np.pi / 2 + rng.normal(0, 0.05))
    return things


def _people(street: Street, rng: np.random.Generator) -> list[Thing]:
    things: list[Thing] = []
    for _ in range(int(rng.poisson(4.0))):
        k = int(rng.integers(2))
        side = 2 * k - 1
        z = float(rng.uniform(5.5, 45))
        s = side * (
            street.half_road + street.verge[k] + float(rng.uniform(0.3, max(0.4, street.walk[k])))
        )
        if rng.random() < 0.12:
            s = float(rng.uniform(-1, 1)) * street.half_road
            z = max(z, 9.0)
        for i in range(int(rng.choice([1, 1, 2]))):
            zi = z + 0.3 * i
            tall = float(np.clip(rng.normal(1.7, 0.09), 1.3, 1.95))
            things.append(Thing("person", s + 0.6 * i, zi, tall, order=zi))
    for _ in range(int(rng.poisson(0.9))):
        d = int(rng.choice([-1, 1]))
        z = float(rng.uniform(6.5, 32))
        s = d * (street.half_road - float(rng.uniform(0.4, 1.6)))
        turn = 0.0 if d == street.side else np.pi
        if rng.random() < 0.25:
            turn = np.pi / 2 * d
        things.append(Thing("cyclist", s, z, 1.75, 0.0, turn, order=z - 0.5))
    return things


def plan_things(street: Street, rng: np.random.Generator) -> list[Thing]:
    """Everything along the street, sorted so that painting in order is far to near."""
    things = _building_rows(street, rng)
    things += _kerb_things(street, rng)
    things += _vehicles(street, rng)
    things += _people(street, rng)
    return sorted(things, key=lambda t: -t.order)
