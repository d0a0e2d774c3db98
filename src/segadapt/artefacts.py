"""Artefacts: typed handles on the files that stages leave for each other."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from segadapt.base.errors import SegadaptError

# Kinds of what stages leave; ``indexed_labels`` are labels that say how hard each pixel is.
Kind = Literal[
    "checkpoint",
    "snapshots",
    "selection",
    "images",
    "labels",
    "indexed_labels",
    "translator",
    "translation",
    "folder",
    "class_prior",
    "class_counts",
]

CHECKPOINT_FILE = "checkpoint.safetensors"
TRANSLATOR_FILE = "translator.safetensors"
SPLIT_FILE = "split.json"
LABELS_FILE = "labels.json"
BOXES_FILE = "boxes.json"
IMAGES_FILE = "images.json"
PIXEL_SPLIT_FILE = "pixel_split.json"
SCENES_FOLDER = "scenes"
SNAPSHOTS_FOLDER = "snapshots"
TEACHER_SNAPSHOTS_FOLDER = "teacher_snapshots"
SELECTION_FILE = "selection.json"
PRIOR_FILE = "class_prior.json"
COUNTS_FILE = "class_counts.json"
TEACHER_FILE = "teacher.safetensors"

FILES: dict[Kind, str] = {
    "checkpoint": CHECKPOINT_FILE,
    "snapshots": SNAPSHOTS_FOLDER,
    "selection": SELECTION_FILE,
    "images": SPLIT_FILE,
    "labels": LABELS_FILE,
    "indexed_labels": LABELS_FILE,
    "translator": TRANSLATOR_FILE,
    "translation": IMAGES_FILE,
    "folder": SCENES_FOLDER,
    "class_prior": PRIOR_FILE,
    "class_counts": COUNTS_FILE,
}
"""Where an artefact of each kind lies in its stage's folder; ``Work.directory`` for a stage."""


@dataclass(frozen=True)
class RankedImage:
    """One image of a ranking; see :mod:`segadapt.split.entropy_ranking` for the numbers."""

    name: str
    score: float
    mean_entropy: float
    predicted_classes: int
    rare_classes: int
    split: Literal["easy", "hard"]


@dataclass(frozen=True)
class Split:
    """The easy and the hard images of a domain, ordered by ascending score."""

    domain: str
    """What was ranked: a domain of the recipe, or a part of one."""
    ratio: float
    normalisation: str
    images: tuple[RankedImage, ...]

    def names(self, part: str) -> list[str]:
        """Image names of ``easy`` or ``hard``."""
        return [image.name for image in self.images if image.split == part]

    def save(self, stage_directory: Path) -> None:
        """Write the artefact into its stage's folder."""
        # Not copied, as asdict would: there may be a million of them.
        images = [vars(image) for image in self.images]
        write_json(stage_directory / SPLIT_FILE, {**vars(self), "images": images})

    @classmethod
    def load(cls, stage_directory: Path) -> Split:
        """Read the artefact of a finished stage."""
        values = read_json(stage_directory / SPLIT_FILE)
        images = tuple(RankedImage(**image) for image in values.pop("images"))
        return cls(images=images, **values)


@dataclass(frozen=True)
class LabelSet:
    """Label files, in train ids, for the images of a domain or of a part of it.

    Where the classes are of boxes, these are in one file in COCO's form, ``boxes.json``.
    """

    images: str
    """The labelled images: a domain of the recipe, or a part of one such as ``rank.easy``."""
    names: tuple[str, ...]
    indexed: bool = False
    """Beside each label file lies a picture of how hard each pixel is."""

    def save(self, stage_directory: Path) -> None:
        """Write the artefact into its stage's folder."""
        write_json(stage_directory / LABELS_FILE, vars(self))

    @classmethod
    def load(cls, stage_directory: Path) -> LabelSet:
        """Read the artefact of a finished stage."""
        values = read_json(stage_directory / LABELS_FILE)
        return cls(values["images"], tuple(values["names"]), values["indexed"])

    @staticmethod
    def path(stage_directory: Path, name: str) -> Path:
        """The label file of image ``name``."""
        return stage_directory / "labels" / f"{name}.png"

    @staticmethod
    def index_path(stage_directory: Path, name: str) -> Path:
        """The picture of how hard the pixels of image ``name`` are: 255 Z (PixIntraDA, Eq. 7)."""
        return stage_directory / "domain_index" / f"{name}.png"


@dataclass(frozen=True)
class ImageSet:
    """Images in place of those of a source domain, whose labels are theirs too."""

    domain: str
    """The source domain of the recipe."""
    files: dict[str, str]
    """Image file by name; relative paths are below the stage's folder."""

    def save(self, stage_directory: Path) -> None:
        """Write the artefact into its stage's folder."""
        inside = {
            name: str(Path(path).relative_to(stage_directory))
            if Path(path).is_relative_to(stage_directory)
            else path
            for name, path in self.files.items()
        }
        write_json(stage_directory / IMAGES_FILE, {"domain": self.domain, "files": inside})

    @classmethod
    def load(cls, stage_directory: Path) -> ImageSet:
        """Read the artefact of a finished stage."""
        values = read_json(stage_directory / IMAGES_FILE)
        files = {name: str(stage_directory / path) for name, path in values["files"].items()}
        return cls(values["domain"], files)


