"""Single functions, preprocessing, rankings and layouts against the released programs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from filling import fill

from networks import published_name, published_state, resnet
from segadapt.base.classes import CITYSCAPES_19, ClassSet
from segadapt.data.label_files import read_ids
from segadapt.data.transforms import read_image, resize_label
from segadapt.engine.optim import poly_factor
from segadapt.losses.adversarial import domain_loss
from segadapt.losses.entropy import entropy_loss, weighted_self_information
from segadapt.losses.segmentation import cross_entropy
from segadapt.metrics import ConfusionMatrix, score
from segadapt.models.adversaries.discriminator import build_discriminator
from segadapt.models.inputs import normalise
from segadapt.split.entropy_ranking import image_entropies, normaliser, split_by_score
from segadapt.tasks.segmentation import upsample

RELATIVE = 1e-9


def test_losses_and_scores(reference: Path) -> None:
    recorded = np.load(reference / "functional.npz")
    logits = torch.from_numpy(recorded["logits"]).double()
    label = torch.from_numpy(recorded["label"]).long()
    probability = logits.softmax(dim=1)
    assert float(entropy_loss(probability)) == pytest.approx(
        float(recorded["entropy_loss"]), rel=RELATIVE
    )
    np.testing.assert_allclose(
        weighted_self_information(probability).numpy(),
        recorded["weighted_self_information"],
        rtol=RELATIVE,
        atol=1e-15,
    )
    assert float(cross_entropy(logits, label)) == pytest.approx(
        float(recorded["cross_entropy"]), rel=RELATIVE
    )
    bce = [k for k in recorded.files if "bce" in k]
    for domain, digit in (("source", "0"), ("target", "1")):
        (key,) = [k for k in bce if k.endswith(digit)]
        assert float(domain_loss(logits, domain)) == pytest.approx(
            float(recorded[key]), rel=RELATIVE
        )
    for iteration, rate in recorded["lr_poly"]:
        assert 2.5e-4 * poly_factor(int(iteration), 250000, 0.9) == pytest.approx(
            rate, rel=RELATIVE
        )
    matrix = ConfusionMatrix(logits.shape[1], torch.device("cpu"))
    matrix.update(logits.argmax(dim=1), label)
    np.testing.assert_array_equal(matrix.counts().numpy(), recorded["confusion"])
    plain = ClassSet("plain", ("x",) * len(matrix.counts()), ((0, 0, 0),) * len(matrix.counts()))
    ours = score(matrix.counts(), plain).iou
    np.testing.assert_allclose(
        [np.nan if x is None else x for x in ours], recorded["iou"], rtol=RELATIVE
    )


def test_preprocessing_is_exact(reference: Path) -> None:
    recorded = np.load(reference / "preprocess.npz")
    name = str(recorded["name"]) if "name" in recorded.files else str(recorded["file"])
    width, height = (int(x) for x in recorded["size_wh"])
    image = read_image(reference / "images" / name, (height, width))
    ours = normalise(torch.from_numpy(image)[None], "bgr_mean")[0].numpy()
    assert ours.dtype == recorded["image"].dtype
    np.testing.assert_array_equal(ours, recorded["image"])
    label = resize_label(read_ids(reference / "labels" / name).astype(np.uint8), (height, width))
    np.testing.assert_array_equal(label, recorded["label"])


def test_entropy_ranking(reference: Path) -> None:
    recorded = json.loads((reference / "entropy_ranking.json").read_text())
    model = resnet("resnet101", 19)
    fill(model, recorded["salt"], "segmenter")
    with torch.no_grad():
        for parameter in model.head.main.parameters():
            parameter *= recorded["classifier_scale"]
    model.eval()
    width, height = recorded["size_wh"]
    rare = recorded["rare_class_ids"]
    assert tuple(rare) == CITYSCAPES_19.rare
    plain, normalised = [], []
    for image in recorded["images"]:
        pixels = read_image(reference / "images" / image["name"], (height, width))
        x = normalise(torch.from_numpy(pixels)[None], "bgr_mean").double()
        with torch.no_grad():
            (ours,) = image_entropies(upsample(model(x).main, (height, width)).softmax(dim=1))
        assert ours.mean_self_information == pytest.approx(
            image["mean_weighted_self_information"], rel=RELATIVE
        )
        assert ours.mean_entropy == pytest.approx(image["mean_entropy"], rel=RELATIVE)
        assert list(ours.predicted_classes) == image["predicted_classes"]
        factor = normaliser(ours.predicted_classes, rare, "released")
        assert factor == pytest.approx(image["normalizer"], rel=RELATIVE)
        plain.append(ours.mean_entropy)
        normalised.append(ours.mean_entropy * factor)
    names = [image["name"] for image in recorded["images"]]
    for scores, suffix in ((plain, ""), (normalised, "_normalized")):
        easy, hard = split_by_score(scores, recorded["lambda_"])
        assert [names[i] for i in easy] == recorded["easy" + suffix]
        assert [names[i] for i in hard] == recorded["hard" + suffix]


def test_state_dict_layouts(reference: Path) -> None:
    for file, module in (
        ("deeplabv2_resnet101_state_dict.json", resnet("resnet101", 19)),
        ("discriminator_state_dict.json", build_discriminator(19)),
    ):
        recorded = json.loads((reference / file).read_text())
        ours = {k: list(v.shape) for k, v in published_state(module).items()}
        assert ours == recorded
        assert list(ours) == list(recorded) or set(ours) == set(recorded)


def test_update_multiplicity(reference: Path) -> None:
    from segadapt.config import ModelOptimizer
    from segadapt.engine.optim import model_optimizer

    recorded = json.loads((reference / "sgd_update_multiplicity.json").read_text())
    expected = recorded["backbone_updates_per_step"] | recorded["classifier_updates_per_step"]
    model = resnet("resnet101", 19)
    optimizer = model_optimizer(model, ModelOptimizer(repeated_updates=True))
    repeats = {id(p): g["repeats"] for g in optimizer.param_groups for p in g["params"]}
    ours = {
        published_name(n): repeats[id(p)] for n, p in model.named_parameters() if p.requires_grad
    }
    assert ours == expected
