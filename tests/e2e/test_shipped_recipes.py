"""Every shipped recipe, from its check to its report, on miniatures of its data sets."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from segadapt.base.classes import CITYSCAPES_19
from segadapt.commands.check import check_data
from segadapt.config import DomainConfig, ModelConfig, Recipe
from segadapt.config.load import load_recipe, recipe_names, validate
from segadapt.data.listing import dataset_reader
from segadapt.models.build import build_segmenter
from segadapt.models.files.checkpoints import TrainedModel, save_checkpoint
from segadapt.runs.pipeline import run

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from miniatures import BUILDERS, DIGITS, write_digits

SIZE = [32, 64]
# Recipes that differ from another one in a number alone, or whose stages others run too.
ALIKE = {
    "carla-highway",
    "gta5-cityscapes/cirn",
    "gta5-cityscapes/pixintrada",
    "gta5-cityscapes/intrada",
    "gta5-cityscapes/intrada_self_training",
    "gta5-cityscapes/translated_advent",
    "synthia-cityscapes/adaptsegnet",
    "synthia-cityscapes/clan",
    "synscapes-cityscapes/adaptsegnet",
    "digits/svhn-mnist/intrada",
    "idd-camvid/advent_rows",
    "idd-camvid/intrada_ablation",
    "idd-camvid/intrada_efficientnet",
    "idd-camvid/pixintrada_proportions",
    "rendered-camvid/self_training",
    "scenes-camvid/intrada",
    "gta5-cityscapes/cirn_modules",
    "gta5-cityscapes/cirn_weights",
    "gta5-cityscapes/intrada_adversarial",
    "gta5-cityscapes/intrada_normalised_released",
    "gta5-cityscapes/translated_intrada",
    "gta5-cityscapes/vgg16/adaptsegnet",
    "rendered-camvid/self_training_efficientnet",
    "gta5-cityscapes/intrada_lambda_050",
    "gta5-cityscapes/intrada_lambda_060",
    "gta5-cityscapes/intrada_lambda_070",
    "gta5-cityscapes/pixintrada_ias",
    "gta5-cityscapes/pixintrada_intrada",
    "gta5-cityscapes/pixintrada_proportions",
    "gta5-cityscapes/vgg16/oracle",
    "synthia-cityscapes/intrada",
    "synthia-cityscapes/minent",
    "synthia-cityscapes/pixintrada",
    "synthia-cityscapes/vgg16/adaptsegnet",
    "synthia-cityscapes/vgg16/advent_cp",
    "synthia-cityscapes/vgg16/minent_cp",
    "synscapes-cityscapes/intrada",
    "gta5-cityscapes/intrada_normalised",
    "gta5-cityscapes/vgg16/minent",
    "synthia-cityscapes/advent",
    "synthia-cityscapes/advent_minent",
    "synthia-cityscapes/cirn",
    "synthia-cityscapes/cirn_modules",
    "gta5-cityscapes/translated_pixintrada",
    "synthia-cityscapes/oracle",
    "synthia-cityscapes/pixintrada_proportions",
    "synthia-cityscapes/vgg16/minent",
    "synthia-cityscapes/vgg16/oracle",
    "synscapes-cityscapes/source_only",
    "gta5-cityscapes/daformer",
    "gta5-cityscapes/hrda",
    "gta5-cityscapes/vfm_uda_large",
    *(
        f"{pair}/{method}"
        for pair in ("synthia-cityscapes", "cityscapes-acdc", "cityscapes-dark_zurich")
        for method in ("dacs", "daformer", "hrda", "mic", "vfm_uda", "vfm_uda_large")
        if (pair, method) not in (("cityscapes-acdc", "hrda"), ("cityscapes-dark_zurich", "dacs"))
    ),
    "idd-camvid/self_training",
    "idd-camvid/self_training_efficientnet",
    "rendered-idd/self_training",
    "rendered-idd/self_training_efficientnet",
    *(
        f"digits/{pair}/{method}"
        for pair in ("mnist-usps", "usps-mnist", "svhn-mnist")
        for method in ("source_only", "adda", "cycada")
    ),
    "digits/usps-mnist/intrada",
    "digits/usps-mnist/light_intrada",
    "digits/usps-mnist/intrada_plus",
    "cityscapes-foggy/source_only",
    "cityscapes-foggy/minent",
    "highway-foggy",
}


def parameters() -> list[Any]:
    return [
        pytest.param(name, marks=pytest.mark.slow) if name in ALIKE else name
        for name in recipe_names()
    ]


def write_boxes(folder: Path, dataset: str, split: str) -> None:
    """Three images with two boxes each, as COCO stores them or as Cityscapes' instances."""
    rng = np.random.default_rng([*dataset.encode(), *split.encode()])
    pictures = [rng.integers(0, 256, (40, 80, 3)).astype(np.uint8) for _ in range(3)]
    if "cityscapes" in dataset:
        fog, ending = ("_foggy", "_foggy_beta_0.02") if "foggy" in dataset else ("", "")
        ids = np.full((40, 80), 7, np.uint16)
        ids[5:35, 10:50] = 26001
        ids[8:30, 60:70] = 24001
        for number, picture in enumerate(pictures):
            name = f"{split}/ulm/ulm_{number}"
            image = folder / f"leftImg8bit{fog}" / f"{name}_leftImg8bit{ending}.png"
            label = folder / "gtFine" / f"{name}_gtFine_instanceIds.png"
            for path, pixels in ((image, picture), (label, ids)):
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(path)
        return
    names = ("vehicle", "bike") if dataset == "carla" else ("car", "motorbike")
    boxes = ([10, 5, 40, 30], [60, 8, 10, 22])
    content = {
        "images": [{"id": i, "file_name": f"{i}.png"} for i in range(3)],
        "categories": [{"id": i, "name": name} for i, name in enumerate(names)],
        "annotations": [
            {"image_id": i, "category_id": category, "bbox": box}
            for i in range(3)
            for category, box in enumerate(boxes)
        ],
    }
    (folder / "images" / split).mkdir(parents=True)
    for number, picture in enumerate(pictures):
        Image.fromarray(picture).save(folder / "images" / split / f"{number}.png")
    (folder / "annotations").mkdir(exist_ok=True)
    (folder / "annotations" / f"{split}.json").write_text(json.dumps(content))


