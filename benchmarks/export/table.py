"""Exports trunks with heads, each in a process with a time limit, and writes README.md's table.

python benchmarks/export/table.py [--limit 300] [--again]

What was measured stands in measured.json, which a further call goes on with.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
MEASURED = HERE / "measured.json"
README = HERE / "README.md"
MARK = "<!-- table -->\n"
HEADS = ("single", "multi_level", "sum", "ancillary", "linear", "daformer", "vit", "ssd")
ALL_HEADS = ("resnet18", "squeezenet1_0", "timm:vit_tiny_patch16_224")
"""Trunks that every head is tried on; on the others those that take their maps in other ways."""
OTHERS = {
    "vgg16": ("single", "daformer", "vit", "ssd"),
    "ssd_vgg16": ("ssd", "single"),
    "timm:efficientnet_lite0": ("multi_level", "daformer", "ssd"),
    "timm:tf_efficientnet_lite0": ("single", "daformer"),
    "timm:mobilenetv3_large_100": ("single", "daformer"),
    "timm:resnet18d": ("single", "daformer"),
    "timm:convnext_atto": ("single", "daformer", "ssd"),
    "timm:pvt_v2_b0": ("single", "daformer"),
    "timm:swin_tiny_patch4_window7_224": ("single", "daformer"),
    "timm:vit_small_patch14_dinov2": ("linear", "vit"),
    "timm:eva02_tiny_patch14_224": ("linear",),
    "resnet101": ("multi_level",),
    "lenet": ("single",),
    "dtn": ("single",),
}
SIDES = {"lenet": 28, "dtn": 32}
"""Of trunks that see an image of one size as a whole."""


def combinations() -> list[tuple[str, str, str]]:
    """(trunk, head, output)."""
    found = [(trunk, head) for trunk in ALL_HEADS for head in HEADS]
    found += [(trunk, head) for trunk, heads in OTHERS.items() for head in heads]
    return [
        (trunk, head, output)
        for trunk, head in found
        for output in (("boxes", "detections") if head == "ssd" else ("scores",))
    ]


def measured(trunk: str, head: str, output: str, limit: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "benchmarks.export.one",
            trunk,
            head,
            folder,
            "--output",
            output,
        ]
        if trunk in SIDES:
            command += ["--size", str(SIDES[trunk]), str(SIDES[trunk])]
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=limit,
                check=True,
                cwd=HERE.parents[1],
            )
        except subprocess.TimeoutExpired:
            return {"refused": f"not within {limit} s"}
        except subprocess.CalledProcessError as error:
            return {"refused": error.stderr.strip().splitlines()[-1][:300]}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def row(name: str, found: dict[str, Any]) -> str:
    trunk, head, output = name.split(" ")
    start = f"| {trunk.removeprefix('timm:')} | {head} | {output} |"
    if "refused" in found:
        return f"{start} {found['refused']} | | | | | | |"
    unlike = f"{found['difference']:.1e}"
    if output == "detections":
        unlike = f"{100 * found['equal']:.2f} % found again"
    return (
        f"{start} {found['traced']} | {', '.join(found['verified'])} | {unlike} | "
        f"{found['bytes'] / 1e6:.1f} | {found['seconds']:.0f} | {found['runtime']:.2f} | "
        f"{found['torch']:.2f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--limit", type=int, default=300, help="seconds for one network")
    parser.add_argument("--again", action="store_true", help="measure anew what was refused")
    given = parser.parse_args()
    results = json.loads(MEASURED.read_text()) if MEASURED.is_file() else {}
    for trunk, head, output in combinations():
        name = f"{trunk} {head} {output}"
        if name not in results or (given.again and "refused" in results[name]):
            results[name] = measured(trunk, head, output, given.limit)
            MEASURED.write_text(json.dumps(results, indent=1) + "\n")
            print(row(name, results[name]), flush=True)
            write_table(results)


def write_table(results: dict[str, dict[str, Any]]) -> None:
    """Put what was measured so far in place of README.md's table."""
    text = README.read_text().partition(MARK)[0] + MARK
    text += (
        "\n| trunk | head | output | traced | verified | largest difference | MB | s to export | "
        "ONNX Runtime, images/s | torch, images/s |\n|---|---|---|---|---|---|---|---|---|---|\n"
    )
    names = [" ".join(x) for x in combinations()]
    README.write_text(text + "\n".join(row(x, results[x]) for x in names if x in results) + "\n")


if __name__ == "__main__":
    main()
