"""Whether the count is right: small steps on fake tensors, the same ones done on this CPU and
counted likewise, and what torch's profiler saw its allocator give out in the meantime."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.step_memory.cases import CASES, Case, training
from benchmarks.step_memory.measure import counted
from segadapt.base.compute import Precision

MIB = 2**20
SIZES = {"source": "domains.source.size=[136,240]", "target": "domains.target.size=[96,192]"}
LIGHT = {
    "source_only": ("stages.source-only.model.backbone=resnet18",),
    "minent": ("stages.adapt.model.backbone=resnet18",),
    "advent": ("stages.adapt.model.backbone=resnet18",),
    "clan": ("stages.adapt.model.backbone=resnet18",),
    "cirn": ("stages.ass.model.backbone=resnet18",),
    "pixintrada": ("stages.cts.model.backbone=resnet18",),
    "mean_teacher": ("stages.adapt.model.backbone=resnet18",),
    "dacs": ("stages.dacs.model.backbone=resnet18", "stages.dacs.crop.size=[96,96]"),
    "daformer": (
        "stages.adapt.model.backbone=timm:pvt_v2_b0",
        "stages.adapt.crop.size=[128,128]",
    ),
    "mic, HRDA": (
        "stages.adapt.model.backbone=timm:pvt_v2_b0",
        "stages.adapt.crop.size=[128,128]",
        "stages.adapt.model.detail.window=[64,64]",
    ),
    "mic, DINOv2-B, of 2": (
        "stages.adapt.model.backbone=timm:test_vit",
        "stages.adapt.crop.size=[160,160]",
    ),
}
"""Light networks in the place of the published ones."""


def light(case: Case) -> Case:
    """The same method with little to compute."""
    sizes = {SIZES[domain] for domain in (case.source, "target")}
    return replace(case, overrides=(*case.overrides, *sorted(sizes), *LIGHT[case.name]))


def agreement() -> None:
    """Print the table: MiB on fake tensors, on real ones, and of the allocator at its peak."""
    head = ["step", "precision", "fake", "real", "allocator", "fake / allocator", "inside"]
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}", flush=True)
    for case in CASES:
        if case.name in LIGHT:
            print(_row(light(case), "32-true", recompute=False), flush=True)
        if case.name in ("advent", "mic, DINOv2-B, of 2"):
            print(_row(light(case), "32-true", recompute=True), flush=True)
        if case.name == "source_only":  # of one alone: CPUs without AVX-512 are slow at it
            print(_row(light(case), "bf16-mixed", recompute=True), flush=True)


def _row(case: Case, precision: Precision, recompute: bool) -> str:
    found = training(case)
    fake = counted(found, precision, recompute)
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        real = counted(found, precision, recompute, fake=False)
    assert fake is not None and real is not None
    given, inside = allocated(profiled)
    cells = [case.name, precision + (", recomputed" if recompute else "")]
    cells += [f"{x / MIB:.2f}" for x in (fake.peak, real.peak, given)]
    return f"| {' | '.join(cells)} | {fake.peak / given:.3f} | {inside} |"


def allocated(profiled: profile) -> tuple[int, str]:
    """The most bytes that the CPU's allocator had given out since the profile began, and the
    operation at work then."""
    assert profiled.profiler is not None and profiled.profiler.kineto_results is not None
    changes: list[tuple[int, int, str]] = []
    todo: list[tuple[Any, str]] = [
        (event, "") for event in profiled.profiler.kineto_results.experimental_event_tree()
    ]
    while todo:
        event, above = todo.pop()
        todo.extend((child, event.name) for child in event.children)
        if event.tag == torch._C._profiler._EventType.Allocation:
            changes.append((event.start_time_ns, event.extra_fields.alloc_size, above))
    now = peak = 0
    inside = ""
    for _, change, operation in sorted(changes):
        now += change
        if now > peak:
            peak, inside = now, operation
    return peak, inside
