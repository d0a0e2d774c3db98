"""Miniatures of every data set: the true layouts, written in the true file formats."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from PIL import Image
from scipy.io import savemat

from segadapt.config import DomainConfig
from segadapt.data.class_map import ClassMap
from segadapt.data.domain import Domain
from segadapt.data.listing import open_domain

# labels.py of cityscapesScripts: id -> train id; everything else is 255.
OFFICIAL = {
    7: 0, 8: 1, 11: 2, 12: 3, 13: 4, 17: 5, 19: 6, 20: 7, 21: 8, 22: 9, 23: 10, 24: 11, 25: 12,
    26: 13, 27: 14, 28: 15, 31: 16, 32: 17, 33: 18,
}  # fmt: skip
OFFICIAL_NAMES = {
    7: "road", 8: "sidewalk", 11: "building", 12: "wall", 13: "fence", 17: "pole",
    19: "traffic light", 20: "traffic sign", 21: "vegetation", 22: "terrain", 23: "sky",
    24: "person", 25: "rider", 26: "car", 27: "truck", 28: "bus", 31: "train", 32: "motorcycle",
    33: "bicycle",
}  # fmt: skip
RNG = np.random.default_rng(0)
CLASSES_YAML = """
classes:
  - {name: road, colour: [128, 64, 128], ids: [0, 7]}
  - {name: car, colour: [0, 0, 142], ids: [13], rare: true}
