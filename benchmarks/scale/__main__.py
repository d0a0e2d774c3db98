"""Seconds, memory and bytes of all that grows with the number of a target's images.

    python -m benchmarks.scale [--folder /tmp/scale] [--images 10000 100000 1000000]
        [--only domain split ...] [--out FILE.json]

Makes empty image files below FOLDER (an inode each), 1000 in a folder, and leaves them there for
the next time. Each measurement has a process of its own: seconds are those of a core, memory is the
most that it had, over what it had after its imports. Directories are in the machine's memory: a
disk that has to be asked is slower. Per-image costs: ``python -m benchmarks.scale.stages``.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from benchmarks.measuring.machine import commit, machine
from benchmarks.scale.apart import MIB, Cost, cost_of
from benchmarks.scale.folder import write_empty, write_source
from benchmarks.scale.lists import STRUCTURES


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path("/tmp/scale"))
    parser.add_argument("--images", type=int, nargs="+", default=[10**4, 10**5, 10**6])
    parser.add_argument("--only", nargs="+", default=[], help="beginnings of names")
    parser.add_argument("--out", type=Path, help="keep the numbers in a JSON file")
    options = parser.parse_args()
    root: Path = options.folder.absolute()
    write_source(root)
    for number in options.images:
        start = time.perf_counter()
        if write_empty(root, number):
            print(f"{number} empty files: {time.perf_counter() - start:.1f} s", flush=True)
    chosen = [x for x in STRUCTURES if not options.only or x.name.startswith(tuple(options.only))]
    found: dict[str, dict[int, Cost | str]] = {}
    print("| | what |", *(f"{n} |" for n in options.images))
    print("|---|---|" + "---|" * len(options.images))
    for structure in chosen:
        row: dict[int, Cost | str] = {}
        for number in options.images:
            try:
                row[number] = cost_of(structure.prepare, root, number)
            except RuntimeError as error:
                row[number] = str(error)
        found[structure.name] = row
        shown = " | ".join(_shown(x) for x in row.values())
        print(f"| {structure.name} | {structure.what} | {shown} |", flush=True)
    if options.out is not None:
        told = {"machine": machine("cpu").model_dump(), "commit": commit().model_dump()}
        rows = {
            name: {n: x._asdict() if isinstance(x, Cost) else x for n, x in row.items()}
            for name, row in found.items()
        }
        options.out.write_text(json.dumps({**told, "rows": rows}, indent=1) + "\n")


def _shown(cost: Cost | str) -> str:
    if isinstance(cost, str):
        return cost
    left = "" if cost.left is None else f", {cost.left / MIB:.4g} MiB left"
    return f"{cost.seconds:.3g} s, {cost.peak / MIB:.0f} MiB{left}"


if __name__ == "__main__":
    main()
