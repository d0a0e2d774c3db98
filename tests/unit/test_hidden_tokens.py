"""Patches of a ViT that are hidden behind its mask token (VFM-UDA)."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from segadapt.base.batch import LabelledBatch, UnlabelledBatch
from segadapt.base.errors import SegadaptError
from segadapt.config import ModelConfig
from segadapt.methods.mic import MIC, MICConfig
from segadapt.models.build import build_segmenter
from segadapt.models.segmenter import Segmenter
from segadapt.self_training.block_masks import token_mask
from segadapt.self_training.chance import Chance
from segadapt.tasks.segmentation import SegmentationTask

pytest.importorskip("timm")
VIT = {"backbone": "timm:vit_tiny_patch16_224", "heads": "vit", "weights": "none"}
SIZE = (48, 70)
"""Its width is no multiple of the patches': the image is padded."""


def vit() -> Segmenter:
    torch.manual_seed(0)
    model = build_segmenter(ModelConfig(**VIT, mask_token=True), 3).eval()
    with torch.no_grad():
        model.trunk.mask_token.fill_(0.3)
    return model


def test_what_lies_in_a_hidden_patch_is_not_seen() -> None:
    model = vit()
    assert model.token_grid(SIZE) == (3, 5)
    image = torch.randn(1, 3, *SIZE)
    other = image.clone()
    other[:, :, 16:32, 32:48] += 5.0
    hidden = torch.zeros(1, 3, 5, dtype=torch.bool)
    hidden[0, 1, 2] = True
    with torch.no_grad():
        plain = model(image).main
        with model.trunk.hiding(hidden):
            seen, same = model(image).main, model(other).main
        assert torch.equal(model(image).main, plain), "it is over with the block"
    assert torch.equal(seen, same)
    assert not torch.allclose(seen, plain, atol=1e-4)


def test_a_hidden_patch_is_the_mask_token_and_teaches_it() -> None:
    model = vit()
    image = torch.randn(1, 3, 32, 32)
    hidden = torch.ones(1, 2, 2, dtype=torch.bool)
    with model.trunk.hiding(hidden):
        model(image).main.square().sum().backward()
    assert float(model.trunk.mask_token.grad.abs().sum()) > 0
    # All patches hidden: the embedding of patches takes no part.
    assert float(model.trunk.net.patch_embed.proj.weight.grad.abs().sum()) == 0
    assert model.trunk.decays("mask_token", model.trunk.mask_token) is False


def test_tokens_are_hidden_in_the_share_that_is_asked_for() -> None:
    mask = token_mask(4, (40, 50), 0.7, Chance(1, 2))
    assert mask.shape == (4, 40, 50)
    assert float(mask.float().mean()) == pytest.approx(0.7, abs=0.02)
    assert torch.equal(mask[2:], token_mask(2, (40, 50), 0.7, Chance(1, 2, first=2)))


def test_a_masked_step_against_a_few_lines() -> None:
    still = {"colour_probability": 0.0, "blur_probability": 0.0}
    config = MICConfig(
        threshold=0, lambda_feature=0, lambda_mix=0, hidden="tokens", augmentation=still
    )
    method = MIC(config, SegmentationTask(3, input_format="rgb_mean_std", seed=5))
    model = vit()
    method.begin(model)
    target = UnlabelledBatch(torch.randn(2, 3, *SIZE))
    source = LabelledBatch(torch.randn(2, 3, *SIZE), torch.zeros(2, *SIZE, dtype=torch.uint8))
    with torch.no_grad():
        pseudo = method.pseudo_labels(target)
        with model.trunk.hiding(token_mask(2, (3, 5), 0.7, Chance(5, 0))):
            scores = model(target.image).main
    scores = F.interpolate(scores, SIZE, mode="bilinear", align_corners=True)
    losses = method.step({"model": model}, source, target, lambda x: None)
    wanted = F.cross_entropy(scores, pseudo.label.long())
    assert float(losses["loss_mask_main"]) == pytest.approx(float(wanted), rel=1e-5)


def test_networks_without_patches_have_no_mask_token() -> None:
    config = ModelConfig(backbone="timm:resnet18", heads="single", weights="none", mask_token=True)
    with pytest.raises(SegadaptError, match=r"mask_token: timm's resnet18 does not look .* ViT"):
        build_segmenter(config, 3)
