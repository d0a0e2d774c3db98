"""CycleGAN as a stage: trained, stopped, shared by processes, and used to translate a source."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from harness import (
    Commands,
    domains,
    read_metrics,
    recipe_of,
    run_recipe,
    train,
    write_data,
    write_recipe,
)
from PIL import Image
from safetensors.numpy import load_file

from segadapt.artefacts import read_json
from segadapt.base.errors import SegadaptError
from segadapt.config.load import validate

ITERATIONS = 12


def cyclegan(**settings: Any) -> dict[str, Any]:
    return {
        "stage": "train_translator",
        "source": "source",
        "target": "target",
        "generator": {"width": 4, "blocks": 1},
        "discriminator_width": 4,
        "crop": [32, 48],
        "pool": 3,
        "segmenter": "model.checkpoint",
        "iterations": ITERATIONS,
        "batch_size": 2,
        "workers": 0,
        "log_every": 1,
        "save_every": 4,
        "sheets": 2,
        **settings,
    }


def translate(**translation: Any) -> dict[str, Any]:
    return {
        "stage": "translate",
        "source": "source",
        "translation": {"rule": "generator", **translation},
        "workers": 1,
        "gallery": 2,
    }


def stages() -> dict[str, dict[str, Any]]:
    return {
        "model": train("source_only"),
        "cyclegan": cyclegan(),
        "translate": {
            **translate(translator="cyclegan.translator"),
            "segmenter": "model.checkpoint",
        },
        "adapt": train("minent", source="translate.images"),
    }


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``data``, ``recipe.yaml`` and an undisturbed ``run``."""
    folder = tmp_path_factory.mktemp("translator")
    write_data(folder / "data")
    write_recipe(recipe_of(stages()), folder / "recipe.yaml")
    run_recipe(recipe_of(stages()), folder / "run", folder / "data")
    return folder


def weights(run: Path) -> dict[str, np.ndarray]:
    return dict(load_file(run / "2-cyclegan" / "translator.safetensors"))


def images(run: Path, stage: str = "3-translate") -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in (run / stage / "images").rglob("*.jpg")}


def test_leaves_a_translator_its_losses_and_sheets(setting: Path) -> None:
    stage = setting / "run" / "2-cyclegan"
    rows = read_metrics(stage)
    assert [row["iteration"] for row in rows] == list(range(1, ITERATIONS + 1))
    assert {key for key in rows[0] if key.startswith("loss_")} == {
        f"loss_{kind}_{domain}" for kind in ("gan", "cycle", "d") for domain in ("source", "target")
    } | {"loss_sem_target"}
    # The first half is steady, then the rate falls in a line towards zero.
    rates = [row["lr"] / 2e-4 for row in rows]
    assert rates == pytest.approx([1] * 7 + [1 - k / 6 for k in range(1, 6)])
    assert not (stage / "state.pt").exists()
    sheets = sorted(p.name for p in (stage / "sheets").iterdir())
    assert sheets == [f"{n:07d}.{x}.jpg" for n in (6, 12) for x in ("source", "target")]
    with Image.open(stage / "sheets" / sheets[0]) as sheet:
        assert sheet.size == (3 * 96, 3 * 64), "three images: as they are, translated, cycled"


def test_translated_images_keep_names_and_sizes(setting: Path) -> None:
    source = setting / "data" / "rendered" / "images" / "train"
    found = images(setting / "run")
    assert sorted(Path(name).stem for name in found) == sorted(p.stem for p in source.iterdir())
    for path in (setting / "run" / "3-translate" / "images").rglob("*.jpg"):
        with Image.open(path) as image:
            assert image.size == (96, 64)


def test_agreement_is_the_share_of_pixels_that_the_segmenter_sees_alike(setting: Path) -> None:
    from segadapt.engine.predict import load

    run = setting / "run"
    summary = read_json(run / "3-translate" / "manifest.json")["summary"]
    predictor = load(run / "1-model" / "checkpoint.safetensors", device="cpu")
    same = []
    for path in sorted((run / "3-translate" / "images").rglob("*.jpg")):
        (original,) = (setting / "data" / "rendered").rglob(f"images/train/{path.stem}.png")
        same.append(predictor.predict(path).label == predictor.predict(original).label)
    assert summary["agreement"] == pytest.approx(np.mean(same), abs=1e-3)
    assert 0 < summary["agreement"] < 1


