"""Compose one scene: plan it, paint it far to near, then light and photograph it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from .camera import photograph, render
from .canvas import F32, SUPERSAMPLE, U8, VOID, Canvas, Point3, clip_near
from .facades import draw_block, draw_building
from .furniture import (
    draw_bin,
    draw_board,
    draw_fence,
    draw_lamp,
    draw_light,
    draw_post,
    draw_sign,
)
from .layout import Street, Thing, make_street, make_view
from .people import draw_cyclist, draw_person
from .plants import draw_hedge, draw_tree
from .style import CONDITIONS, Style, camera_style, rendered_style
from .surfaces import GROUND_OBJECTS, paint_ground, paint_sky
from .things import boxes_of
from .traffic import plan_things
from .vehicles import draw_vehicle
from .weather import SKY_DEPTH, Shot

Domain = Literal["rendered", "camera"]
Painter = Callable[[Canvas, Thing, Street, Style, np.random.Generator], None]

PAINTERS: dict[str, Painter] = {
    "building": draw_building,
    "block": draw_block,
    "tree": draw_tree,
    "hedge": draw_hedge,
    "car": draw_vehicle,
    "van": draw_vehicle,
    "bus": draw_vehicle,
    "person": draw_person,
    "cyclist": draw_cyclist,
    "lamp": draw_lamp,
    "post": draw_post,
    "bollard": draw_post,
    "sign": draw_sign,
    "board": draw_board,
    "light": draw_light,
    "fence": draw_fence,
    "lowwall": draw_fence,
    "bin": draw_bin,
}


@dataclass(frozen=True)
class Scene:
    """A picture, uint8 (H, W, 3) RGB, and its class ids, uint8 (H, W) in 0..10 or 255.

    ``boxes`` (M, 6), float32, are around vehicles (0), people on foot (1) and on bicycles (2).
    """

    image: U8
    label: U8
    condition: str
    boxes: F32


def _shadows(canvas: Canvas, street: Street, things: list[Thing]) -> U8:
    """Darkness of the ground, uint8 (H, W): cast shadows, and contact shadows under vehicles."""
    v = canvas.view
    half = (v.width // 2, v.height // 2)
    mask = Image.new("L", half)
    draw = ImageDraw.Draw(mask)
    dx, dz = street.sun

    def fill(points: list[Point3], value: int) -> None:
        kept = clip_near(points)
        if len(kept) >= 3:
            flat = [v.project(p) for p in kept]
            draw.polygon([(x / 2, y / 2) for x, y in flat], fill=value)

    for t in things:
        x = street.x(t.s, t.z)
        reach = t.size
        if t.kind in ("building", "fence", "hedge", "lowwall"):
            x1 = street.x(t.s, t.extra)
            a, b = (x, 0.0, t.z), (x1, 0.0, t.extra)
            fill(
                [
                    a,
                    b,
                    (x1 + dx * reach, 0.0, t.extra + dz * reach),
                    (x + dx * reach, 0.0, t.z + dz * reach),
                ],
                200,
            )
        elif t.kind == "tree" and t.extra <= 1:
            cx, cz = x + dx * reach * 0.65, t.z + dz * reach * 0.65
            r = reach * 0.28
            ring = np.linspace(0, 2 * np.pi, 10, endpoint=False)
            fill([(cx + r * float(np.cos(a)), 0.0, cz + r * float(np.sin(a))) for a in ring], 170)
        elif t.kind in ("lamp", "post", "person", "cyclist", "sign", "light"):
            w = 0.1 if t.kind in ("lamp", "post", "sign", "light") else 0.25
            fill(
                [
                    (x - w, 0.0, t.z),
                    (x + w, 0.0, t.z),
                    (x + w + dx * reach, 0.0, t.z + dz * reach),
                    (x - w + dx * reach, 0.0, t.z + dz * reach),
                ],
                180,
            )
    for t in things:
        if t.kind in ("car", "van", "bus"):
            x = street.x(t.s, t.z)
            c, s = float(np.cos(t.heading)), float(np.sin(t.heading))
            long, wide = {"car": (2.2, 1.0), "van": (2.8, 1.15), "bus": (5.4, 1.4)}[t.kind]
            corners = ((-long, -wide), (-long, wide), (long, wide), (long, -wide))
            fill([(x + a * s + b * c, 0.0, t.z + a * c - b * s) for a, b in corners], 255)
    soft = mask.filter(ImageFilter.BoxBlur(1.5)).resize(
        (v.width, v.height), Image.Resampling.NEAREST
    )
    return np.asarray(soft, dtype=np.uint8)


def _bonnet(canvas: Canvas, style: Style, rng: np.random.Generator) -> None:
    """The own car's bonnet at the lower edge; void, as in recorded drives."""
    v = canvas.view
    top = v.height * float(rng.uniform(0.94, 0.985))
    lean = v.height * float(rng.uniform(-0.02, 0.04))
    dark = int(rng.uniform(14, 60))
    edge = [
        (-1.0, top + lean * 2),
        (v.width * 0.25, top),
        (v.width * 0.75, top - lean * 0.4),
        (v.width + 1.0, top + lean),
        (v.width + 1.0, v.height + 1.0),
        (-1.0, v.height + 1.0),
    ]
    canvas.flat(edge, (dark, dark, dark + 4), canvas.new(VOID, 2.0))