def place(root: Path, config: DomainConfig) -> None:
    """Write a miniature of a domain's data set, with training and validation part alike."""
    folder = root / (config.root or dataset_reader(config.dataset).DEFAULT_ROOT)
    if config.dataset in DIGITS:
        write_digits(folder, config.dataset, number=10)
        return
    if folder.is_dir():
        return
    if config.dataset not in BUILDERS:
        for split in ("train", "val"):
            write_boxes(folder, config.dataset, split)
        return
    BUILDERS[config.dataset](folder)
    for path in sorted(folder.rglob("*")):
        other = {"train": "val", "val": "train"}.get(path.name)
        if path.is_dir() and other and not path.with_name(other).exists():
            shutil.copytree(path, path.with_name(other))


def small(recipe: Recipe) -> dict[str, Any]:
    """The recipe with small images, two iterations, random weights and light ResNets."""
    raw = recipe.model_dump(mode="json")
    for domain in raw["domains"].values():
        given = domain["drawn_by"] is None or domain["size"] is not None
        if given and domain["dataset"] not in DIGITS:
            domain["size"] = SIZE
    for stage in raw["stages"].values():
        if stage["stage"] == "train":
            stage |= {"iterations": 2, "workers": 0, "log_every": 1}
            # A batch norm needs more than one digit, which is one pixel to it.
            stage["batch_size"] = 2 if stage["model"]["backbone"] in ("lenet", "dtn") else 1
            stage["snapshots"] = min(2, stage["snapshots"])
            stage["model"]["weights"] = "none"
            if stage["scales"] != [1.0, 1.0]:
                stage["scales"] = [1.0, 1.5]
            light = {
                "resnet101": "resnet18",
                "timm:vit_small_patch14_dinov2": "timm:vit_tiny_patch16_224",
                "timm:vit_base_patch14_dinov2": "timm:vit_tiny_patch16_224",
                "timm:vit_large_patch14_dinov2": "timm:vit_tiny_patch16_224",
                "timm:pvt_v2_b5": "timm:pvt_v2_b0",
            }
            if stage["model"]["heads"] == "ssd":
                # The maps of SSD's own VGG-16 fit into nothing that is much smaller than 300x300.
                light |= dict.fromkeys(
                    ("ssd_vgg16", "timm:tf_efficientnet_lite0"), "timm:mobilenetv3_small_050"
                )
            backbone = stage["model"]["backbone"]
            stage["model"]["backbone"] = light.get(backbone, backbone)
            if stage["crop"]:
                stage["crop"]["size"] = SIZE
            if stage["rare_classes"]:
                stage["rare_classes"] |= {"least_pixels": 0, "least_in_crop": 0}
        elif stage["stage"] == "train_translator":
            stage |= {"iterations": 2, "workers": 0, "log_every": 1, "sheets": 1}
            stage["crop"] = SIZE if stage["crop"] else None
            stage |= {"generator": {"width": 2, "blocks": 1}, "discriminator_width": 2}
            stage["batch_size"] = 1
        elif stage["stage"] == "draw":
            stage |= {"size": SIZE, "counts": {split: 3 for split in stage["counts"]}}
        elif "workers" in stage:
            stage["workers"] = 0
        if stage["stage"] == "rank":
            stage["gallery"] = 1
            # Of two or three images one at least is to be on each side, whatever the ratio.
            stage["easy_ratio"] = 0.5
        if stage["stage"] in ("evaluate", "pixel_split") and len(stage["views"]["scales"]) > 1:
            stage["views"]["scales"] = [1.0, 1.5]
        if stage["stage"] == "evaluate":
            stage["pictures"] = 1
        if stage["stage"] == "convert":
            stage |= {"file": "other.safetensors", "family": None}
    return raw


