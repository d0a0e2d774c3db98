"""The text of a first recipe: source-only, adapted, and both scored side by side."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from segadapt.commands.own_data.look import Split
from segadapt.commands.own_data.machine import Plan

HEAD = """\
# {source} to {target}: source-only beside adapted.
#
#   segadapt check {file}
#   segadapt run {file}
#
# Made for {machine}: about {minutes} minutes. For better results make iterations, size and
# batch_size larger, and take another backbone (`segadapt list models`).
description: {source} to {target}, source-only beside adapted

domains:
  # size is (height, width): images are resized to it, predictions back to their own size.
  source:
    dataset: folder
    root: {source_root}
    split: {source_split}
    role: source
    size: &size {size}
  target:
    {{dataset: folder, root: {target_root}, split: {target_split}, role: target, size: *size}}
"""
TEST = """\
  test: {{dataset: folder, root: {test_root}, split: {test_split}, role: test, size: *size}}
"""
STAGES = """\

defaults:
  train:
    model: {model}
    batch_size: {batch_size}
    flip: true
    optimizer: {{name: adamw, lr: 6.0e-5, clip_norm: 10.0}}

stages:
  # What adapting is to be compared with: labels of the source alone.
  source-only: {{stage: train, method: source_only, source: source, iterations: {iterations}}}
  # AdvEnt: the target's entropy maps are to look like the source's.
  advent:
    stage: train
    method: {{name: advent, discriminator_width: 16, lambda_adv: {{main: 0.03, aux: 0.006}}}}
    source: source
    target: target
    start_from: source-only.checkpoint
    iterations: {iterations}
  # Pixels that the adapted model is sure of become labels, and are learned from (PixIntraDA with
  # the thresholds of IAST).
  split:
    stage: pixel_split
    checkpoint: advent.checkpoint
    images: target
    selection: {{rule: instance_adaptive}}
  adapted:
    stage: train
    method: {{name: pixintrada, discriminator_width: 16, continuous: false}}
    source: split.labels
    start_from: advent.checkpoint
    iterations: {last_iterations}
    optimizer: {{lr: 3.0e-5}}
"""
EVALUATE = """\
  evaluate:
    stage: evaluate
    domain: test
    checkpoints: [source-only.checkpoint, advent.checkpoint, adapted.checkpoint]
"""
NO_TEST = """\
  # To have scores: label some images of the target that are not trained on, put them in
  # {target_root}/images/val and labels/val, and make the recipe anew. Until then the report sets
  # what the three say of the target's images side by side.
  inspect:
    stage: inspect
    checkpoints: [source-only.checkpoint, advent.checkpoint, adapted.checkpoint]
    images: target
    source: source
"""


@dataclass(frozen=True)
class Found:
    """What a recipe is made of."""

    source: Split
    target: Split
    test: Split | None


def text(found: Found, plan: Plan, file: Path) -> str:
    """The recipe, with comments."""
    values = {
        "file": file,
        "source": found.source.root.name,
        "target": found.target.root.name,
        "source_root": quoted(found.source.root),
        "source_split": quoted(found.source.name),
        "target_root": quoted(found.target.root),
        "target_split": quoted(found.target.name),
        "test_root": quoted(found.test.root) if found.test else "",
        "test_split": quoted(found.test.name) if found.test else "",
        "size": list(plan.size),
        "machine": plan.machine,
        "minutes": plan.minutes,
        "model": plan.model,
        "batch_size": plan.batch_size,
        "iterations": plan.iterations,
        "last_iterations": max(1, round(0.7 * plan.iterations)),
    }
    parts = [HEAD, *([TEST] if found.test else []), STAGES, EVALUATE if found.test else NO_TEST]
    return "".join(parts).format(**values)


def quoted(value: object) -> str:
    """A YAML string that holds whatever a folder may be called."""
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