def test_report_shows_source_translated_and_cycled_images_and_the_sheets(setting: Path) -> None:
    page = (setting / "run" / "report.html").read_text()
    for title in ("Source", "Translated", "Cycled"):
        assert page.count(f'data-title="{title}"') == 2
    assert page.count('data-title="Iteration 6"') == 2 == page.count('data-title="Iteration 12"')


@pytest.mark.slow
def test_two_processes_train_and_translate_as_one_does(setting: Path, tmp_path: Path) -> None:
    # Full steps, so that later losses show what the networks learned from the whole batches, and
    # pools that give older images back from the second iteration on. A few iterations only: the
    # play of the networks makes rounding errors tenfold with each.
    settings = {"lambda_identity": 1.0, "iterations": 4, "pool": 2}
    recipe = recipe_of({"model": stages()["model"], "cyclegan": cyclegan(**settings)})
    one = tmp_path / "one"
    two = tmp_path / "two"
    for run in (one, two):
        shutil.copytree(setting / "run" / "1-model", run / "1-model")
    run_recipe(recipe, one, setting / "data")
    run_recipe(recipe, two, setting / "data", devices=2)
    for a, b in zip(
        read_metrics(one / "2-cyclegan"), read_metrics(two / "2-cyclegan"), strict=True
    ):
        losses = {key: value for key, value in a.items() if key.startswith("loss_")}
        assert {key: b[key] for key in losses} == pytest.approx(losses, rel=1e-4)
    first, last = (read_metrics(one / "2-cyclegan")[i]["loss_d_target"] for i in (0, -1))
    assert abs(last / first - 1) > 0.05, "nothing was learned that could differ"
    shared = tmp_path / "shared"
    shutil.copytree(setting / "run", shared)
    shutil.rmtree(shared / "3-translate")
    shutil.rmtree(shared / "4-adapt")
    only = {k: v for k, v in stages().items() if k != "adapt"}
    run_recipe(recipe_of(only), shared, setting / "data", devices=2)
    assert images(shared) == images(setting / "run")
    assert read_json(shared / "3-translate" / "manifest.json")["summary"] == pytest.approx(
        read_json(setting / "run" / "3-translate" / "manifest.json")["summary"]
    )


@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGKILL])
def test_stopped_training_goes_on_to_the_same_translator(
    which: signal.Signals, setting: Path, tmp_path: Path, commands: Commands
) -> None:
    run = tmp_path / "run"
    shutil.copytree(setting / "run" / "1-model", run / "1-model")
    arguments = ("--out", run, "--data-root", setting / "data", "--device", "cpu")
    command = commands.start("run", setting / "recipe.yaml", *arguments)
    metrics = run / "2-cyclegan" / "metrics.jsonl"
    command.wait_until(lambda: metrics.is_file() and metrics.read_bytes().count(b"\n") >= 5)
    command.send(which)
    assert command.wait() != 0
    saved = torch.load(run / "2-cyclegan" / "state.pt", weights_only=True)
    assert 0 < saved["iteration"] < ITERATIONS
    command = commands.start("run", setting / "recipe.yaml", *arguments)
    assert command.wait() == 0, command.stderr()
    assert f"goes on at iteration {saved['iteration']}" in command.stdout()
    found, expected = weights(run), weights(setting / "run")
    assert all(np.array_equal(found[key], expected[key]) for key in expected)
    assert images(run) == images(setting / "run")


def test_interrupted_translation_goes_on(setting: Path, tmp_path: Path) -> None:
    run = shutil.copytree(setting / "run", tmp_path / "run")
    folder = run / "3-translate"
    started = {"fingerprint": read_json(folder / "manifest.json")["fingerprint"]}
    (folder / "manifest.json").unlink()
    (folder / "started.json").write_text(json.dumps(started))
    kept, *gone = sorted((folder / "images").iterdir())
    for path in gone:
        path.unlink()
    kept_at = kept.stat().st_mtime_ns
    run_recipe(recipe_of(stages()), run, setting / "data")
    assert images(run) == images(setting / "run")
    assert kept.stat().st_mtime_ns == kept_at