def write_other_checkpoint(root: Path) -> None:
    """What a ``convert`` stage takes into the run, in place of a published file of ResNet-101."""
    config = ModelConfig(backbone="resnet18", weights="none")
    model = build_segmenter(config, len(CITYSCAPES_19.names))
    save_checkpoint(
        root / "other.safetensors", TrainedModel(model, config, CITYSCAPES_19, (32, 64))
    )


@pytest.mark.parametrize("name", parameters())
def test_recipe_passes_check_and_runs_every_stage(name: str, tmp_path: Path) -> None:
    shipped = load_recipe(name)
    for config in shipped.domains.values():
        if config.drawn_by is None:
            place(tmp_path / "data", config)
    recipe = validate(small(shipped), name)
    if "convert" in {stage.stage for stage in recipe.stages.values()}:
        write_other_checkpoint(tmp_path / "data")
    findings = list(check_data(recipe, tmp_path / "data"))
    assert [problem for found in findings for problem in found.problems] == []
    directory = run(recipe, tmp_path / "run", tmp_path / "data", device="cpu")
    manifests = sorted(directory.glob("*/manifest.json"))
    assert len(manifests) == len(recipe.stages)
    for path in manifests:
        stage = json.loads(path.read_text())
        if stage["stage"] in ("train", "train_translator"):
            lines = (path.parent / "metrics.jsonl").read_text().splitlines()
            assert [json.loads(line)["iteration"] for line in lines] == [1, 2]
        if stage["stage"] == "evaluate":
            report = json.loads((path.parent / "report.json").read_text())
            wanted = len(stage["config"]["checkpoints"]) + len(stage["config"]["ensembles"])
            assert len(report["scores"]) == wanted
            oracles = {row["checkpoint"] for row in report["scores"] if row["oracle"]}
            assert oracles == {n for n, s in raw_trains(recipe).items() if s["oracle"]} & {
                row["checkpoint"] for row in report["scores"]
            }
    assert (directory / "report.html").stat().st_size > 10_000
    assert yaml.safe_load((directory / "recipe.yaml").read_text())["name"]


def raw_trains(recipe: Recipe) -> dict[str, dict[str, Any]]:
    stages = recipe.model_dump(mode="json")["stages"]
    return {name: stage for name, stage in stages.items() if stage["stage"] == "train"}
