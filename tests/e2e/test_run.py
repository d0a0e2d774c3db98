"""A whole recipe: what it leaves, and what the same and other commands do there afterwards."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from harness import (
    HEIGHT,
    WIDTH,
    Commands,
    checkpoint_hashes,
    domains,
    read_metrics,
    recipe_of,
    run_recipe,
    snapshot,
    train,
    write_data,
    write_recipe,
)
from PIL import Image
from safetensors import safe_open

import segadapt
from segadapt.base.errors import SegadaptError
from segadapt.models.files.checkpoints import load_checkpoint

TRAINED = ("source-only", "minent", "adaptsegnet", "advent", "intra", "oracle")


def whole_recipe() -> dict[str, Any]:
    return recipe_of(
        {
            "scenes": {
                "stage": "draw",
                "size": [HEIGHT, WIDTH],
                "counts": {"rendered": 4, "camera_train": 2},
            },
            "source-only": train("source_only", source="drawn"),
            "minent": train("minent"),
            "adaptsegnet": train("adaptsegnet"),
            "advent": train("advent"),
            "rank": {
                "stage": "rank",
                "checkpoint": "advent.checkpoint",
                "images": "target",
                "easy_ratio": 0.6,
                "normalisation": "released",
                "gallery": 3,
            },
            "labels": {
                "stage": "pseudo_label",
                "checkpoint": "advent.checkpoint",
                "images": "rank.easy",
            },
            "intra": train(
                "advent",
                source="labels.labels",
                target="rank.hard",
                start_from="advent.checkpoint",
                workers=1,
            ),
            "oracle": train("source_only", source="target", oracle=True),
            "evaluate": {
                "stage": "evaluate",
                "domain": "test",
                "checkpoints": [f"{name}.checkpoint" for name in TRAINED],
                "pictures": 2,
            },
        },
        domains(
            drawn={
                "dataset": "scenes",
                "split": "rendered",
                "role": "source",
                "drawn_by": "scenes",
            }
        ),
    )


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("data"), target_labels=True)


@pytest.fixture(scope="module")
def finished(data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole recipe's run; tests only read it, or work on a copy."""
    return run_recipe(whole_recipe(), tmp_path_factory.mktemp("whole") / "run", data_root)


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "run"))


def stage(run: Path, name: str) -> Path:
    (folder,) = (x for x in run.iterdir() if x.is_dir() and x.name.partition("-")[2] == name)
    return folder


def manifest(run: Path, name: str) -> dict[str, Any]:
    return dict(json.loads((stage(run, name) / "manifest.json").read_text()))


def test_every_stage_leaves_a_manifest_and_no_working_files(finished: Path) -> None:
    names = list(whole_recipe()["stages"])
    for number, name in enumerate(names, start=1):
        found = json.loads((finished / f"{number}-{name}" / "manifest.json").read_text())
        assert found["name"] == name
        assert found["seed"] == 0
        assert found["version"] == segadapt.__version__
        assert found["seconds"] >= 0
    left = [p for p in finished.rglob("*") if p.suffix == ".partial" or p.name == "state.pt"]
    assert left == []
    assert list(finished.rglob("started.json")) == []


def test_manifest_tells_what_went_in(finished: Path) -> None:
    advent = manifest(finished, "advent")
    assert advent["inputs"]["source"]["images"] == 6
    assert advent["inputs"]["target"]["images"] == 5
    assert len(advent["inputs"]["target"]["listing_sha256"]) == 64
    assert advent["config"]["method"] == {"name": "advent", "discriminator_width": 4}
    assert advent["artefacts"]["checkpoint"] == "checkpoint"
    assert manifest(finished, "intra")["summary"] == {"source_images": 3, "target_images": 2}


def test_recipe_yaml_of_the_run_is_the_recipe_again(finished: Path) -> None:
    from segadapt.config.load import load_recipe, validate

    assert load_recipe(str(finished / "recipe.yaml")) == validate(whole_recipe(), "tiny")


