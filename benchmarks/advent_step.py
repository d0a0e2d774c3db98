"""Seconds and peak memory of one AdvEnt step with ResNet-101, against the plain loop of the papers.

The plain loop is what the papers' recipe says, written straight: float32, contiguous layout, each
dilated convolution by itself, discriminators frozen by ``requires_grad``. Every variant runs in a
process of its own, takes turns with the others, and starts from the same weights and images.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segadapt.base.batch import LabelledBatch, UnlabelledBatch
from segadapt.config import DiscriminatorOptimizer, ModelConfig, ModelOptimizer
from segadapt.engine.loop import TrainingStep
from segadapt.engine.optim import adam, model_optimizer, poly_factor
from segadapt.losses.entropy import weighted_self_information
from segadapt.methods.advent import AdvEnt
from segadapt.models.adversaries.discriminator import build_discriminator
from segadapt.models.build import build_segmenter
from segadapt.models.layers.aspp import ASPPClassifier
from segadapt.models.segmenter import Segmenter
from segadapt.tasks.segmentation import SegmentationTask

VARIANTS = ("plain", "32-true", "bf16-mixed")
NUM_CLASSES = 19
SOURCE, TARGET = (360, 640), (256, 512)  # (height, width)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variant", choices=VARIANTS, help="run one, and print JSON")
    parser.add_argument("--steps", type=int, default=3, help="counted steps, after one warm-up")
    parser.add_argument("--rounds", type=int, default=2, help="turns that each variant gets")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    arguments = parser.parse_args()
    if arguments.variant:
        print(json.dumps(measure(arguments.variant, arguments.steps, arguments.device)))
        return
    results: dict[str, list[dict[str, float]]] = {v: [] for v in VARIANTS}
    for _ in range(arguments.rounds):
        for variant in VARIANTS:
            command = [sys.executable, __file__, "--variant", variant]
            command += ["--steps", str(arguments.steps), "--device", arguments.device]
            output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            results[variant].append(json.loads(output.splitlines()[-1]))
    print(
        f"{platform.processor() or platform.machine()}, torch {torch.__version__}, "
        f"{torch.get_num_threads()} threads, {arguments.device}"
    )
    plain = statistics.median(r["seconds"] for r in results["plain"])
    print(f"{'variant':<12} {'s/step':>8} {'speed-up':>9} {'peak GiB':>9}")
    for variant, runs in results.items():
        seconds = statistics.median(r["seconds"] for r in runs)
        memory = max(r["gib"] for r in runs)
        print(f"{variant:<12} {seconds:8.2f} {plain / seconds:8.2f}x {memory:9.2f}")


def measure(variant: str, steps: int, device: str) -> dict[str, float]:
    torch.manual_seed(0)
    model = build_segmenter(ModelConfig(backbone="resnet101"), NUM_CLASSES).to(device)
    discriminators = {
        f"discriminator_{n}": build_discriminator(NUM_CLASSES).to(device) for n in ("main", "aux")
    }
    optimizers = {
        "model": model_optimizer(model, ModelOptimizer()),
        **{n: adam(d, DiscriminatorOptimizer()) for n, d in discriminators.items()},
    }
    source = LabelledBatch(
        torch.randn(1, 3, *SOURCE, device=device) * 50,
        torch.randint(0, NUM_CLASSES, (1, *SOURCE), device=device),
    )
    target = UnlabelledBatch(torch.randn(1, 3, *TARGET, device=device) * 50)
    step = (
        plain_step(model, discriminators, optimizers)
        if variant == "plain"
        else engine_step(model, discriminators, optimizers, variant, device)
    )
    if variant != "plain":
        source = LabelledBatch(source.image.to(memory_format=torch.channels_last), source.label)
        target = UnlabelledBatch(target.image.to(memory_format=torch.channels_last))
    seconds = []
    for _ in range(steps + 1):
        start = time.perf_counter()
        step(source, target)
        if device == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    if device == "cuda":
        peak = torch.cuda.max_memory_allocated() / 2**30
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {"seconds": statistics.median(seconds[1:]), "gib": peak}


Step = Callable[[LabelledBatch, UnlabelledBatch], None]


def engine_step(
    model: nn.Module,
    discriminators: dict[str, nn.Sequential],
    optimizers: dict[str, torch.optim.Optimizer],
    precision: str,
    device: str,
) -> Step:
    nets = {"model": model, **discriminators}
    for net in nets.values():
        net.to(memory_format=torch.channels_last).train()
    step = TrainingStep(
        AdvEnt(AdvEnt.Config(), SegmentationTask(NUM_CLASSES)),
        nets,
        optimizers,
        lambda i: poly_factor(i, 250000, 0.9),
        autocast=lambda: torch.autocast(device, torch.bfloat16, enabled=precision == "bf16-mixed"),
    )
    return lambda source, target: (step(0, source, target), None)[1]


def plain_step(
    model: Segmenter,
    discriminators: dict[str, nn.Sequential],
    optimizers: dict[str, torch.optim.Optimizer],
) -> Step:
    for module in model.modules():
        if isinstance(module, ASPPClassifier):
            convolutions = list(module.conv2d_list)
            module.forward = (
                lambda x, c=convolutions: sum(  # type: ignore[method-assign]
                    (layer(x) for layer in c[1:]), c[0](x)
                )
            )
    model.train()

    def up(x: Tensor, image: Tensor) -> Tensor:
        return F.interpolate(x, image.shape[-2:], mode="bilinear", align_corners=True)

    def judge(name: str, map_: Tensor, label: float) -> Tensor:
        logit = discriminators[f"discriminator_{name}"](map_)
        return F.binary_cross_entropy_with_logits(logit, torch.full_like(logit, label))

    def step(source: LabelledBatch, target: UnlabelledBatch) -> None:
        for optimizer in optimizers.values():
            optimizer.zero_grad()
        for discriminator in discriminators.values():
            discriminator.requires_grad_(False)
        output = model(source.image)
        logits = {"main": up(output.main, source.image), "aux": up(output.aux, source.image)}
        losses = {n: F.cross_entropy(x, source.label, ignore_index=255) for n, x in logits.items()}
        (losses["main"] + 0.1 * losses["aux"]).backward()
        output = model(target.image)
        target_maps = {
            n: weighted_self_information(up(x, target.image).softmax(dim=1))
            for n, x in (("main", output.main), ("aux", output.aux))
        }
        adversarial = {n: judge(n, m, 0.0) for n, m in target_maps.items()}
        (0.001 * adversarial["main"] + 0.0002 * adversarial["aux"]).backward()
        for discriminator in discriminators.values():
            discriminator.requires_grad_(True)
        for name, logit in logits.items():
            source_map = weighted_self_information(logit.detach().softmax(dim=1))
            (judge(name, source_map, 0.0) / 2).backward()
            (judge(name, target_maps[name].detach(), 1.0) / 2).backward()
        for optimizer in optimizers.values():
            optimizer.step()

    return step


if __name__ == "__main__":
    main()
