"""The target's labels need not exist, and where they exist no training run opens them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from harness import domains, recipe_of, run_recipe, train, write_data, write_recipe

ALARM_EXIT = 3

# Ends the process as soon as anything below the folder is opened, listed or asked for.
ALARMED = """
import os, sys
folder, recipe, out, data_root, *stat_too = sys.argv[1:]

def inside(path):
    try:
        path = os.fsdecode(path)
    except TypeError:
        return False  # a file descriptor
    return (os.path.abspath(path) + "/").startswith(folder + "/")

def alarm(event, arguments):
    if event in ("open", "os.listdir", "os.scandir") and arguments and inside(arguments[0]):
        os.write(2, f"{event} {arguments[0]}".encode())
        os._exit(3)

def alarmed(function):
    def call(path, *arguments, **settings):
        if inside(path):
            os.write(2, f"stat {path}".encode())
            os._exit(3)
        return function(path, *arguments, **settings)
    return call

sys.addaudithook(alarm)
if stat_too:
    os.stat, os.lstat = alarmed(os.stat), alarmed(os.lstat)  # these raise no audit event

import segadapt
if not stat_too:  # what a run looks like is noted here, before workers decode it
    import segadapt.runs.unread
    segadapt.runs.unread.look = lambda path: (0, 0)
if __name__ == "__main__":
    segadapt.run(recipe, out=out, data_root=data_root, device="cpu")
"""


def stages() -> dict[str, dict[str, Any]]:
    """Every kind of stage that looks at the target, decoding here and in workers."""
    return {
        "advent": train("advent", iterations=2, workers=0),
        "rank": {"stage": "rank", "checkpoint": "advent.checkpoint", "images": "target"},
        "labels": {
            "stage": "pseudo_label",
            "checkpoint": "advent.checkpoint",
            "images": "rank.easy",
        },
        "cyclegan": {
            "stage": "train_translator",
            "source": "source",
            "target": "target",
            "segmenter": "advent.checkpoint",
            "generator": {"width": 2, "blocks": 1},
            "discriminator_width": 2,
            "iterations": 2,
            "workers": 1,
        },
        "translate": {
            "stage": "translate",
            "source": "source",
            "translation": {"rule": "generator", "translator": "cyclegan.translator"},
            "segmenter": "advent.checkpoint",
        },
        "again": train("adaptsegnet", iterations=2, workers=1, source="translate.images"),
        "intra": train(
            "minent", iterations=2, workers=1, source="labels.labels", target="rank.hard"
        ),
        "evaluate": {"stage": "evaluate", "domain": "test", "checkpoints": ["intra.checkpoint"]},
    }


def run_under_alarm(
    recipe: dict[str, Any],
    data_root: Path,
    folder: Path,
    stat_too: bool = True,
    labels: str = "camvid/labels/train",
) -> subprocess.CompletedProcess[str]:
    """``stat_too``: asking whether a label file exists sets the alarm off as well.

    ``labels``: the folder, or the file, that must not be touched.
    """
    file = write_recipe(recipe, folder / "recipe.yaml")
    script = folder / "alarmed.py"
    script.write_text(ALARMED)
    return subprocess.run(
        [
            sys.executable,
            script,
            data_root / labels,
            file,
            folder / "run",
            data_root,
            *(["stat too"] if stat_too else []),
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "XDG_CACHE_HOME": str(folder / "cache")},
    )


def test_pipeline_runs_where_the_target_has_no_labels(tmp_path: Path) -> None:
    root = write_data(tmp_path / "data", target_labels=False)
    assert not (root / "camvid" / "labels" / "train").exists()
    run = run_recipe(recipe_of(stages()), tmp_path / "run", root)
    assert (run / "8-evaluate" / "manifest.json").is_file()


def test_target_labels_are_never_touched(tmp_path: Path) -> None:
    root = write_data(tmp_path / "data", target_labels=True)
    kept = {"cache": True}
    recipe = recipe_of(stages(), domains(source=kept, target=kept, test=kept))
    done = run_under_alarm(recipe, root, tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "8-evaluate" / "manifest.json").is_file()


def test_alarm_goes_off_when_an_oracle_asks_for_a_label(tmp_path: Path) -> None:
    root = write_data(tmp_path / "data", target_labels=True)
    oracle = train("source_only", source="target", oracle=True, workers=0)
    done = run_under_alarm(recipe_of({"oracle": oracle}), root, tmp_path)
    assert done.returncode == ALARM_EXIT
    assert done.stderr.startswith(f"stat {root / 'camvid' / 'labels' / 'train'}")


def test_alarm_goes_off_when_a_worker_opens_a_label(tmp_path: Path) -> None:
    root = write_data(tmp_path / "data", target_labels=True)
    oracle = train("source_only", source="target", oracle=True, workers=1)
    done = run_under_alarm(recipe_of({"oracle": oracle}), root, tmp_path, stat_too=False)
    assert done.returncode != 0
    assert f"open {root / 'camvid' / 'labels' / 'train'}" in done.stderr
    assert "SegadaptError: a process that decodes images died" in done.stderr
