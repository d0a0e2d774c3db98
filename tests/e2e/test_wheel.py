"""The wheel: all files are in it, and it works where no source tree is."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SMALL = (
    "stages.draw.counts={rendered: 6, camera_train: 4, camera_val: 3}",
    "stages.draw.size=[64, 96]",
    "stages.source-only.iterations=2",
    "stages.source-only.batch_size=2",
)


def called(*command: str | Path, folder: Path) -> str:
    """What a command prints; it sees nothing of this process's environment for Python."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    ended = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=280
    )
    assert ended.returncode == 0, f"{command}\n{ended.stdout}\n{ended.stderr}"
    return ended.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    called(*pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT, folder=folder)
    (found,) = folder.glob("segadapt-*.whl")
    return found


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Programs of an environment with the wheel alone, which sees the libraries of this one.

    They are named on its path, as installing torch anew takes minutes; `.pth` files beside them,
    such as that of an editable segadapt, do not count there.
    """
    folder = tmp_path_factory.mktemp("environment")
    called(sys.executable, "-m", "venv", "venv", folder=folder)
    programs = folder / "venv/bin"
    called(programs / "pip", "install", "--quiet", "--no-deps", "--no-index", wheel, folder=folder)
    (site_packages,) = folder.glob("venv/lib/python*/site-packages")
    (site_packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return programs


def test_every_file_of_the_source_tree_is_in_it(wheel: Path) -> None:
    source = ROOT / "src"
    files = [
        path for path in source.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    ]
    with zipfile.ZipFile(wheel) as archive:
        assert {path.relative_to(source).as_posix() for path in files} <= set(archive.namelist())
    endings = {path.suffix for path in files}
    assert {".yaml", ".j2", ".css", ".js", ".typed"} <= endings


def test_demonstration_begins_in_an_empty_folder(programs: Path, tmp_path: Path) -> None:
    where = called(
        programs / "python", "-c", "import segadapt; print(segadapt.__file__)", folder=tmp_path
    )
    assert Path(where.strip()).is_relative_to(programs.parent)
    assert called(programs / "segadapt", "--version", folder=tmp_path).strip()

    demo = yaml.safe_load(called(programs / "segadapt", "show", "demo", folder=tmp_path))
    begun = {key: demo["stages"][key] for key in ("draw", "source-only")}
    (tmp_path / "begun.yaml").write_text(yaml.safe_dump({**demo, "stages": begun}))
    overrides = [word for value in SMALL for word in ("--set", value)]
    called(
        programs / "segadapt",
        "run",
        "begun.yaml",
        "--out",
        "run",
        "--device",
        "cpu",
        *overrides,
        folder=tmp_path,
    )
    assert (tmp_path / "run/2-source-only/checkpoint.safetensors").stat().st_size > 0
    assert "source-only" in (tmp_path / "run/report.html").read_text()
