"""Mean and spread of the mIoU over runs of one recipe with different seeds, as Markdown.

python benchmarks/seeds_table.py runs/idd-camvid-intrada-seed*
"""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path


def main() -> None:
    scores: dict[str, list[float]] = {}
    seeds = []
    for run in sorted(Path(x) for x in sys.argv[1:]):
        seeds.append(json.loads((run / "run.json").read_text())["seed"])
        for report in run.glob("*/report.json"):
            for row in json.loads(report.read_text())["scores"]:
                name = row["checkpoint"] + (" (target labels)" if row["oracle"] else "")
                scores.setdefault(name, []).append(100 * row["miou"])
    print(f"| checkpoint | mIoU, mean ± standard deviation | seeds {', '.join(map(str, seeds))} |")
    print("|---|---|---|")
    for name, values in scores.items():
        spread = statistics.stdev(values) if len(values) > 1 else float("nan")
        each = ", ".join(f"{v:.1f}" for v in values)
        print(f"| {name} | {statistics.mean(values):.1f} ± {spread:.1f} | {each} |")


if __name__ == "__main__":
    main()