def draw_scene(
    domain: Domain, seed: int, size: tuple[int, int] = (224, 320), condition: str | None = None
) -> Scene:
    """Draw one scene of ``size`` = (height, width); the same arguments give the same arrays.

    The plan depends on the seed alone, so both domains share their world statistics. A camera's
    ``condition`` is drawn where none of :data:`.style.CONDITIONS` is asked for.
    """
    if domain not in ("rendered", "camera"):
        raise ValueError(f"unknown domain {domain!r}, expected 'rendered' or 'camera'")
    if condition is not None and (domain == "rendered" or condition not in CONDITIONS):
        raise ValueError(f"no condition {condition!r} in domain {domain!r}")
    if min(size) < 16:
        raise ValueError(f"size must be at least 16 x 16, got {size}")
    plan = np.random.default_rng(np.random.SeedSequence([seed, 1]))
    rng = np.random.default_rng(np.random.SeedSequence([seed, 2, int(domain == "camera")]))
    view, street = make_view(plan, size), make_street(plan)
    things = plan_things(street, plan)
    style = camera_style(rng, condition) if domain == "camera" else rendered_style(rng)

    canvas = Canvas(view)
    for label in GROUND_OBJECTS:
        canvas.new(label, SKY_DEPTH)
    paint_sky(canvas, style, rng)
    paint_ground(canvas, street, style, _shadows(canvas, street, things), rng)
    for thing in things:
        PAINTERS[thing.kind](canvas, thing, street, style, rng)
    if rng.random() < 0.2:
        _bonnet(canvas, style, rng)

    half = SUPERSAMPLE
    number = np.asarray(canvas.image.getchannel("A"))[1::half, 1::half]
    label = np.array(canvas.labels, dtype=np.uint8)[number]
    depth = np.array(canvas.depths, dtype=np.float32)[number]
    rows = np.arange(size[0], dtype=np.float32)[:, None] * half
    ground = view.focal * view.eye / np.maximum(rows - np.float32(view.horizon), 2.0)
    is_ground = (number > 0) & (number < len(GROUND_OBJECTS))
    depth = np.where(is_ground, np.minimum(ground, SKY_DEPTH - 1), depth).astype(np.float32)
    colour = np.asarray(canvas.image.convert("RGB").reduce(half), dtype=np.float32)
    shot = Shot(
        label,
        depth,
        view.horizon / half,
        view.centre_x / half,
        tuple(type(p)(p.x / half, p.y / half, p.radius / half, p.colour) for p in canvas.lamps),
    )
    image = (
        photograph(colour, shot, style, rng) if domain == "camera" else render(colour, shot, rng)
    )
    boxes = boxes_of(number, canvas.labels, canvas.shared)
    return Scene(image=image, label=label, condition=style.condition, boxes=boxes)