def test_metrics_hold_every_iteration_with_all_losses(finished: Path) -> None:
    adversarial = {
        f"loss_{kind}_{level}"
        for kind in ("seg", "adv", "d_source", "d_target")
        for level in ("main", "aux")
    }
    losses = {
        "source-only": {"loss_seg_main", "loss_seg_aux"},
        "minent": {"loss_seg_main", "loss_seg_aux", "loss_ent_main", "loss_ent_aux"},
        "adaptsegnet": adversarial,
        "advent": adversarial,
    }
    for name, expected in losses.items():
        rows = read_metrics(stage(finished, name))
        assert [row["iteration"] for row in rows] == [1, 2, 3, 4]
        for row in rows:
            assert row.keys() == {"iteration", "lr", "images_per_second"} | expected
            assert all(np.isfinite(row[key]) for key in expected)
        rates = [row["lr"] for row in rows]
        assert rates[0] == 1e-4
        assert rates == sorted(rates, reverse=True) and rates[-1] < 0.5e-4


def test_checkpoints_tell_classes_size_and_oracle(finished: Path) -> None:
    for name in TRAINED:
        trained = load_checkpoint(stage(finished, name) / "checkpoint.safetensors")
        assert len(trained.classes.names) == 11
        assert trained.oracle == (name == "oracle")
        expected = None if name == "source-only" else (HEIGHT, WIDTH)
        assert trained.size == expected or name == "source-only"


def test_split_parts_the_target_by_score(finished: Path) -> None:
    split = json.loads((stage(finished, "rank") / "split.json").read_text())
    images = split["images"]
    assert sorted(image["name"] for image in images) == [f"{i:03d}" for i in range(5)]
    assert [image["split"] for image in images] == ["easy"] * 3 + ["hard"] * 2
    scores = [image["score"] for image in images]
    assert scores == sorted(scores)
    assert all(0 < image["mean_entropy"] <= 1 for image in images)
    assert len(list((stage(finished, "rank") / "gallery").iterdir())) == 3 * 3


def test_pseudo_labels_are_the_models_predictions_on_the_easy_images(
    finished: Path, data_root: Path
) -> None:
    split = json.loads((stage(finished, "rank") / "split.json").read_text())
    easy = {image["name"] for image in split["images"] if image["split"] == "easy"}
    folder = stage(finished, "labels")
    assert {path.stem for path in (folder / "labels").iterdir()} == easy
    predictor = segadapt.load(stage(finished, "advent") / "checkpoint.safetensors", device="cpu")
    for name in easy:
        label = np.array(Image.open(folder / "labels" / f"{name}.png"))
        predicted = predictor.predict(data_root / "camvid" / "images" / "train" / f"{name}.png")
        np.testing.assert_array_equal(label, predicted.label)
    shares = manifest(finished, "labels")["summary"]["class_shares"]
    assert sum(shares.values()) == pytest.approx(1)


def test_scores_are_those_of_the_predictions(finished: Path, data_root: Path) -> None:
    report = json.loads((stage(finished, "evaluate") / "report.json").read_text())
    assert [row["checkpoint"] for row in report["scores"]] == list(TRAINED)
    assert [row["oracle"] for row in report["scores"]] == [False] * 5 + [True]
    assert report["images"] == 3
    predictor = segadapt.load(stage(finished, "advent") / "checkpoint.safetensors", device="cpu")
    confusion = np.zeros((11, 11), int)
    for i in range(3):
        image = data_root / "camvid" / "images" / "val" / f"{i:03d}.png"
        truth = np.array(Image.open(data_root / "camvid" / "labels" / "val" / f"{i:03d}.png"))
        seen = truth != 11
        np.add.at(confusion, (truth[seen], predictor.predict(image).label[seen]), 1)
    row = report["scores"][TRAINED.index("advent")]
    np.testing.assert_array_equal(row["confusion"], confusion)
    hit = confusion.diagonal()
    union = confusion.sum(0) + confusion.sum(1) - hit
    assert row["miou"] == pytest.approx((hit[union > 0] / union[union > 0]).mean())
    for picture in report["pictures"]:
        files = [picture["image"], picture["truth"]]
        files += [x for p in picture["predictions"].values() for x in p.values()]
        assert len(files) == 2 + 2 * len(TRAINED)
        assert all((stage(finished, "evaluate") / file).is_file() for file in files)


