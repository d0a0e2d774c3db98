"""Where the time of a training step goes, as a picture.

python -m benchmarks.step_profile advent mic=timm:vit_small_patch14_dinov2 [--out FILE.svg]

Each operator's own time in three steps on the CPU, by torch's profiler, after two that do not
count.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path
from typing import Any

from torch.profiler import ProfilerActivity, profile

from benchmarks.speed.method_step import PASSES, batches, training, with_hard_pixels
from segadapt.config import ModelConfig, ModelOptimizer

KINDS = {
    "convolutions, forward": "#2a6f97",
    "convolutions, backward": "#61a5c2",
    "matrix products": "#468faf",
    "normalisation": "#a9d6e5",
    "maps at image size": "#f4a261",
    "updates of weights": "#e76f51",
    "all else": "#c9c9c9",
}
STEPS = 3
WIDTH, BAR, GAP, LEFT = 760, 34, 30, 90


def kind(name: str, shapes: Any, size: tuple[int, int], updating: bool) -> str:
    """Which of :data:`KINDS` an operator's time belongs to."""
    if updating:
        return "updates of weights"
    if "convolution_backward" in name:
        return "convolutions, backward"
    if "convolution" in name or "conv2d" in name:
        return "convolutions, forward"
    if any(word in name for word in ("mm", "attention", "linear")):
        return "matrix products"
    if "norm" in name:
        return "normalisation"
    if any(len(shape) > 2 and tuple(shape[-2:]) == size for shape in shapes if shape):
        return "maps at image size"
    return "all else"


def shares(name: str, backbone: str, size: tuple[int, int]) -> tuple[float, dict[str, float]]:
    """Seconds of a step, and of each kind."""
    passes = PASSES[name]
    heads = "linear" if backbone.startswith("timm:") else passes.heads
    model = ModelConfig(backbone=backbone, heads=heads, weights="none", input_format="rgb_mean_std")
    optimizer = ModelOptimizer(name="adamw", lr=6e-5) if name == "mic" else ModelOptimizer()
    step = training(name, passes.settings, model, "cpu", optimizer)
    source, target = batches(size, 1, "cpu")
    if name == "pixintrada":
        source, target = with_hard_pixels(source), None  # type: ignore[assignment]
    for _ in range(2):
        step(0, source, target)
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as found:
        for _ in range(STEPS):
            step(0, source, target)
    seconds: dict[str, float] = defaultdict(float)
    for event in found.events():
        parents = _names_above(event)
        updating = any("Optimizer.step" in x or "foreach_lerp" in x for x in (event.name, *parents))
        which = kind(event.name, event.input_shapes, size, updating)
        seconds[which] += event.self_cpu_time_total / 1e6 / STEPS
    return sum(seconds.values()), dict(seconds)


def _names_above(event: Any) -> list[str]:
    names = []
    while event.cpu_parent is not None:
        event = event.cpu_parent
        names.append(event.name)
    return names


def picture(found: dict[str, tuple[float, dict[str, float]]]) -> str:
    """An SVG of one bar for each step, in the colours of the kinds."""
    height = len(found) * (BAR + GAP) + 70
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        'font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
    ]
    room = WIDTH - LEFT - 20
    for row, (name, (total, seconds)) in enumerate(found.items()):
        top = 14 + row * (BAR + GAP)
        parts.append(f'<text x="10" y="{top + 15}" font-weight="bold">{name}</text>')
        parts.append(f'<text x="10" y="{top + 31}" fill="#555">{total:.2f} s</text>')
        left = float(LEFT)
        for which, colour in KINDS.items():
            width = room * seconds.get(which, 0.0) / total
            place = f'x="{left:.1f}" y="{top}" width="{width:.1f}" height="{BAR}"'
            parts.append(f'<rect {place} fill="{colour}"/>')
            if width > 34:
                share = 100 * seconds[which] / total
                parts.append(
                    f'<text x="{left + width / 2:.1f}" y="{top + 22}" text-anchor="middle">'
                    f"{share:.0f} %</text>"
                )
            left += width
    for number, (which, colour) in enumerate(KINDS.items()):
        left, top = 10 + (number % 4) * 187, height - 48 + 22 * (number // 4)
        parts.append(f'<rect x="{left}" y="{top}" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{left + 18}" y="{top + 11}">{which}</text>')
    return "\n".join([*parts, "</svg>", ""])


def main() -> None:
    """Print a table, and draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("methods", nargs="+", help="name, or name=BACKBONE")
    parser.add_argument("--backbone", default="resnet101")
    parser.add_argument("--size", nargs=2, type=int, default=(128, 256))
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    found = {}
    for word in given.methods:
        name, _, backbone = word.partition("=")
        found[name] = shares(name, backbone or given.backbone, tuple(given.size))
        total, seconds = found[name]
        print(f"{word}: {total:.2f} s")
        for which in KINDS:
            print(f"  {which}: {100 * seconds.get(which, 0.0) / total:.1f} %")
    if given.out is not None:
        given.out.write_text(picture(found), encoding="utf-8")


if __name__ == "__main__":
    main()
