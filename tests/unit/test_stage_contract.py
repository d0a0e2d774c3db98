"""What every stage promises, and what is asked of a recipe's stages before a run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from miniatures import BUILDERS

import segadapt.stages.rank.check
from segadapt.base.errors import SegadaptError
from segadapt.config.load import load_recipe, validate
from segadapt.config.recipe import Recipe
from segadapt.config.stage import STAGES, Reference, Stage
from segadapt.runs.origins import find_origins
from segadapt.stages.context import StageContext
from segadapt.stages.preflight import preflight
from segadapt.stages.rank.config import RankStage

MODEL = {"backbone": "squeezenet1_0", "weights": "none"}
DOMAINS = {
    "source": {"dataset": "camvid", "root": "camvid", "split": "val", "role": "source"},
    "target": {"dataset": "camvid", "root": "camvid", "split": "train", "role": "target"},
    "test": {"dataset": "camvid", "root": "camvid", "split": "val", "role": "test"},
}
TRAIN = {
    "stage": "train",
    "method": "source_only",
    "source": "source",
    "iterations": 1,
    "model": MODEL,
}
LABELS = {"stage": "pseudo_label", "checkpoint": "first.checkpoint", "images": "target"}
SPLIT = {"stage": "pixel_split", "checkpoint": "first.checkpoint", "images": "target"}
FOLDER = {"stage": "translate", "translation": {"rule": "folder", "folder": "other"}}


class Mine(RankStage):
    """A stage of ours with another default."""

    easy_ratio: float = 0.5


class Idle(Stage):
    """A stage that does not say how it runs."""

    images: str


class Looking(Stage):
    """A stage that refers to a translator and to a domain."""

    translator: str
    images: str

    def references(self) -> list[Reference]:
        """Both."""
        return [
            Reference("translator", self.translator, ("translator",)),
            Reference("images", self.images, ("target",)),
        ]

    def run(self, work: Any) -> dict[str, Any]:
        """Nothing."""
        return {}


def context_of(root: Path, **stages: dict[str, Any]) -> StageContext:
    if not (root / "camvid").exists():
        BUILDERS["camvid"](root / "camvid")
        for kind in ("images", "labels"):
            shutil.copytree(root / "camvid" / kind / "val", root / "camvid" / kind / "train")
    domains = {key: {**value, "size": [32, 64]} for key, value in DOMAINS.items()}
    recipe = validate({"name": "r", "domains": domains, "stages": stages}, "r")
    return StageContext(recipe, root, root, seed=0)


def without_target_labels(context: StageContext) -> None:
    for path in (context.data_root / "camvid" / "labels" / "train").glob("*"):
        path.unlink()


@pytest.mark.parametrize("name", STAGES.names())
def test_every_stage_is_a_section_that_runs_and_says_what_it_leaves(name: str) -> None:
    kind = STAGES.find(name)
    assert issubclass(kind, Stage) and kind.__doc__
    assert kind.__module__ == f"segadapt.stages.{name}.config"
    assert kind.model_construct(stage=name).runs()
    fields = set(kind.model_fields)
    assert kind.derived_from is None or kind.derived_from in fields


def test_labels_of_a_target_are_not_asked_for_behind_translated_pseudo_labels(
    tmp_path: Path,
) -> None:
    context = context_of(
        tmp_path,
        first=TRAIN,
        p=LABELS,
        t={**FOLDER, "source": "p.labels"},
        second={**TRAIN, "source": "t.images", "start_from": "first.checkpoint"},
    )
    without_target_labels(context)
    inputs = find_origins(context)["second"].inputs
    assert inputs == {}, "labels and images are those of earlier stages"
    preflight(context, ["second"])


def test_labels_of_translated_source_images_count(tmp_path: Path) -> None:
    stages = {
        "t": {**FOLDER, "source": "source"},
        "first": {**TRAIN, "source": "t.images"},
    }
    context = context_of(tmp_path, **stages)
    before = find_origins(context)["first"].fingerprint
    label = next((tmp_path / "camvid" / "labels" / "val").glob("*"))
    label.write_bytes(label.read_bytes() + b"\0")
    assert find_origins(context)["first"].fingerprint != before


def test_labels_count_where_a_domain_is_named_with_and_without_them(tmp_path: Path) -> None:
    oracle = {**TRAIN, "method": "minent", "source": "target", "target": "target", "oracle": True}
    context = context_of(tmp_path, oracle=oracle)
    before = find_origins(context)["oracle"].fingerprint
    label = next((tmp_path / "camvid" / "labels" / "train").glob("*"))
    label.write_bytes(label.read_bytes() + b"\0")
    assert find_origins(context)["oracle"].fingerprint != before


@pytest.mark.parametrize(
    "change",
    [
        {"method": {"name": "source_only", "lambda_seg": {"main": 0.5}}},
        {"model": {**MODEL, "dilations": [2, 4]}},
        {"model": {**MODEL, "heads": "daformer"}},
        {"iterations": 2},
    ],
)
def test_whatever_the_result_depends_on_changes_the_fingerprint(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    before = find_origins(context_of(tmp_path, first=TRAIN))["first"].fingerprint
    assert find_origins(context_of(tmp_path, first=TRAIN | change))["first"].fingerprint != before


def test_saying_a_default_changes_no_fingerprint(tmp_path: Path) -> None:
    before = find_origins(context_of(tmp_path, first=TRAIN))["first"].fingerprint
    method = {"name": "source_only", "lambda_seg": {"main": 1.0, "aux": 0.1}}
    said = {"method": method, "model": {**MODEL, "heads": "multi_level"}, "workers": 5}
    assert find_origins(context_of(tmp_path, first=TRAIN | said))["first"].fingerprint == before


def test_labels_of_a_pixel_split_may_be_translated(tmp_path: Path) -> None:
    assert context_of(tmp_path, first=TRAIN, p=SPLIT, t={**FOLDER, "source": "p.labels"})


def test_subclass_of_a_stage_is_checked_and_runs_as_that_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rank = {"stage": f"{__name__}:Mine", "checkpoint": "first.checkpoint", "images": "target"}
    context = context_of(tmp_path, first=TRAIN, rank=rank)
    stage = context.recipe.stages["rank"]
    assert stage.runs() and stage.complete()["easy_ratio"] == 0.5
    preflight(context, ["rank"])

    def refuse(stage: Stage, context: StageContext, place: str) -> None:
        raise SegadaptError(f"{place}: {type(stage).__name__} is refused")

    monkeypatch.setattr(segadapt.stages.rank.check, "check", refuse)
    with pytest.raises(SegadaptError, match=r"stages\.rank: Mine is refused"):
        preflight(context, ["rank"])


def test_stage_that_does_not_say_how_it_runs_is_told_before_the_run(tmp_path: Path) -> None:
    context = context_of(tmp_path, idle={"stage": f"{__name__}:Idle", "images": "target"})
    with pytest.raises(SegadaptError, match=r"stages\.idle\.stage: .*does not say how it runs"):
        preflight(context, ["idle"])


def test_stage_that_refers_to_what_has_no_classes(tmp_path: Path) -> None:
    context = context_of(
        tmp_path,
        gan={"stage": "train_translator", "source": "source", "target": "target", "iterations": 1},
        looking={
            "stage": f"{__name__}:Looking",
            "translator": "gan.translator",
            "images": "target",
        },
    )
    preflight(context, ["looking"])


def test_oracle_is_advised_only_where_there_is_such_a_setting(tmp_path: Path) -> None:
    with pytest.raises(SegadaptError, match=r"expected a source domain") as caught:
        context_of(tmp_path, prior={"stage": "class_prior", "source": "target"})
    assert "oracle" not in str(caught.value)
    with pytest.raises(SegadaptError, match=r"with oracle: true$"):
        context_of(tmp_path, first={**TRAIN, "source": "target"})


def test_network_that_does_not_take_the_images_is_told_before_the_run(tmp_path: Path) -> None:
    model = {"backbone": "timm:mixer_s32_224", "heads": "linear", "weights": "none"}
    context = context_of(tmp_path, first={**TRAIN, "model": model})
    with pytest.raises(SegadaptError, match=r"^stages\.first\.model: .*\[32, 64\]") as caught:
        preflight(context, ["first"])
    assert len(str(caught.value).splitlines()) == 1


def test_recipe_is_read_back_from_plain_values() -> None:
    recipe = load_recipe("demo")
    assert Recipe.model_validate(recipe.model_dump()) == recipe
    assert Recipe.model_validate_json(json.dumps(recipe.model_dump(mode="json"))) == recipe


@pytest.mark.parametrize(
    ("stage", "says"),
    [
        ({"stage": 5}, r"stages\.first\.stage: 5 is no kind of stage; there are class_counts, "),
        ({"stage": None}, r"stages\.first\.stage: None is no kind of stage"),
    ],
)
def test_stage_whose_kind_is_no_name(tmp_path: Path, stage: dict[str, Any], says: str) -> None:
    with pytest.raises(SegadaptError, match=says):
        context_of(tmp_path, first={**TRAIN, **stage})


def test_defaults_of_a_stage_that_cannot_be_imported_say_why() -> None:
    raw = {"name": "r", "domains": DOMAINS, "stages": {"first": TRAIN}}
    with pytest.raises(SegadaptError, match=r"defaults\.no\.where:Stage: .*cannot be imported"):
        validate({**raw, "defaults": {"no.where:Stage": {}}}, "r")


def test_section_under_an_optional_one_may_be_given_in_part(tmp_path: Path) -> None:
    method = {"name": "minent", "class_prior": {"lambda_cp": {"main": 0.1}}}
    context = context_of(
        tmp_path,
        prior={"stage": "class_prior", "source": "source"},
        first={**TRAIN, "method": method, "target": "target", "class_prior": "prior.shares"},
    )
    found = context.recipe.stages["first"].complete()["method"]["class_prior"]
    assert found == {"lambda_cp": {"main": 0.1, "aux": 0.0002}, "mu": 0.5}
    preflight(context, ["prior", "first"])