ignore: [255]
"""


def ids_row(*ids: int) -> np.ndarray:
    return np.array([ids, ids], np.uint8)


def write_pair(image: Path, label: Path, ids: np.ndarray, palette: bool = False) -> None:
    pixels = RNG.integers(0, 256, (*ids.shape, 3)).astype(np.uint8)
    for path in (image, label):
        path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(image)
    stored = Image.fromarray(ids)
    if palette:  # colours differ from the ids, so reading colours would show
        stored.putpalette(RNG.integers(0, 256, 768).astype(np.uint8).tobytes())
    stored.save(label)


def gta5(root: Path) -> tuple[str, np.ndarray]:
    for name in ("00002", "00001"):
        write_pair(
            root / f"images/{name}.png", root / f"labels/{name}.png", ids_row(*range(35)), True
        )
    return "all", ids_row(*(OFFICIAL.get(i, 255) for i in range(35)))


def cityscapes(root: Path) -> tuple[str, np.ndarray]:
    for name in ("ulm/ulm_000001_000019", "aachen/aachen_000000_000019"):
        write_pair(
            root / f"leftImg8bit/train/{name}_leftImg8bit.png",
            root / f"gtFine/train/{name}_gtFine_labelIds.png",
            ids_row(*range(34), 255),
        )
        other = root / f"gtFine/train/{name}_gtFine_color.png"
        Image.fromarray(np.zeros((2, 35, 3), np.uint8)).save(other)
    return "train", ids_row(*(OFFICIAL.get(i, 255) for i in range(34)), 255)


def camvid(root: Path) -> tuple[str, np.ndarray]:
    for name in ("0001TP_006720", "0001TP_006690"):
        write_pair(
            root / f"images/val/{name}.png", root / f"labels/val/{name}.png", ids_row(*range(12))
        )
    return "val", ids_row(*range(11), 255)


def idd_lite(root: Path) -> tuple[str, np.ndarray]:
    for name in ("119/903127", "0/024541"):
        write_pair(
            root / f"leftImg8bit/train/{name}_image.jpg",
            root / f"gtFine/train/{name}_label.png",
            ids_row(*range(7), 255),
        )
    return "train", ids_row(*range(7), 255)


def scenes(root: Path) -> tuple[str, np.ndarray]:
    for name in ("00001", "00000"):
        write_pair(
            root / f"images/rendered/{name}.png",
            root / f"labels/rendered/{name}.png",
            ids_row(*range(11), 255),
        )
    return "rendered", ids_row(*range(11), 255)


def folder(root: Path) -> tuple[str, np.ndarray]:
    for name in ("b/2", "a"):
        write_pair(
            root / f"images/day/{name}.jpg", root / f"labels/day/{name}.png", ids_row(7, 0, 13, 255)
        )
    (root / "classes.yaml").write_text(CLASSES_YAML)
    return "day", ids_row(0, 0, 1, 255)


def _filtered(kind: int, line: bytes, above: bytes, step: int) -> bytes:
    """A line of a PNG file as its filter ``kind`` stores it (PNG specification, Sec. 9.2)."""

    def predicted(i: int) -> int:
        left, corner = (line[i - step], above[i - step]) if i >= step else (0, 0)
        up = above[i]
        # Paeth: whichever of the three is nearest to left + up - corner.
        nearest = min((left, up, corner), key=lambda value: abs(left + up - corner - value))
        return (0, left, up, (left + up) // 2, nearest)[kind]

    return bytes((byte - predicted(i)) % 256 for i, byte in enumerate(line))


def write_multichannel_png(path: Path, ids: np.ndarray) -> None:
    """A PNG of three channels with 16 bits each, as SYNTHIA's labels; ids are in the first.

    Lines are stored with each of the format's five filters in turn.
    """

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)

    channels = np.stack([ids, np.arange(ids.size).reshape(ids.shape) % 7, 0 * ids], axis=2)
    lines = [row.astype(">u2").tobytes() for row in channels]
    above = [bytes(len(lines[0])), *lines]
    rows = b"".join(
        bytes([y % 5]) + _filtered(y % 5, line, above[y], step=6) for y, line in enumerate(lines)
    )
    header = struct.pack(">IIBBBBB", ids.shape[1], ids.shape[0], 16, 2, 0, 0, 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


# ADVENT's program: stored id -> train id of the 19-slot layout, for the 16 classes of the data set.
SYNTHIA_OFFICIAL = {
    3: 0, 4: 1, 2: 2, 21: 3, 5: 4, 7: 5, 15: 6, 9: 7, 6: 8, 1: 10, 10: 11, 17: 12, 8: 13,
    19: 15, 12: 17, 11: 18,
}  # fmt: skip


def synthia(root: Path) -> tuple[str, np.ndarray]:
    for name in ("0000001", "0000000"):
        image = root / f"RGB/{name}.png"
        image.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(RNG.integers(0, 256, (2, 23, 3)).astype(np.uint8)).save(image)
        write_multichannel_png(root / f"GT/LABELS/{name}.png", ids_row(*range(23)))
    return "all", ids_row(*(SYNTHIA_OFFICIAL.get(i, 255) for i in range(23)))


def synscapes(root: Path) -> tuple[str, np.ndarray]:
    for name in ("2", "10"):
        write_pair(
            root / f"img/rgb/{name}.png", root / f"img/class/{name}.png", ids_row(*range(34))
        )
    return "all", ids_row(*(OFFICIAL.get(i, 255) for i in range(34)))


def foggy_cityscapes(root: Path) -> tuple[str, np.ndarray]:
    for name in ("ulm/ulm_000001_000019", "aachen/aachen_000000_000019"):
        for beta in ("0.005", "0.01", "0.02"):
            write_pair(
                root / f"leftImg8bit_foggy/train/{name}_leftImg8bit_foggy_beta_{beta}.png",
                root / f"gtFine/train/{name}_gtFine_labelIds.png",
                ids_row(*range(34)),
            )
    return "train", ids_row(*(OFFICIAL.get(i, 255) for i in range(34)))


def acdc(root: Path) -> tuple[str, np.ndarray]:
    for condition, name in (("fog", "GOPR0475/GOPR0475_frame_000041"), ("night", "GP0/GP0_frame")):
        write_pair(
            root / f"rgb_anon/{condition}/train/{name}_rgb_anon.png",
            root / f"gt/{condition}/train/{name}_gt_labelIds.png",
            ids_row(*range(34)),
        )
        other = root / f"gt/{condition}/train/{name}_gt_labelTrainIds.png"
        Image.fromarray(np.zeros((2, 34), np.uint8)).save(other)
    return "train", ids_row(*(OFFICIAL.get(i, 255) for i in range(34)))


def dark_zurich(root: Path) -> tuple[str, np.ndarray]:
    for name in ("GOPR0356/GOPR0356_frame_000321", "GOPR0356/GOPR0356_frame_000324"):
        write_pair(
            root / f"rgb_anon/val/night/{name}_rgb_anon.png",
            root / f"gt/val/night/{name}_gt_labelTrainIds.png",
            ids_row(*range(19), 255),
        )
    return "val", ids_row(*range(19), 255)


def bdd100k(root: Path) -> tuple[str, np.ndarray]:
    for name in ("7d06fefd-f7be05a6", "0004a4c0-d4dff0ad"):
        write_pair(
            root / f"images/10k/val/{name}.jpg",
            root / f"labels/sem_seg/masks/val/{name}.png",
            ids_row(*range(19), 255),
        )
    return "val", ids_row(*range(19), 255)


def mapillary_vistas(root: Path) -> tuple[str, np.ndarray]:
    # Classes of version 1.2 whose meaning leaves no choice, by their place in its configuration.
    kept = {13: 0, 15: 1, 17: 2, 6: 3, 3: 4, 45: 5, 48: 6, 50: 7, 30: 8, 29: 9, 27: 10, 19: 11}
    kept |= {20: 12, 21: 12, 55: 13, 61: 14, 54: 15, 58: 16, 57: 17, 52: 18, 31: 255, 53: 255}
    kept |= {65: 255}
    for name in ("b_2", "a_1"):
        write_pair(
            root / f"validation/images/{name}.jpg",
            root / f"validation/v1.2/labels/{name}.png",
            ids_row(*kept),
            palette=True,
        )
    return "validation", ids_row(*kept.values())


BUILDERS: dict[str, Callable[[Path], tuple[str, np.ndarray]]] = {
    x.__name__: x
    for x in (
        acdc, bdd100k, camvid, cityscapes, dark_zurich, folder, foggy_cityscapes, gta5,
        idd_lite, mapillary_vistas, scenes, synscapes, synthia,
    )
}  # fmt: skip


def write_digits(root: Path, dataset: str, number: int = 2, seed: int = 0) -> Path:
    """A training and a test part of a digit data set in its own file format."""
    rng = np.random.default_rng(seed)
    root.mkdir(parents=True, exist_ok=True)
    labels = {split: np.arange(number) % 10 for split in ("train", "test")}
    side = {"mnist": 28, "usps": 16, "svhn": 32}[dataset]
    pictures = {
        split: rng.integers(0, 256, (number, side, side)).astype(np.uint8) for split in labels
    }
    if dataset == "mnist":
        arrays = {f"x_{k}": v for k, v in pictures.items()}
        arrays |= {f"y_{k}": v.astype(np.uint8) for k, v in labels.items()}
        np.savez_compressed(root / "mnist.npz", **arrays)
    elif dataset == "usps":
        with h5py.File(root / "usps.h5", "w") as file:
            for split, picture in pictures.items():
                file[f"{split}/data"] = (picture.reshape(number, -1) / 255).astype(np.float32)
                file[f"{split}/target"] = labels[split].astype(np.int64)
    else:
        for split, picture in pictures.items():
            colour = np.stack([picture, picture // 2, 255 - picture], axis=-1)
            # One to ten: house numbers have no zero first, MATLAB counts from one.
            ids = np.where(labels[split] == 0, 10, labels[split]).astype(np.uint8)
            content = {"X": colour.transpose(1, 2, 3, 0), "y": ids[:, None]}
            savemat(root / f"{split}_32x32.mat", content)
    return root


DIGITS = ("mnist", "svhn", "usps")

LABELS = {
    "acdc": "gt",
    "bdd100k": "labels",
    "camvid": "labels",
    "cityscapes": "gtFine",
    "dark_zurich": "gt",
    "folder": "labels",
    "foggy_cityscapes": "gtFine",
    "gta5": "labels",
    "idd_lite": "gtFine",
    "mapillary_vistas": "validation/v1.2/labels",
    "scenes": "labels",
    "synscapes": "img/class",
    "synthia": "GT",
}
"""Folder of the labels, by data set."""


def opened(
    dataset: str,
    root: Path,
    split: str,
    labelled: bool = True,
    image_list: Path | None = None,
    **settings: Any,
) -> Domain:
    """The domain of a miniature."""
    role = "source" if labelled else "target"
    config = DomainConfig(dataset=dataset, split=split, role=role, **settings)
    return open_domain(config, root, labelled, "domain mine", image_list)


def names_of_ids(class_map: ClassMap) -> dict[int, str]:
    """Class name by stored id, without those that are ignored."""
    names = class_map.classes.names
    return {stored: names[train] for stored, train in class_map.ids.items() if train != 255}
