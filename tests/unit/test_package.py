"""What belongs to the package is in it, and is looked at by the tools."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "segadapt"
FILES = [path for path in SOURCE.rglob("*") if path.is_file() and path.suffix != ".pyc"]


def test_every_folder_of_modules_is_a_package() -> None:
    folders = {path.parent for path in FILES if path.suffix == ".py"}
    assert len(folders) > 20
    assert [f for f in folders if not (f / "__init__.py").is_file()] == []


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="no checkout: there is no .gitignore")
def test_no_source_file_is_ignored() -> None:
    """Tools that heed .gitignore leave such out: of the wheel, of the linter's view, of commits."""
    names = "\n".join(path.relative_to(ROOT).as_posix() for path in FILES)
    command = ["git", "check-ignore", "--no-index", "--stdin"]
    done = subprocess.run(command, cwd=ROOT, input=names, capture_output=True, text=True)
    assert done.stdout == ""


def test_files_are_short() -> None:
    lengths = {p: len(p.read_text().splitlines()) for p in FILES if p.suffix == ".py"}
    assert max(lengths.values()) <= 400
    assert sorted(lengths.values())[len(lengths) // 2] <= 110


def test_the_package_shows_what_it_offers_without_importing_torch() -> None:
    code = (
        "import sys, segadapt\n"
        "names = dir(segadapt)\n"
        "assert set(segadapt.__all__) <= set(names), names\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert (SOURCE / "py.typed").is_file()  # type checkers then look at the package


def test_a_run_starts_without_libraries_that_it_may_not_need() -> None:
    code = (
        "import sys, segadapt\n"
        "segadapt.run, segadapt.load\n"
        "import segadapt.stages.train.run, segadapt.stages.evaluate.run\n"
        "slow = {'torchmetrics', 'scipy', 'sklearn', 'timm', 'onnxruntime'} & set(sys.modules)\n"
        "assert not slow, slow\n"
        "from torchmetrics.detection import MeanAveragePrecision\n"  # and has them when it does
        "import torchmetrics\n"
        "assert torchmetrics.MeanMetric"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_importing_opens_no_connection_and_none_of_the_libraries_that_do() -> None:
    """Of ours all that runs, predicts, tracks and publishes, in a process that ends at a socket."""
    code = (
        "import sys\n"
        "def heard(event, arguments):\n"
        "    if event.startswith('socket.'): raise SystemExit(event)\n"
        "sys.addaudithook(heard)\n"
        "import segadapt, segadapt.cli, segadapt.commands.publish.publish\n"
        "segadapt.run, segadapt.load\n"
        "assert 'segadapt.tracking.wandb' in sys.modules\n"
        "online = {'wandb', 'trackio', 'mlflow', 'tensorboard', 'huggingface_hub', 'timm'}\n"
        "sys.exit(', '.join(online & set(sys.modules)) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
