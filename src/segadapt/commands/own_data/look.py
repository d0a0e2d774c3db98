"""What two folders of images hold: their splits, and which of them have labels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from segadapt.base.counted import counted
from segadapt.base.errors import SegadaptError
from segadapt.data.listing import find_images

EVERYTHING = "."
"""The split of a folder whose images lie in ``images`` itself."""
TRAINING = ("train", "training", EVERYTHING)
"""Names that a split for training is likely to have, the likeliest first."""
SCORED = ("val", "valid", "validation", "test", "testing")
"""The same of one to be scored on."""


@dataclass(frozen=True)
class Split:
    """Images of one split of a folder."""

    root: Path
    name: str
    images: int
    labels: int
    """How many of the images have a label file."""
    size: tuple[int, int]
    """(height, width) of the first image."""

    @property
    def labelled(self) -> bool:
        """Whether all images have labels."""
        return self.labels == self.images


def splits_of(root: Path) -> list[Split]:
    """The splits of a folder laid out as ROOT/images/SPLIT and ROOT/labels/SPLIT.

    Raises:
        SegadaptError: the folder is not there, has boxes, or has no images where they belong.
    """
    images = root / "images"
    if _has_boxes(root):
        raise SegadaptError(
            f"{root}: holds boxes, and the recipe written here is for classes of pixels; begin "
            "with `segadapt copy highway-foggy FILE` and give its domains your dataset (coco, voc "
            "or yolo) and root, as in docs/detection.md"
        )
    if not images.is_dir():
        layout = f"{root}/images/train/*.jpg, and labels, if there are any, in {root}/labels/train"
        known = "is laid out otherwise" if root.is_dir() else "is not there"
        raise SegadaptError(f"{root}: {known}; put the images in {layout}")
    inside = [x.name for x in sorted(images.iterdir()) if x.is_dir()]
    flat = any(x.is_file() for x in images.iterdir())
    found = [_split(root, name) for name in ([EVERYTHING] if flat or not inside else inside)]
    splits = [split for split in found if split is not None]
    if not splits:
        raise SegadaptError(f"{images}: holds no images; put some in {images}/train")
    return splits


def _has_boxes(root: Path) -> bool:
    """Whether a folder is laid out as COCO, Pascal VOC or YOLO are."""
    layouts = ("annotations/*.json", "Annotations/*.xml", "labels/*.txt", "labels/*/*.txt")
    return any(next(root.glob(layout), None) is not None for layout in layouts)


def _split(root: Path, name: str) -> Split | None:
    from segadapt.data.datasets import folder
    from segadapt.data.labels import with_labels
    from segadapt.data.transforms import image_size

    if not find_images(root / "images" / name):
        return None
    samples = folder.samples(root, name)
    place = folder.label_folder(root, name)
    paired, _ = with_labels(samples, [s.name for s in samples], place, str(root))
    labels = sum(1 for s in paired if s.label is not None and s.label.is_file())
    return Split(root, name, len(samples), labels, image_size(samples[0].image))


def source_split(splits: list[Split]) -> Split:
    """The split to train on: one with labels.

    Raises:
        SegadaptError: none has labels.
    """
    labelled = [split for split in splits if split.labels]
    if not labelled:
        root = splits[0].root
        raise SegadaptError(
            f"{root}: none of its images has a label; the source needs them, in "
            f"{root}/labels/SPLIT under the images' names"
        )
    return _first(labelled, TRAINING)


def target_splits(splits: list[Split]) -> tuple[Split, Split | None]:
    """The split to adapt to, and a labelled one to be scored on, if there is one beside it."""
    fully = [split for split in splits if split.labelled]
    scored = _first(fully, SCORED) if fully else None
    others = [split for split in splits if split is not scored]
    if not others:  # one split alone: what is adapted to cannot be what is scored
        return splits[0], None
    return _first(others, TRAINING), scored


def _first(splits: list[Split], names: tuple[str, ...]) -> Split:
    by_name = {split.name: split for split in splits}
    return next((by_name[name] for name in names if name in by_name), splits[0])


def told(split: Split) -> str:
    """What is there, in a line."""
    height, width = split.size
    labels = "with labels" if split.labelled else "without labels"
    if 0 < split.labels < split.images:
        labels = f"of which {split.labels} have labels"
    place = split.root / "images" / split.name
    return f"{place}: {counted(split.images, 'image')} {labels}, the first {height}x{width}"