def test_generators_of_other_runs_and_published_ones_translate_alike(
    setting: Path, tmp_path: Path
) -> None:
    ours = setting / "run" / "2-cyclegan" / "translator.safetensors"
    published = tmp_path / "latest_net_G_A.pth"
    tensors = {
        f"model.{name.removeprefix('to_target.')}": torch.from_numpy(value)
        for name, value in weights(setting / "run").items()
        if name.startswith("to_target.")
    }
    torch.save(tensors, published)
    recipe = {"ours": translate(file=str(ours)), "published": translate(file=str(published))}
    run = run_recipe(recipe_of(recipe), tmp_path / "run", setting / "data")
    expected = images(setting / "run")
    assert images(run, "1-ours") == expected == images(run, "2-published")


def test_images_that_cannot_be_read_are_all_told_and_the_others_kept(
    setting: Path, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(setting / "data", tmp_path / "data"))
    broken = sorted((root / "rendered" / "images" / "train").iterdir())[1:3]
    for path in broken:
        path.write_bytes(b"no image")
    ours = str(setting / "run" / "2-cyclegan" / "translator.safetensors")
    fda = {**translate(), "target": "target", "translation": {"beta": 0.1}}
    for name, stage in {"generator": translate(file=ours), "fda": fda}.items():
        run = tmp_path / name
        with pytest.raises(SegadaptError) as caught:
            run_recipe(recipe_of({"translate": stage}), run, root)
        message = str(caught.value)
        assert message.startswith("2 of 6 images cannot be translated, all others are: ")
        assert all(str(path) in message for path in broken) and "\n" not in message
        assert len(images(run, "1-translate")) == 4


# Bad input ---------------------------------------------------------------------------------------


def refused(recipe: dict[str, Any], data: Path, out: Path) -> str:
    with pytest.raises(SegadaptError) as caught:
        run_recipe(recipe, out, data)
    assert not list(out.glob("*/metrics.jsonl")), "refused before any work"
    return str(caught.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"crop": [128, 48]}, "stages.cyclegan.crop: [128, 48] is larger than the images"),
        ({"crop": [34, 48]}, "sides must be multiples of 4 and at least 24"),
        ({"crop": [16, 16]}, "sides must be multiples of 4 and at least 24"),
    ],
)
def test_crops_that_cannot_be_are_refused(
    settings: dict[str, Any], message: str, data: Path, tmp_path: Path
) -> None:
    recipe = recipe_of({"model": train("source_only"), "cyclegan": cyclegan(**settings)})
    assert message in refused(recipe, data, tmp_path / "run")


def test_images_of_their_own_sizes_need_a_crop(data: Path, tmp_path: Path) -> None:
    own = domains(target={"size": None})
    stage = {"cyclegan": cyclegan(crop=None, segmenter=None)}
    message = refused(recipe_of(stage, own), data, tmp_path / "run")
    assert "stages.cyclegan.crop: is needed, as images of domain 'target'" in message


def test_images_smaller_than_the_crop_are_told(data: Path, tmp_path: Path) -> None:
    own = domains(target={"size": None})
    stage = {"cyclegan": cyclegan(crop=[32, 100], segmenter=None)}
    own["source"]["size"] = [64, 100]
    message = refused(recipe_of(stage, own), data, tmp_path / "run")
    assert "crop: [32, 100] is larger than" in message and "which is 64x96" in message


def test_files_that_hold_no_generator_are_refused(data: Path, tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(1)}, data / "net.pth")
    recipe = recipe_of({"translate": translate(file="net.pth")})
    assert "holds no ResNet generator" in refused(recipe, data, tmp_path / "run")


@pytest.mark.parametrize(
    ("translation", "message"),
    [
        ({}, "needs either `translator`"),
        ({"translator": "model.checkpoint"}, "'model.checkpoint' is a checkpoint, expected"),
        ({"translator": "a.translator", "file": "b"}, "needs either `translator`"),
    ],
)
def test_translators_must_be_named_rightly(translation: dict[str, Any], message: str) -> None:
    recipe = recipe_of({"model": train("source_only"), "translate": translate(**translation)})
    with pytest.raises(SegadaptError, match=message):
        validate(recipe, "tiny")
