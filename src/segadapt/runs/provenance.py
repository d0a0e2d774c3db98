"""``recipe.yaml`` and ``run.json``: all that is needed to do a run again."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import shlex
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import torch
import yaml

from segadapt.artefacts import write_json
from segadapt.base.version import __version__
from segadapt.engine.device import pick_device
from segadapt.stages.context import StageContext


def write_provenance(
    context: StageContext,
    overrides: Sequence[str],
    warnings: Sequence[str] = (),
    fingerprints: Mapping[str, str] | None = None,
) -> None:
    """``recipe.yaml`` and ``run.json``: all that is needed to do it again.

    ``warnings`` are sentences about the data, for the report; ``fingerprints`` those of all stages,
    which tell what in the folder belongs to this recipe.
    """
    recipe = context.recipe
    text = yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    (context.directory / "recipe.yaml").write_text(text)
    compute = context.compute
    name = pick_device(compute.device)
    if name == "cuda":
        name = f"cuda: {torch.cuda.get_device_name()}"
    path = context.directory / "run.json"
    started = datetime.now(UTC).isoformat(timespec="seconds")
    if path.is_file():
        with contextlib.suppress(ValueError, KeyError):
            started = json.loads(path.read_text())["started"]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    write_json(
        path,
        {
            "recipe": recipe.name,
            "description": recipe.description,
            "seed": context.seed,
            "command": _command(context, overrides),
            "version": __version__,
            "started": started,
            "warnings": list(warnings),
            "fingerprints": dict(fingerprints or {}),
            "hardware": {
                "cpu": cpu_name(),
                "cores": os.cpu_count(),
                "device": name,
                "memory_gib": round(memory, 1),
            },
            "precision": compute.precision,
            "processes": compute.devices,
            "libraries": {
                "python": platform.python_version(),
                **{n: version(n) for n in ("torch", "torchvision", "lightning-fabric", "numpy")},
            },
        },
    )


def _command(context: StageContext, overrides: Sequence[str]) -> str:
    """What was typed, or the call that does the same."""
    program = Path(sys.argv[0])
    if program.name == "segadapt" or (program.parent.name, program.name) == (
        "segadapt",
        "__main__.py",
    ):
        return shlex.join(["segadapt", *sys.argv[1:]])
    changes = f", overrides={list(overrides)!r}" if overrides else ""
    return f"segadapt.run({context.recipe.name!r}{changes}, seed={context.seed})"


def cpu_name() -> str:
    """What the processor calls itself."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
