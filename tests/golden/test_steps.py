"""Three training iterations of every method against the released programs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from filling import fill
from torch import nn

from networks import published_state, resnet
from segadapt.base.batch import LabelledBatch, UnlabelledBatch
from segadapt.config import DiscriminatorOptimizer, ModelOptimizer
from segadapt.data.label_files import read_ids
from segadapt.data.transforms import read_image, resize_label
from segadapt.engine.loop import TrainingStep
from segadapt.engine.optim import adam, model_optimizer, poly_factor
from segadapt.methods.base import find_method
from segadapt.models.inputs import normalise
from segadapt.tasks.segmentation import SegmentationTask

RUNS = {
    # file: (method, settings, repeated updates)
    "advent_steps": ("advent", {}, True),
    "advent_unique_updates_steps": ("advent", {}, False),
    "advent_single_level_steps": ("advent", {}, True),
    "minent_steps": ("minent", {}, True),
    "minent_unique_updates_steps": ("minent", {}, False),
    "adaptsegnet_vanilla_steps": ("adaptsegnet", {"gan": "vanilla"}, True),
    "adaptsegnet_ls_steps": ("adaptsegnet", {"gan": "least_squares"}, True),
}
# The released programs log the target half of a discriminator's loss.
LOSS_NAMES = {
    "loss_seg_src_main": "loss_seg_main",
    "loss_seg_src_aux": "loss_seg_aux",
    "loss_adv_trg_main": "loss_adv_main",
    "loss_adv_trg_aux": "loss_adv_aux",
    "loss_ent_main": "loss_ent_main",
    "loss_ent_aux": "loss_ent_aux",
    "loss_d_main": "loss_d_target_main",
    "loss_d_aux": "loss_d_target_aux",
}
RELATIVE = 1e-9


def network_input(path: Path, size_wh: list[int]) -> torch.Tensor:
    image = torch.from_numpy(read_image(path, (size_wh[1], size_wh[0])))[None]
    return normalise(image, "bgr_mean").double()


def label_of(path: Path, size_wh: list[int]) -> torch.Tensor:
    label = resize_label(read_ids(path).astype(np.uint8), (size_wh[1], size_wh[0]))
    return torch.from_numpy(np.where(label == 11, 255, label))[None]


# What it tells apart, of two methods, is told by the other's.
ALIKE = {"minent_unique_updates_steps"}


@pytest.mark.parametrize(
    "run", [pytest.param(run, marks=pytest.mark.slow) if run in ALIKE else run for run in RUNS]
)
def test_training_steps_agree_with_the_released_program(reference: Path, run: str) -> None:
    method_name, settings, repeated = RUNS[run]
    recorded = json.loads((reference / f"{run}.json").read_text())
    arrays = np.load(reference / f"{run}.npz")
    salt, multi_level = recorded["salt"], recorded["multi_level"]
    model = resnet(
        "resnet101",
        19,
        heads="multi_level" if multi_level else "single",
        blocks=tuple(recorded["layers"]),
    )
    fill(model, salt, "segmenter")
    method_class = find_method(method_name)
    method = method_class(method_class.Config(**settings), SegmentationTask(19))
    extra = method.extra_networks(["main", "aux"] if multi_level else ["main"])
    for name, network in extra.items():
        fill(network, salt, {"discriminator_main": "d_main", "discriminator_aux": "d_aux"}[name])
    nets: dict[str, nn.Module] = {"model": model, **extra}
    optimizers = {
        "model": model_optimizer(model, ModelOptimizer(repeated_updates=repeated)),
        **{n: adam(x, DiscriminatorOptimizer()) for n, x in extra.items()},
    }
    step = TrainingStep(method, nets, optimizers, lambda i: poly_factor(i, 250000, 0.9))

    for network in nets.values():
        network.train()
    for i, expected in enumerate(recorded["losses"]):
        source, target = recorded["source"][i], recorded["target"][i]
        batch = LabelledBatch(
            network_input(reference / "images" / source, recorded["size_source"]),
            label_of(reference / "labels" / source, recorded["size_source"]),
        )
        target_batch = UnlabelledBatch(
            network_input(reference / "images" / target, recorded["size_target"])
        )
        losses = step(i, batch, target_batch)
        for name, value in expected.items():
            if not multi_level and name.endswith("aux"):
                assert LOSS_NAMES[name] not in losses
                continue
            ours = float(losses[LOSS_NAMES[name]])
            assert ours == pytest.approx(value, rel=RELATIVE), f"iteration {i}, {name}"

    assert_entries(model, recorded["param_names"], arrays["param_mean_norm"])
    for index, level in ((0, "aux"), (1, "main")):
        network = extra.get(f"discriminator_{level}")
        if network is not None:
            assert_entries(network, recorded[f"d{index}_names"], arrays[f"d{index}_mean_norm"])
    model.eval()
    with torch.no_grad():
        probe = model(
            network_input(reference / "images" / recorded["probe"], recorded["size_target"])
        )
    np.testing.assert_allclose(
        probe.main.numpy().squeeze(), arrays["probe_main"].squeeze(), rtol=RELATIVE, atol=1e-9
    )
    if multi_level:
        assert probe.aux is not None
        np.testing.assert_allclose(
            probe.aux.numpy().squeeze(), arrays["probe_aux"].squeeze(), rtol=RELATIVE, atol=1e-9
        )


def assert_entries(module: nn.Module, names: list[str], mean_norm: np.ndarray) -> None:
    state = published_state(module)
    assert {k for k in state if not k.endswith("num_batches_tracked")} == set(names)
    for name, (mean, norm) in zip(names, mean_norm, strict=True):
        ours = state[name]
        assert float(ours.norm()) == pytest.approx(norm, rel=RELATIVE), name
        # A mean near zero is a small difference of large sums: its error is that of the entries.
        scale = norm / np.sqrt(ours.numel())
        assert float(ours.mean()) == pytest.approx(mean, rel=RELATIVE, abs=RELATIVE * scale), name
