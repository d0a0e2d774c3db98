"""The drawing surface: one RGBA picture whose alpha channel carries an object number, not opacity.

Writing colour and object number in the same call keeps picture and label exact copies of the same
geometry, and costs one polygon fill instead of three (colour, label, depth).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Rgb = tuple[int, int, int]
Point2 = tuple[float, float]
Point3 = tuple[float, float, float]
U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]

VOID = 255
SUPERSAMPLE = 2  # the picture is drawn twice as large and reduced; the label takes every 2nd pixel
NEAR = 0.6  # metres; polygons are cut here so that nothing behind the windscreen is projected
MAX_OBJECTS = 250


def tint(colour: Rgb, gain: float) -> Rgb:
    """Scale a colour's brightness, kept in 0..255."""
    return (
        min(255, max(0, int(colour[0] * gain))),
        min(255, max(0, int(colour[1] * gain))),
        min(255, max(0, int(colour[2] * gain))),
    )


@dataclass(frozen=True)
class View:
    """Pinhole camera over a flat ground, in pixels of the supersampled canvas.

    World axes: X right of the camera, Y above the ground, Z ahead, all in metres.
    """

    width: int
    height: int
    focal: float
    centre_x: float
    horizon: float
    eye: float

    def project(self, p: Point3) -> Point2:
        """World point (X, Y, Z > 0) to canvas (column, row)."""
        k = self.focal / p[2]
        return self.centre_x + k * p[0], self.horizon + k * (self.eye - p[1])

    def scale(self, z: float) -> float:
        """Canvas pixels per metre at depth ``z``."""
        return self.focal / z


@dataclass
class Lamp:
    """A light source on the canvas, kept so that dark weather can make it glow."""

    x: float
    y: float
    radius: float
    colour: Rgb


def clip_near(points: Sequence[Point3]) -> list[Point3]:
    """Cut a world polygon at the near plane (Sutherland-Hodgman, one plane)."""
    out: list[Point3] = []
    for i, b in enumerate(points):
        a = points[i - 1]
        if (a[2] >= NEAR) != (b[2] >= NEAR):
            t = (NEAR - a[2]) / (b[2] - a[2])
            out.append((a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1]), NEAR))
        if b[2] >= NEAR:
            out.append(b)
    return out


