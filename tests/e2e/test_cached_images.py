"""Runs whose images are kept decoded: the same numbers, in every epoch and from another run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from harness import checkpoint_hashes, domains, recipe_of, run_recipe, snapshot, train, write_data


def recipe(cache: bool) -> dict[str, Any]:
    kept = {"cache": cache}
    stages = {"minent": train("minent", workers=1, iterations=3)}
    return recipe_of(stages, domains(source=kept, target=kept))


def test_no_number_moves(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    root = write_data(tmp_path / "data", target_labels=True)
    kept = tmp_path / "kept"
    plain = run_recipe(recipe(False), tmp_path / "plain", root)
    first = run_recipe(recipe(True), tmp_path / "first", root, cache_dir=kept)
    told = capfd.readouterr().out
    assert f"images of source, target are kept in {kept}" in told
    before = snapshot(kept)
    again = run_recipe(recipe(True), tmp_path / "again", root, cache_dir=kept)
    assert snapshot(kept) == before, "what was kept is read, and not made anew"
    assert checkpoint_hashes(plain) == checkpoint_hashes(first) == checkpoint_hashes(again)
    counts = {x.name.partition("-")[0]: len(list(x.iterdir())) for x in kept.iterdir()}
    # Labels of the source alone: those of the target are not to be opened.
    assert counts["label"] == 6 and counts["image"] > 6
    # What is kept decides on no result, so it may be switched on in the midst of a run.
    trained = snapshot(plain / "1-minent")
    run_recipe(recipe(True), plain, root, cache_dir=kept)
    assert snapshot(plain / "1-minent") == trained
