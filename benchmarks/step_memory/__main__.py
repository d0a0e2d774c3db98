"""Peak memory of a training step of each method, counted without a GPU and without content.

    python -m benchmarks.step_memory                    # the table, as Markdown
    python -m benchmarks.step_memory --only advent --holds 12    # and what the memory is
    python -m benchmarks.step_memory --recipe ours.yaml --stage adapt    # a training of one's own
    python -m benchmarks.step_memory --agreement        # against steps that are done, on this CPU

Steps are run on torch's fake tensors (sizes and types, no content), and bytes are counted from
operation to operation: weights, gradients, optimizers' states, batches and maps. Not counted: what
the GPU's allocator rounds up and splits, cuDNN's workspaces, and the CUDA context.
"""

from __future__ import annotations

import argparse

from benchmarks.step_memory.agreement import agreement
from benchmarks.step_memory.cases import CASES, Case, Training, training
from benchmarks.step_memory.measure import Counted, counted
from segadapt.base.compute import PRECISIONS
from segadapt.base.errors import SegadaptError

GIB = 2**30
VARIANTS = [(precision, recompute) for recompute in (False, True) for precision in PRECISIONS]


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", help="; ".join(c.name for c in CASES))
    parser.add_argument("--recipe", help="one of your own, or a shipped one")
    parser.add_argument("--stage", default="adapt", help="of that recipe")
    parser.add_argument("--set", action="append", default=[], help="a.b=value, as segadapt run has")
    parser.add_argument("--holds", type=int, default=0, help="lines on what is alive at the peak")
    parser.add_argument("--agreement", action="store_true", help="compare with real small steps")
    arguments = parser.parse_args()
    if arguments.agreement:
        agreement()
        return
    cases = [case for case in CASES if not arguments.only or case.name in arguments.only]
    if arguments.recipe:
        name = f"{arguments.recipe} {arguments.stage}"
        cases = [Case(name, arguments.recipe, arguments.stage, tuple(arguments.set))]
    if not cases:
        raise SystemExit(f"--only: there are {', '.join(repr(case.name) for case in CASES)}")
    head = ["step", "network", "images", "plain loop"]
    head += [f"{p}{', recomputed' if recompute else ''}" for p, recompute in VARIANTS]
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}", flush=True)
    notes: list[str] = []
    for case in cases:
        try:
            found = training(case)
        except SegadaptError as error:
            raise SystemExit(str(error)) from error
        print(row(case, found, arguments.holds, notes), flush=True)
    print("\n".join(notes))


def row(case: Case, found: Training, lines: int, notes: list[str]) -> str:
    """A line of the table, in GiB; what is alive at the peaks is added to ``notes``."""
    plain = counted(found, plain=True)
    cells = [case.name, found.stage.model.backbone.removeprefix("timm:"), _images(found)]
    cells.append("" if plain is None else f"{plain.peak / GIB:.2f}")
    for precision, recompute in VARIANTS:
        result = counted(found, precision, recompute)
        assert result is not None
        cells.append(f"{result.peak / GIB:.2f}")
        if lines:
            notes += told(f"{case.name}, {precision}, recomputed: {recompute}", result, lines)
    return f"| {' | '.join(cells)} |"


def told(title: str, result: Counted, lines: int) -> list[str]:
    """What is alive at the peak, in MiB."""
    kinds = ", ".join(f"{kind} {size / 2**20:.0f}" for kind, size in result.kinds.items())
    found = [f"\n{title}: {result.peak / 2**20:.0f} MiB: {kinds}"]
    for size, number, what in result.holds[:lines]:
        found.append(f"  {size / 2**20:8.1f} MiB {number:4} x {what}")
    return found


def _images(found: Training) -> str:
    """How many, and their (height x width)."""
    sizes = [found.source] if found.stage.target is None else [found.source, found.target]
    parts = [f"{height}x{width}" for height, width in dict.fromkeys(sizes)]
    return f"{found.stage.batch_size} of {', '.join(parts)}"


if __name__ == "__main__":
    main()