class Canvas:
    """RGBA canvas plus, per object number, its class id and its depth in metres."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.image = Image.new("RGBA", (view.width, view.height))
        self.draw = ImageDraw.Draw(self.image)
        self.labels: list[int] = []
        self.depths: list[float] = []
        self.lamps: list[Lamp] = []
        self.shared: set[int] = set()
        """Numbers that several objects were drawn with."""

    def new(self, label: int, depth: float) -> int:
        """Register an object; returns the number to draw it with (0..MAX_OBJECTS)."""
        if len(self.labels) >= MAX_OBJECTS:  # reuse: the class must be right, the depth nearly
            same = [i for i, v in enumerate(self.labels) if v == label]
            if same:
                nearest = min(same, key=lambda i: abs(self.depths[i] - depth))
                self.shared.add(nearest)
                return nearest
            self.shared.add(len(self.labels) - 1)
            self.labels[-1], self.depths[-1] = label, depth
            return len(self.labels) - 1
        self.labels.append(label)
        self.depths.append(depth)
        return len(self.labels) - 1

    def flat(self, points: Sequence[Point2], colour: Rgb, obj: int) -> None:
        """Fill a canvas polygon."""
        if len(points) >= 3:
            self.draw.polygon(points, fill=(*colour, obj))

    def solid(self, points: Sequence[Point3], colour: Rgb, obj: int) -> None:
        """Fill a world polygon (cut at the near plane)."""
        kept = clip_near(points) if min(p[2] for p in points) < NEAR else points
        if len(kept) >= 3:
            self.draw.polygon([self.view.project(p) for p in kept], fill=(*colour, obj))

    def line(self, points: Sequence[Point2], width: float, colour: Rgb, obj: int) -> None:
        """Draw a canvas poly-line at least one canvas pixel wide."""
        w = max(1, round(width))
        self.draw.line(points, fill=(*colour, obj), width=w, joint="curve" if w > 3 else None)

    def disc(self, x: float, y: float, rx: float, ry: float, colour: Rgb, obj: int) -> None:
        """Fill an axis-aligned ellipse."""
        self.draw.ellipse((x - rx, y - ry, x + rx, y + ry), fill=(*colour, obj))

    def box(self, x0: float, y0: float, x1: float, y1: float, colour: Rgb, obj: int) -> None:
        """Fill an axis-aligned rectangle given by two corners in any order."""
        xy = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
        self.draw.rectangle(xy, fill=(*colour, obj))

    def lamp(self, x: float, y: float, radius: float, colour: Rgb) -> None:
        """Remember a light source (canvas pixels)."""
        self.lamps.append(Lamp(x, y, radius, colour))

    def sees(self, a: tuple[float, float], b: tuple[float, float]) -> bool:
        """Whether an upright wall over the ground line a -> b, both (X, Z), enters the picture."""
        kept = clip_near([(a[0], 0.0, a[1]), (b[0], 0.0, b[1])])
        cols = [self.view.project(p)[0] for p in kept]
        return len(cols) > 1 and max(cols) > 0 and min(cols) < self.view.width

    def wall(
        self,
        a: tuple[float, float],
        b: tuple[float, float],
        foot: float,
        top: float,
        texture: U8,
        obj: int,
        holes: bool = False,
    ) -> None:
        """Map ``texture`` (h, w, 3 or 4) on the upright rectangle over the ground line a -> b.

        a and b are (X, Z). With ``holes`` a fourth channel of 0 leaves the picture behind it
        visible while the object number still covers the whole rectangle (railings).
        """
        (xa, za), (xb, zb) = a, b
        t0, t1 = 0.0, 1.0
        if za < NEAR and zb < NEAR:
            return
        if za < NEAR:
            t0 = (NEAR - za) / (zb - za)
            xa, za = xa + t0 * (xb - xa), NEAR
        elif zb < NEAR:
            t1 = (NEAR - za) / (zb - za)
            xb, zb = xa + t1 * (xb - xa), NEAR
        v = self.view
        ca, cb = v.centre_x + v.focal * xa / za, v.centre_x + v.focal * xb / zb
        left, right = max(0, int(np.ceil(min(ca, cb)))), min(v.width, int(np.ceil(max(ca, cb))))
        if right <= left:
            return
        # Along the screen 1/z and u/z are linear, so the texture foreshortens correctly.
        cols = np.arange(left, right, dtype=np.float32)
        t = (cols - ca) / (cb - ca)
        inv = (1 - t) / za + t / zb
        u = ((1 - t) * (t0 / za) + t * (t1 / zb)) / inv
        row_foot = v.horizon + v.focal * (v.eye - foot) * inv
        row_top = v.horizon + v.focal * (v.eye - top) * inv
        upper, lower = max(0, int(row_top.min())), min(v.height, int(np.ceil(row_foot.max())))
        if lower <= upper:
            return
        rows = np.arange(upper, lower, dtype=np.float32)[:, None]
        down = (rows - row_top) / (row_foot - row_top)
        inside = (down >= 0) & (down < 1)
        th, tw = texture.shape[:2]
        ti = np.clip(down * th, 0, th - 1).astype(np.int32)
        tj = np.clip(u * tw, 0, tw - 1).astype(np.int32)
        # Whole RGBA pixels as one 32-bit word: one gather and one select instead of four.
        packed = np.empty((th, tw, 4), dtype=np.uint8)
        packed[..., :3] = texture[..., :3]
        packed[..., 3] = obj
        index = ti * tw + tj
        colour = packed.view(np.uint32).ravel()[index]
        box = (left, upper, right, lower)
        patch = np.array(self.image.crop(box))
        words = patch.view(np.uint32)[..., 0]
        paint = inside
        if holes:
            patch[..., 3] = np.where(inside, np.uint8(obj), patch[..., 3])
            paint = inside & (texture[..., 3].ravel()[index] > 0)
        np.copyto(words, colour, where=paint)
        self.image.paste(Image.fromarray(patch, "RGBA"), box)

    def sprite(self, x: float, y: float, w: float, h: float, rgba: U8, obj: int) -> None:
        """Paste a cut-out with its top left corner at (x, y).

        Alpha 255 is solid; alpha 128 takes the object number but keeps the picture behind it, as
        annotators outline a bare crown as one body; alpha 0 is outside.
        """
        wi, hi = max(2, round(w)), max(2, round(h))
        x0, y0 = round(x), round(y)
        if x0 >= self.view.width or y0 >= self.view.height or x0 + wi <= 0 or y0 + hi <= 0:
            return
        big = Image.fromarray(rgba, "RGBA")
        colour = big.convert("RGB").resize((wi, hi), Image.Resampling.BILINEAR)
        mask = big.getchannel("A").resize((wi, hi), Image.Resampling.BILINEAR)
        box = (x0, y0, x0 + wi, y0 + hi)
        number = Image.new("L", (wi, hi), obj)
        behind = self.image.crop(box)
        alpha = np.asarray(mask)
        seen, known = Image.fromarray(alpha > 191), Image.fromarray(alpha > 95)
        below = behind.convert("RGB")
        below.paste(colour, (0, 0), seen)
        numbers = behind.getchannel("A")
        numbers.paste(number, (0, 0), known)
        below.putalpha(numbers)
        self.image.paste(below, box)