def test_report_page_shows_every_stage_and_score(finished: Path) -> None:
    page = (finished / "report.html").read_text()
    report = json.loads((stage(finished, "evaluate") / "report.json").read_text())
    for row in report["scores"]:
        assert f"{100 * row['miou']:.1f}" in page
    assert "oracle" in page.lower()
    assert "<script src" not in page and "http://" not in page.replace("http://www.w3.org", "")


def test_intra_starts_from_the_advent_checkpoint(finished: Path) -> None:
    """Four steps at 1e-4 move weights by little; a random start would be far away."""

    def weights(name: str) -> dict[str, np.ndarray]:
        with safe_open(stage(finished, name) / "checkpoint.safetensors", "np") as file:
            return {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118

    advent, intra, minent = weights("advent"), weights("intra"), weights("minent")
    distance = max(float(abs(advent[key] - intra[key]).max()) for key in advent)
    assert 0 < distance < 1e-2
    assert max(float(abs(advent[key] - minent[key]).max()) for key in advent) > 0.1


def test_same_command_again_skips_all_stages_and_changes_nothing_of_theirs(
    copy: Path, data_root: Path
) -> None:
    names = list(whole_recipe()["stages"])
    before = {name: snapshot(stage(copy, name)) for name in names}
    run_recipe(whole_recipe(), copy, data_root)
    assert {name: snapshot(stage(copy, name)) for name in names} == before


def test_changed_settings_are_refused_in_the_same_folder(copy: Path, data_root: Path) -> None:
    before = snapshot(copy)
    recipe = whole_recipe()
    recipe["stages"]["advent"]["iterations"] = 5
    with pytest.raises(SegadaptError, match=r"stage 'advent' was run with other settings.*--redo"):
        run_recipe(recipe, copy, data_root)
    with pytest.raises(SegadaptError, match="other settings, data, seed"):
        run_recipe(whole_recipe(), copy, data_root, seed=1)
    assert snapshot(copy) == before


def test_settings_without_effect_on_results_may_change(copy: Path, data_root: Path) -> None:
    recipe = whole_recipe()
    recipe["stages"]["advent"] |= {"workers": 2, "save_every": 3, "log_every": 2}
    before = checkpoint_hashes(copy)
    run_recipe(recipe, copy, data_root)
    assert checkpoint_hashes(copy) == before


def test_changed_data_are_noticed(copy: Path, data_root: Path, tmp_path: Path) -> None:
    other = shutil.copytree(data_root, tmp_path / "data")
    (other / "camvid" / "images" / "train" / "004.png").unlink()
    with pytest.raises(SegadaptError, match="other settings, data"):
        run_recipe(whole_recipe(), copy, other)


def test_changed_source_labels_are_noticed(copy: Path, data_root: Path, tmp_path: Path) -> None:
    other = shutil.copytree(data_root, tmp_path / "data")
    label = other / "rendered" / "labels" / "train" / "004.png"
    Image.new("L", (WIDTH, HEIGHT)).save(label)
    with pytest.raises(SegadaptError, match="other settings, data"):
        run_recipe(whole_recipe(), copy, other)


def test_redo_does_the_stage_and_its_dependents_only(copy: Path, data_root: Path) -> None:
    names = list(whole_recipe()["stages"])
    before = {name: snapshot(stage(copy, name)) for name in names}
    hashes = checkpoint_hashes(copy)
    run_recipe(whole_recipe(), copy, data_root, redo="rank")
    changed = {name for name in names if snapshot(stage(copy, name)) != before[name]}
    assert changed == {"rank", "labels", "intra", "evaluate"}
    assert checkpoint_hashes(copy) == hashes


def test_redo_of_an_unknown_stage_is_refused(copy: Path, data_root: Path) -> None:
    with pytest.raises(SegadaptError, match="--redo rnak: is no stage of this recipe"):
        run_recipe(whole_recipe(), copy, data_root, redo="rnak")


def test_redo_removes_nothing_where_the_run_cannot_start(
    copy: Path, data_root: Path, tmp_path: Path
) -> None:
    before = snapshot(copy)
    with pytest.raises(SegadaptError, match="does not exist"):
        run_recipe(whole_recipe(), copy, tmp_path / "nowhere", redo="advent")
    other = shutil.copytree(data_root, tmp_path / "data")
    shutil.rmtree(other / "camvid" / "labels" / "val")
    with pytest.raises(SegadaptError, match="no label file"):
        run_recipe(whole_recipe(), copy, other, redo="evaluate")
    assert snapshot(copy) == before


def test_folder_at_work_is_refused_to_a_second_command(
    data_root: Path, tmp_path: Path, commands: Commands
) -> None:
    recipe = recipe_of({"advent": train("advent", iterations=100_000, workers=1)})
    out = tmp_path / "run"
    first = commands.start(
        "run",
        write_recipe(recipe, tmp_path / "recipe.yaml"),
        "--out",
        out,
        "--data-root",
        data_root,
        "--device",
        "cpu",
    )
    first.wait_until((out / "1-advent" / "metrics.jsonl").exists)
    with pytest.raises(SegadaptError, match="another segadapt command is at work in this folder"):
        run_recipe(recipe, out, data_root)
    first.send(signal.SIGKILL)
    first.wait()
    # No longer at work there, and nothing was saved: another seed and length begin anew.
    short = recipe_of({"advent": train("advent", iterations=2, workers=1)})
    assert run_recipe(short, out, data_root, seed=1) == out
    assert manifest(out, "advent")["seed"] == 1


def test_record_of_a_run_from_python_names_the_call(data_root: Path, tmp_path: Path) -> None:
    recipe = write_recipe(recipe_of({"first": train("source_only")}), tmp_path / "tiny.yaml")
    overrides = ["stages.first.iterations=1"]
    out = segadapt.run(
        str(recipe), overrides=overrides, out=tmp_path / "run", data_root=data_root, device="cpu"
    )
    command = json.loads((out / "run.json").read_text())["command"]
    assert command.startswith("segadapt.run(") and f"overrides={overrides!r}" in command


def test_seed_decides_everything(data_root: Path, tmp_path: Path) -> None:
    recipe = recipe_of({"advent": train("advent"), "minent": train("minent")})
    first = checkpoint_hashes(run_recipe(recipe, tmp_path / "a", data_root))
    again = checkpoint_hashes(run_recipe(recipe, tmp_path / "b", data_root))
    other = checkpoint_hashes(run_recipe(recipe, tmp_path / "c", data_root, seed=1))
    assert first == again
    assert all(first[name] != other[name] for name in first)


def test_stage_has_the_same_result_alone_and_after_others(
    finished: Path, data_root: Path, tmp_path: Path
) -> None:
    alone = run_recipe(recipe_of({"advent": train("advent")}), tmp_path / "alone", data_root)
    assert (
        checkpoint_hashes(alone)["1-advent"]
        == checkpoint_hashes(finished)[stage(finished, "advent").name]
    )


def test_number_of_workers_does_not_change_results(data_root: Path, tmp_path: Path) -> None:
    hashes = {
        workers: checkpoint_hashes(
            run_recipe(
                recipe_of({"advent": train("advent", workers=workers)}),
                tmp_path / str(workers),
                data_root,
            )
        )
        for workers in (0, 2)
    }
    assert hashes[0] == hashes[2]
