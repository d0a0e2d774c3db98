"""A run's model on the hub: written with a card, uploaded, loaded again by its name."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from harness import recipe_of, run_recipe, street, train, write_data
from hub import Hub, commit_name, serving
from safetensors.torch import load_file, save_file

import segadapt
from segadapt.base.compute import Compute
from segadapt.base.errors import SegadaptError
from segadapt.commands.evaluate import score_checkpoints
from segadapt.commands.publish.card import Licences
from segadapt.commands.publish.publish import publish
from segadapt.models.files.checkpoints import checkpoint_of
from segadapt.models.files.hub import local_file


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two trainings, one of them with target labels, and their scores."""
    folder = tmp_path_factory.mktemp("publish")
    write_data(folder / "data", target_labels=True)
    stages: dict[str, dict[str, Any]] = {
        "advent": train("advent", iterations=1),
        "full": train("source_only", source="target", target=None, oracle=True, iterations=1),
        "evaluate": {
            "stage": "evaluate",
            "domain": "test",
            "checkpoints": ["advent.checkpoint", "full.checkpoint"],
            "pictures": 0,
        },
    }
    return run_recipe(recipe_of(stages), folder / "run", folder / "data")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    """The library talks to a server of ours, with a token and a cache of the test's own."""
    from huggingface_hub import constants

    with serving() as found:
        monkeypatch.setattr(constants, "ENDPOINT", found.address)
        template = found.address + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
        monkeypatch.setenv("HF_TOKEN", "hf_ours")
        yield found


def test_what_is_published_is_loaded_by_its_name(run: Path, hub: Hub, tmp_path: Path) -> None:
    out = tmp_path / "folder"
    said = publish(run / "1-advent", "me/street", out, Licences("mit", data="CC BY-NC 4.0"))
    assert f"{hub.address}/me/street" in said and "is uploaded" in said
    (files,) = hub.repositories["me/street"]
    assert sorted(files) == ["README.md", "config.json", "model.safetensors"]
    assert files == {path.name: path.read_bytes() for path in out.iterdir()}
    assert hub.tokens == {"Bearer hf_ours"} and hub.private == {"me/street": False}
    picture = street(0, (64, 96))[0]
    expected = segadapt.load(run / "1-advent", device="cpu").predict(picture).probability
    for name in ("hf:me/street", f"hf:me/street@{commit_name(0)}"):
        found = segadapt.load(name, device="cpu").predict(picture).probability
        np.testing.assert_array_equal(found, expected)
    rows = [
        score_checkpoints(path, "camvid", run.parent / "data/camvid", "val", compute=Compute("cpu"))
        for path in (Path("hf:me/street"), run / "1-advent/checkpoint.safetensors")
    ]
    assert rows[0]["scores"][0]["checkpoint"] == "hf:me/street"
    assert rows[0]["scores"][0]["miou"] == rows[1]["scores"][0]["miou"]


def test_the_card_says_what_was_measured_and_on_what(run: Path, tmp_path: Path) -> None:
    published = {}
    for stage in ("1-advent", "2-full"):
        out = tmp_path / stage
        publish(run / stage, "me/street", out, Licences("mit"), uploads=False)
        published[stage] = (out / "README.md").read_text()
    report = json.loads((run / "3-evaluate/report.json").read_text())
    value = {row["checkpoint"]: f"{100 * row['miou']:.1f}" for row in report["scores"]}
    honest, oracle = published["1-advent"], published["2-full"]
    assert f"| advent (this one) | {value['advent']} |  |" in honest
    assert f"| full | {value['full']} | uses target labels |" in honest
    assert f"| full (this one) | {value['full']} | uses target labels |" in oracle
    assert f"On camvid val, {report['images']} images, seed 0:" in honest
    assert "No labels of the target took part" in honest and "(oracle)" not in honest
    assert "**Labels of the target took part in its training (oracle)" in oracle
    assert "| these weights | mit |" in honest and "| the data | not given |" in honest
    assert yaml.safe_load(honest.split("---")[1])["license"] == "mit"
    recipe = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", honest, re.S)[0])
    assert recipe["stages"]["advent"]["iterations"] == 1
    assert str(run.parent) not in honest and "root" not in recipe["domains"]["source"]
    assert 'segadapt.load("hf:me/street")' in honest


def test_without_a_token_the_folder_is_written(
    run: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    said = publish(run / "1-advent", "me/street", tmp_path / "folder")
    assert "not uploaded, for there is no token: hf auth login" in said
    assert "license" not in (tmp_path / "folder/README.md").read_text().split("---")[1]
    assert hub.repositories == {} and hub.tokens == set()


def test_what_cannot_be_published_is_told(run: Path, tmp_path: Path) -> None:
    with pytest.raises(SegadaptError, match="is a run of 2 checkpoints; name the one"):
        publish(run, "me/street", tmp_path)
    with pytest.raises(SegadaptError, match="expected USER/NAME"):
        publish(run / "1-advent", "street", tmp_path)
    (tmp_path / "diary.txt").touch()
    with pytest.raises(SegadaptError, match=r"holds other files \(diary.txt\)"):
        publish(run / "1-advent", "me/street", tmp_path)
    alone = tmp_path / "a/b/checkpoint.safetensors"
    alone.parent.mkdir(parents=True)
    shutil.copy(run / "1-advent/checkpoint.safetensors", alone)
    with pytest.raises(SegadaptError, match="is of no run"):
        publish(alone, "me/street", tmp_path / "out")


def test_weights_that_were_exchanged_are_not_published_under_their_scores(
    run: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    shutil.copy(copy / "2-full/checkpoint.safetensors", copy / "1-advent/checkpoint.safetensors")
    with pytest.raises(SegadaptError, match="is not as the stage left it"):
        publish(copy / "1-advent", "me/street", tmp_path / "out")


def test_names_that_cannot_be_downloaded_are_told(hub: Hub, run: Path) -> None:
    publish(run / "1-advent", "me/street", run.parent / "again")
    for name, told in (
        ("hf:street", "expected hf:USER/NAME"),
        ("hf:me/nothing", "cannot be downloaded"),
        (f"hf:me/street@{'0' * 40}", "cannot be downloaded"),
    ):
        with pytest.raises(SegadaptError, match=told):
            segadapt.load(name)


@pytest.mark.parametrize("part", ["backbone", "heads"])
def test_a_download_that_asks_for_somebodys_class_is_refused(
    part: str, hub: Hub, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The module lies on the path and would say so: naming it must not import it."""
    (tmp_path / "evil.py").write_text("import os\nos.environ['EVIL'] = 'ran'\nclass Part: pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    file = run / "1-advent/checkpoint.safetensors"
    from safetensors import safe_open

    with safe_open(file, "pt") as opened:
        description = json.loads(opened.metadata()["segadapt"])
    description["model"][part] = "evil:Part"
    save_file(load_file(file), tmp_path / "x", {"segadapt": json.dumps(description)})
    hub.repositories["me/evil"] = [{"model.safetensors": (tmp_path / "x").read_bytes()}]
    with pytest.raises(SegadaptError, match="needs somebody's own class"):
        segadapt.load("hf:me/evil")
    assert "EVIL" not in os.environ


def test_a_damaged_download_is_told(hub: Hub) -> None:
    hub.repositories["me/odd"] = [{"model.safetensors": b"no tensors"}]
    with pytest.raises(SegadaptError, match="is not a readable safetensors file"):
        local_file(Path("hf:me/odd"))
    assert checkpoint_of(Path("model.safetensors")) == Path("model.safetensors")