@dataclass(frozen=True)
class PixelSplit:
    """How a ``pixel_split`` stage told easy from hard pixels."""

    rule: str
    alpha: float | None
    """Scale of the thresholds, where the rule has one."""
    thresholds: tuple[float, ...]
    """Of every class; those after the last image where they move from image to image."""
    easy_share: float
    """Share of easy pixels over all images (PixIntraDA, Eq. 4)."""
    easy_pixels: tuple[int, ...]
    """Pixels by pseudo-label."""
    predicted_pixels: tuple[int, ...]
    """Pixels by most probable class."""
    images: dict[str, float]
    """Share of easy pixels by image name."""

    def save(self, stage_directory: Path) -> None:
        """Write the artefact into its stage's folder."""
        write_json(stage_directory / PIXEL_SPLIT_FILE, vars(self))

    @classmethod
    def load(cls, stage_directory: Path) -> PixelSplit:
        """Read the artefact of a finished stage."""
        values = read_json(stage_directory / PIXEL_SPLIT_FILE)
        for key in ("thresholds", "easy_pixels", "predicted_pixels"):
            values[key] = tuple(values[key])
        return cls(**values)


@dataclass(frozen=True)
class ClassCounts:
    """Labelled pixels of every image by class, at the labels' own resolution."""

    domain: str
    classes: tuple[str, ...]
    names: tuple[str, ...]
    """Of the images."""
    pixels: tuple[tuple[int, ...], ...]
    """Of each image, by class."""

    def save(self, stage_directory: Path) -> None:
        """Write the artefact into its stage's folder."""
        write_json(stage_directory / COUNTS_FILE, vars(self))

    @classmethod
    def load(cls, stage_directory: Path) -> ClassCounts:
        """Read the artefact of a finished stage."""
        values = read_json(stage_directory / COUNTS_FILE)
        pixels = tuple(tuple(row) for row in values["pixels"])
        return cls(values["domain"], tuple(values["classes"]), tuple(values["names"]), pixels)


@dataclass(frozen=True)
class ClassPrior:
    """How often each class occurs in the labels of a source domain (ADVENT, Sec. 3.3)."""

    domain: str
    classes: tuple[str, ...]
    pixels: tuple[int, ...]
    """Labelled pixels of each class over all images, at the labels' own resolution."""

    @property
    def shares(self) -> tuple[float, ...]:
        """The prior p_s: shares of the labelled pixels, summing to one."""
        total = sum(self.pixels)
        return tuple(number / total for number in self.pixels)

    def save(self, stage_directory: Path) -> None:
        """Write the artefact into its stage's folder."""
        write_json(stage_directory / PRIOR_FILE, asdict(self))

    @classmethod
    def load(cls, stage_directory: Path) -> ClassPrior:
        """Read the artefact of a finished stage."""
        values = read_json(stage_directory / PRIOR_FILE)
        return cls(values["domain"], tuple(values["classes"]), tuple(values["pixels"]))


@dataclass(frozen=True)
class Snapshot:
    """A state of a training stage, and what was found about it without target labels."""

    iteration: int
    scores: dict[str, float]
    """By score; more is better."""


@dataclass(frozen=True)
class Selection:
    """The snapshots of a training stage and the one that a label-free score chose."""

    trained: str
    """The training stage."""
    score: str
    chosen: int
    """Iteration of the chosen snapshot."""
    snapshots: tuple[Snapshot, ...]
    output: str = "snapshots"
    """Which of the stage's: of the network that was trained, or of its averaged teacher."""

    def save(self, stage_directory: Path) -> None:
        """Write the artefact into its stage's folder."""
        write_json(stage_directory / SELECTION_FILE, asdict(self))

    @classmethod
    def load(cls, stage_directory: Path) -> Selection:
        """Read the artefact of a finished stage."""
        values = read_json(stage_directory / SELECTION_FILE)
        snapshots = tuple(Snapshot(**snapshot) for snapshot in values.pop("snapshots"))
        return cls(snapshots=snapshots, **values)


def snapshot_file(stage_directory: Path, iteration: int, output: str = SNAPSHOTS_FOLDER) -> Path:
    """The checkpoint file of a training stage's snapshot; outputs are called as their folders."""
    return stage_directory / output / f"{iteration:07d}.safetensors"


def snapshot_files(stage_directory: Path, output: str = SNAPSHOTS_FOLDER) -> dict[int, Path]:
    """All snapshots of a finished training by their iterations, in their order."""
    found = sorted((stage_directory / output).glob("*.safetensors"))
    return {int(path.stem): path for path in found}


def strict_json(value: object, indent: int | None = None) -> str:
    """JSON without NaN and infinities, which are no JSON: null in their place."""
    return json.dumps(_finite(value), indent=indent, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(x) for key, x in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(x) for x in value]
    return value


def write_json(path: Path, value: object) -> None:
    """Write JSON that is either whole or absent, and that every reader takes: NaN becomes null."""
    partial = path.with_name(path.name + ".partial")
    # Piece by piece: in one text, what a million images have takes gigabytes.
    encoder = json.JSONEncoder(indent=1, allow_nan=False)
    with partial.open("w") as file:
        try:
            file.writelines(encoder.iterencode(value))
        except ValueError:
            file.seek(0)
            file.truncate()
            file.writelines(encoder.iterencode(_finite(value)))
        file.write("\n")
    partial.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        SegadaptError: the file is missing or damaged.
    """
    try:
        value = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise SegadaptError(f"{path}: cannot be read ({error}); redo its stage") from error
    if not isinstance(value, dict):
        raise SegadaptError(f"{path}: holds no JSON object; redo its stage")
    return value
