"""How far two sets of runs lie apart, where the arithmetic between them was changed.

python benchmarks/same_numbers.py --data-root DATA --keep BEFORE    # then with the code after
python benchmarks/near_numbers.py BEFORE AFTER

For every training stage the largest relative difference of a logged loss, at its first and at any
line, and of a network's weights at its end.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import load_file

SMALL = 1e-3
"""Losses and weights below count as this large: of nothing, every difference is a large one."""


def losses(path: Path) -> list[dict[str, float]]:
    """Losses by name, line by line."""
    lines = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    return [{k: v for k, v in x.items() if k.startswith("loss_")} for x in lines]


def apart(one: dict[str, float], other: dict[str, float]) -> float:
    """The largest relative difference of losses of the same names."""
    assert one.keys() == other.keys()
    return max((abs(one[k] - other[k]) / max(abs(one[k]), SMALL) for k in one), default=0.0)


def weights_apart(first: Path, second: Path) -> float:
    """The largest difference of a tensor's values, relative to the largest of them."""
    ours, theirs = load_file(first), load_file(second)
    found = [0.0]
    for name, value in ours.items():
        if value.is_floating_point() and value.numel():
            difference = (value - theirs[name]).abs().max()
            found.append(float(difference / value.abs().max().clamp(min=SMALL)))
    return max(found)


def rows(before: Path, after: Path) -> Iterator[tuple[str, float, float, float]]:
    """Stage, then differences: first line, any line, weights."""
    for path in sorted(before.rglob("metrics.jsonl")):
        stage = path.relative_to(before).parent
        pairs = list(zip(losses(path), losses(after / stage / path.name), strict=True))
        checkpoint = "checkpoint.safetensors"
        both = before / stage / checkpoint, after / stage / checkpoint
        weights = weights_apart(*both) if both[0].is_file() else float("nan")
        differences = [apart(*pair) for pair in pairs]
        yield str(stage), differences[0], max(differences), weights


def main() -> None:
    """Print a line for each stage, and the largest of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    found = list(rows(given.before, given.after))
    for stage, first, any_line, weights in found:
        print(f"{stage}: first losses {first:.1e}, all {any_line:.1e}, weights {weights:.1e}")
    print(f"largest: {', '.join(f'{max(x):.1e}' for x in list(zip(*found, strict=True))[1:])}")


if __name__ == "__main__":
    main()
