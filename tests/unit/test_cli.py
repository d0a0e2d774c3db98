"""The command line: its flags are frozen, its errors are one sentence, it starts without torch."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from segadapt.base.errors import SegadaptError
from segadapt.cli import app, main

# A change here changes what people's scripts may say: it is a decision, and a CHANGELOG entry.
FROZEN = {
    "run": {
        "recipe",
        "--out",
        "--data-root",
        "--set",
        "--seed",
        "--seeds",
        "--device",
        "--devices",
        "--precision",
        "--redo",
        "--track",
        "--cache-dir",
    },
    "evaluate": {
        "checkpoint",
        "--dataset",
        "--root",
        "--split",
        "--classes",
        "--json",
        "--family",
        "--device",
        "--precision",
        "--with",
        "--scales",
        "--flip",
        "--window",
        "--table",
    },
    "predict": {
        "checkpoint",
        "paths",
        "--out",
        "--family",
        "--device",
        "--with",
        "--scales",
        "--flip",
        "--window",
        "--label-ids",
        "--write",
        "--size",
        "--precision",
        "--batch-size",
        "--workers",
    },
    "convert": {"source", "target", "--family", "--classes-from"},
    "export": {"checkpoint", "out", "--input", "--output", "--half", "--family"},
    "publish": {
        "run",
        "repository",
        "--out",
        "--licence",
        "--backbone-licence",
        "--data-licence",
        "--private",
        "--no-upload",
    },
    "check": {"recipe", "--data-root", "--set", "--cache-dir"},
    "show": {"recipe", "--set"},
    "copy": {"recipe", "to"},
    "list": {"what"},
    "new": {"recipe", "--source", "--target", "--minutes", "--device", "--weights"},
    "help": {"verb"},
    "report": {"run_directory"},
    "compare": {"run_directories", "--out"},
    "summarise": {"run_directories", "--csv"},
}


Output = tuple[str, str]


@pytest.fixture
def segadapt(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Output]:
    """Runs a command in this process and returns what it wrote to stdout and stderr."""

    def call(*arguments: str, code: int = 0) -> Output:
        monkeypatch.setattr(sys, "argv", ["segadapt", *arguments])
        status: object = 0
        try:
            main()
        except SystemExit as stop:
            status = stop.code or 0
        captured = capsys.readouterr()
        assert status == code, captured.err
        return captured.out, captured.err

    return call


def test_verbs_and_flags_are_frozen() -> None:
    group = typer.main.get_command(app)
    found = {
        verb: {parameter.opts[0] for parameter in command.params if parameter.name != "help"}
        for verb, command in group.commands.items()  # type: ignore[attr-defined]
    }
    assert found == FROZEN


def test_precisions_are_frozen() -> None:
    from segadapt.verbs.options import Listable, Precision

    assert [p.value for p in Precision] == ["32-true", "bf16-mixed"]
    assert [x.value for x in Listable] == ["recipes", "methods", "models", "datasets"]


@pytest.mark.parametrize("words", [["--help"], ["show", "demo"], ["list", "recipes"]])
def test_what_needs_no_network_does_not_import_the_heavy_libraries(words: list[str]) -> None:
    """Every shipped recipe is read with all settings of methods, trunks and heads (the last)."""
    code = (
        "import sys, segadapt.cli\n"
        f"sys.argv = ['segadapt', *{words!r}]\n"
        "try: segadapt.cli.main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'torchvision', 'numpy', 'lightning_fabric', 'timm'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


LIBRARIES = "import typer.main, rich.console, pydantic.types, yaml"
"""What a command cannot do without; how long it takes says how fast the machine is just now."""


@pytest.mark.parametrize("words", [["--help"], ["show", "demo"]])
def test_answer_comes_soon_after_the_libraries_are_there(words: list[str]) -> None:
    """Importing torch alone would take ten times as long as they."""

    def seconds(arguments: list[str]) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert subprocess.run([sys.executable, *arguments], capture_output=True).returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    # The first one may compile; the least of them is least disturbed by whatever else runs here.
    pairs = [(seconds(["-m", "segadapt.cli", *words]), seconds(["-c", LIBRARIES])) for _ in "1234"]
    command, libraries = (min(column) for column in zip(*pairs, strict=True))
    assert command < 4 * libraries


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["run", "no-such"], "recipe 'no-such'"),
        (["run", "demo", "--set", "defaults.train.iteration=3"], "iteration"),
        (["run", "demo", "--set", "nonsense"], "--set nonsense"),
        (["run", "idd-camvid/intrada", "--data-root", "/no-such"], "/no-such"),
        (["check", "idd-camvid/intrada", "--data-root", "/no-such"], "problems"),
        (["report", "/no-such"], "/no-such"),
        (["predict", "/no-such.safetensors", "/no-such", "--out", "x"], "/no-such"),
        (
            ["evaluate", "/no-such", "--dataset", "camvid", "--root", ".", "--split", "val"],
            "/no-such",
        ),
        (["copy", "demo", "/proc/no/such"], "cannot be written"),
    ],
)
def test_bad_input_ends_in_one_sentence(
    segadapt: Callable[..., Output],
    arguments: list[str],
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    _, error = segadapt(*arguments, code=2)
    assert expected in error
    assert error.startswith("segadapt: ")
    assert len(error.strip().splitlines()) == 1


def test_debug_shows_the_traceback(segadapt: Callable[..., Output]) -> None:
    with pytest.raises(SegadaptError):  # unhandled, Python prints it with its traceback
        segadapt("--debug", "run", "no-such")


def test_copy_show_and_list_agree(tmp_path: Path, segadapt: Callable[..., Output]) -> None:
    copied = tmp_path / "mine.yaml"
    segadapt("copy", "demo", str(copied))
    ours = segadapt("show", str(copied))[0].replace("name: mine", "name: demo")
    assert ours == segadapt("show", "demo")[0]
    assert "demo" in segadapt("list", "recipes")[0].splitlines()
    assert {"advent", "minent", "adaptsegnet", "source_only"} <= set(
        segadapt("list", "methods")[0].split()
    )


def test_evaluate_and_predict_a_checkpoint(tmp_path: Path, segadapt: Callable[..., Output]) -> None:
    import numpy as np
    import torch
    from PIL import Image

    from segadapt.base.classes import CAMVID_11
    from segadapt.config import ModelConfig
    from segadapt.models.build import build_segmenter
    from segadapt.models.files.checkpoints import TrainedModel, save_checkpoint

    torch.manual_seed(0)
    config = ModelConfig(backbone="squeezenet1_0", weights="none")
    model = build_segmenter(config, 11)
    checkpoint = tmp_path / "model.safetensors"
    save_checkpoint(checkpoint, TrainedModel(model, config, CAMVID_11, (64, 96)))
    generator = np.random.default_rng(0)
    for folder, array in (
        ("images", generator.integers(0, 256, (70, 100, 3), np.uint8)),
        ("labels", generator.integers(0, 12, (70, 100), np.uint8)),
    ):
        (tmp_path / "camvid" / folder / "val").mkdir(parents=True)
        Image.fromarray(array).save(tmp_path / "camvid" / folder / "val" / "a.png")
    scores = tmp_path / "scores.json"
    segadapt(
        "evaluate",
        str(checkpoint),
        "--dataset",
        "camvid",
        "--root",
        str(tmp_path / "camvid"),
        "--split",
        "val",
        "--json",
        str(scores),
        "--device",
        "cpu",
    )
    (row,) = json.loads(scores.read_text())["scores"]
    label = np.array(Image.open(tmp_path / "camvid/labels/val/a.png"))
    assert sum(map(sum, row["confusion"])) == int((label != 11).sum())
    out = tmp_path / "out"
    segadapt(
        "predict",
        str(checkpoint),
        str(tmp_path / "camvid/images"),
        "--out",
        str(out),
        "--device",
        "cpu",
    )
    predicted = np.array(Image.open(out / "labels" / "val" / "a.png"))
    assert predicted.shape == (70, 100)
    assert predicted.max() < 11
    assert Image.open(out / "overlays/val/a.jpg").size == (100, 70)
    assert not (out / "entropy").exists()


def test_models_are_listed_with_a_line_each_that_fits_a_terminal(
    segadapt: Callable[..., Output],
) -> None:
    said, _ = segadapt("list", "models")
    for name in ("resnet101", "squeezenet1_0", "timm:NAME", "lenet", "daformer", "vit", "linear"):
        assert name in said
    assert said.count("package.module:Class") == 2
    assert max(map(len, said.splitlines())) <= 80
