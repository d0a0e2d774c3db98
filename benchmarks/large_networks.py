"""What weights, gradients and AdamW's states of large ViTs take, of one process and of several.

Counted on torch's meta device: tensors with shapes and no content, so that any machine can. What
images leave between the passes (activations) comes on top; so does, of shared weights, the unit
that is gathered, and the one that is fetched meanwhile.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable

import torch
from torch import Tensor

from segadapt.config import ModelConfig, ModelOptimizer
from segadapt.engine.optim import model_optimizer
from segadapt.models.build import build_segmenter

BACKBONES = (
    "timm:vit_base_patch14_dinov2",
    "timm:vit_large_patch14_dinov2",
    "timm:vit_huge_patch14_224",
    "timm:vit_giant_patch14_dinov2",
)
NUM_CLASSES = 19
PROCESSES = (1, 2, 4, 8)


def gigabytes(tensors: Iterable[Tensor]) -> float:
    """Sum of their sizes in 10^9 bytes."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors) / 1e9


def row(backbone: str) -> str:
    """A line of the table, after one step of AdamW in float32."""
    with torch.device("meta"):
        model = build_segmenter(
            ModelConfig(backbone=backbone, heads="linear", weights="none"), NUM_CLASSES
        )
    optimizer = model_optimizer(model, ModelOptimizer(name="adamw"))
    weights = list(model.parameters())
    for weight in weights:
        weight.grad = torch.empty_like(weight)
    optimizer.step()
    states = [x for state in optimizer.state.values() for x in state.values()]
    parts = [gigabytes(weights), gigabytes(w.grad for w in weights if w.grad is not None)]
    parts.append(gigabytes(states))
    largest = max(gigabytes(block.parameters()) for block in model.trunk.blocks())
    cells = [
        backbone.removeprefix("timm:"),
        f"{sum(w.numel() for w in weights) / 1e6:.0f}",
        *(f"{x:.2f}" for x in parts),
        *(f"{sum(parts) / processes:.2f}" for processes in PROCESSES),
        f"{largest:.3f}",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the table."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    of_several = [f"all, of {processes}" for processes in PROCESSES]
    head = ["trunk", "parameters / 10^6", "weights / GB", "gradients", "AdamW", *of_several]
    print(f"| {' | '.join([*head, 'largest block'])} |")
    print("|" + "---|" * (len(head) + 1))
    for backbone in BACKBONES:
        print(row(backbone))


if __name__ == "__main__":
    main()
