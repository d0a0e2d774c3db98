"""Code blocks in the documents do what they say (those of one's own parts: test_own_parts.py)."""

from __future__ import annotations

import shlex
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
import yaml
from harness import save

import segadapt
from documents import blocks, commands
from segadapt.cli import app
from segadapt.config.load import validate
from segadapt.data.class_file import BoxClasses, FolderClasses
from segadapt.runs.pipeline import run as whole_run

OTHERS = [block for block in blocks() if not (block.file or "").startswith("own")]
SMALL = {
    "demo": (
        "stages.draw.counts={rendered: 8, camera_train: 6, camera_val: 3}",
        "stages.draw.size=[64, 96]",
        *(
            f"stages.{name}.iterations=2"
            for name in ("source-only", "translated", "advent", "intrada", "dacs", "pixintrada")
        ),
        *(
            f"stages.{name}.batch_size=2"
            for name in ("source-only", "translated", "advent", "dacs")
        ),
    ),
    "demo_detection": (
        "stages.draw.counts={clear_train: 6, fog_train: 4, fog_val: 3}",
        *(
            f"stages.{name}.iterations=2"
            for name in ("source-only", "advent", "mean-teacher", "oracle")
        ),
    ),
}


def test_languages_of_blocks_are_those_that_are_run_here() -> None:
    assert {block.language for block in OTHERS} <= {"python", "yaml"}
    assert any(block.language == "python" for block in OTHERS)


@pytest.mark.parametrize("text", [x.text for x in OTHERS if x.language == "python"])
def test_python_runs(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the demonstration made small: it is the calls that are tried."""

    def small(recipe: str, overrides: Any = (), **settings: Any) -> Path:
        return whole_run(
            recipe, tmp_path / "run", overrides=[*overrides, *SMALL[recipe]], **settings
        )

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(segadapt, "run", small, raising=False)
    save(np.zeros((40, 60, 3), np.uint8), tmp_path / "photo.jpg")
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(text, "document", "exec"), namespace)
    if "prediction" in namespace:
        assert namespace["prediction"].label.shape == (40, 60)
    else:
        assert namespace["found"].boxes.shape == (len(namespace["found"].scores), 4)


YAML = [x.text for x in OTHERS if x.language == "yaml"]
WHOLE = [x for x in map(yaml.safe_load, YAML) if "domains" in x]


@pytest.mark.parametrize("text", YAML)
def test_yaml_is_a_recipe_stages_of_one_or_a_class_file(text: str) -> None:
    content = yaml.safe_load(text)
    if "classes" in content:
        spec = BoxClasses if content.get("boxes") is True else FolderClasses
        assert spec.model_validate(content).classes
        return
    if "stages" not in content:  # they come after those of the recipe that they do not replace
        before = takewhile(lambda x: x[0] not in content, WHOLE[0]["stages"].items())
        content = {**WHOLE[0], "stages": {**dict(before), **content}}
    assert validate({"name": "of a document", **content}, "document").stages


@pytest.mark.parametrize(("document", "command"), commands())
def test_commands_have_verbs_and_options_that_there_are(document: str, command: str) -> None:
    verb, *words = shlex.split(command)[1:]
    group = typer.main.get_command(app)
    found = group.get_command(None, verb)  # type: ignore[attr-defined]
    assert found is not None, (document, verb)
    found.make_context(verb, words)
