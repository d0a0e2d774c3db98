"""Evaluation throughput: ours against scoring each image on the CPU with numpy, in one run.

python benchmarks/evaluation.py [--images 20] [--backbone resnet101] [--device cpu]

The other way is that of the released programs: one image at a time, the score maps enlarged to
label size and handed to numpy, which takes the most probable class and counts. Both read the same
files, images of 1024x512 and labels of 2048x1024, and must count the same pixels.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from segadapt.base.classes import CITYSCAPES_19
from segadapt.base.compute import Compute
from segadapt.config import DomainConfig, ModelConfig
from segadapt.data.domain import Domain
from segadapt.data.listing import open_domain
from segadapt.engine.evaluate import evaluate
from segadapt.engine.fabric import Processes, launch
from segadapt.engine.predict import Predictor
from segadapt.models.build import build_segmenter
from segadapt.models.files.checkpoints import TrainedModel

IMAGE, LABEL = (512, 1024), (1024, 2048)


def write_images(root: Path, number: int) -> Domain:
    generator = np.random.default_rng(0)
    for i in range(number):
        name = f"city/city_{i:06}_000000"
        image = root / f"leftImg8bit/val/{name}_leftImg8bit.png"
        label = root / f"gtFine/val/{name}_gtFine_labelIds.png"
        for path in (image, label):
            path.parent.mkdir(parents=True, exist_ok=True)
        small = generator.integers(0, 256, (32, 64, 3)).astype(np.uint8)
        Image.fromarray(small).resize(LABEL[::-1]).save(image)
        ids = generator.integers(0, 34, (32, 64)).astype(np.uint8)
        Image.fromarray(ids).resize(LABEL[::-1], Image.Resampling.NEAREST).save(label)
    config = DomainConfig(dataset="cityscapes", split="val", role="test", size=IMAGE)
    return open_domain(config, root, True, "cityscapes val")


@torch.inference_mode()
def with_numpy(predictor: Predictor, domain: Domain) -> np.ndarray:
    """Confusion counts as the released programs make them."""
    classes = len(domain.classes.names)
    counts = np.zeros((classes, classes), np.int64)
    for i in range(len(domain)):
        image = torch.from_numpy(domain.image(i))[None]
        logits: Tensor = predictor.logits(image)
        large = F.interpolate(logits, LABEL, mode="bilinear", align_corners=True)
        prediction = np.argmax(large.cpu().numpy()[0].transpose(1, 2, 0), axis=2)
        label = domain.label(i)
        known = label < classes
        joint = classes * label[known].astype(int) + prediction[known]
        counts += np.bincount(joint, minlength=classes**2).reshape(classes, classes)
    return counts


def compare(processes: Processes, number: int, backbone: str) -> None:
    torch.manual_seed(0)
    config = ModelConfig(backbone=backbone, weights="none")
    model = build_segmenter(config, len(CITYSCAPES_19.names))
    predictor = Predictor(TrainedModel(model, config, CITYSCAPES_19, IMAGE), processes)
    with tempfile.TemporaryDirectory() as folder:
        domain = write_images(Path(folder), number)
        predictor.logits(torch.from_numpy(domain.image(0))[None])  # warm
        start = time.perf_counter()
        theirs = with_numpy(predictor, domain)
        middle = time.perf_counter()
        ours = np.array(evaluate(predictor, domain, 4, processes, "evaluate").confusion)
        end = time.perf_counter()
    # On an exact tie of two classes, or a rounding apart, the batch may decide otherwise.
    differing = np.abs(ours - theirs).sum() / 2 / theirs.sum()
    print(f"numpy, image by image: {number / (middle - start):.2f} images/s")
    print(f"segadapt:              {number / (end - middle):.2f} images/s")
    print(
        f"ratio {(middle - start) / (end - middle):.2f}; pixels counted otherwise: {differing:.1e}"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--backbone", default="resnet101")
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    launch(compare, (arguments.images, arguments.backbone), Compute(arguments.device))


if __name__ == "__main__":
    main()
