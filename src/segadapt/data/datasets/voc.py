"""Your own boxes as Pascal VOC stores them: JPEGImages, Annotations, ImageSets, classes.yaml.

ROOT/ImageSets/Main/SPLIT.txt lists the names of the images, ROOT/Annotations has one XML file for
each. For the YAML file see :mod:`segadapt.data.datasets.coco`: its ``names`` are those that objects
have here. Objects that are difficult are neither learned from nor counted.
"""

from __future__ import annotations

from segadapt.base.counted import counted
from segadapt.base.errors import SegadaptError
from segadapt.data.boxes.content import text
from segadapt.data.class_file import read_box_class_file
from segadapt.data.domain import Sample
from segadapt.data.left_out import LeftOut
from segadapt.data.listing import find_images
from segadapt.data.paths import DataPath

DEFAULT_ROOT = "."

class_map = read_box_class_file


def samples(root: DataPath, split: str, left_out: LeftOut | None = None) -> list[Sample]:
    """Images of ``split``, in the order of its list.

    Raises:
        SegadaptError: there is no such list, it is empty, names an image twice, or one that is not
            there.
    """
    listing = root / "ImageSets" / "Main" / f"{split}.txt"
    if not listing.is_file():
        raise SegadaptError(
            f"{listing}: is missing; it lists the images of split {split!r}, one name a line"
        )
    # The lists of single classes have a second column.
    lines = [line.strip() for line in text(listing).splitlines() if line.strip()]
    images = find_images(root / "JPEGImages", left_out=left_out)
    names = [line if line in images else line.split()[0] for line in lines]
    missing = [name for name in names if name not in images]
    if missing:
        raise SegadaptError(
            f"{listing}: {counted(len(missing), 'image')} of it not in {root / 'JPEGImages'}, "
            f"first {missing[0]!r:.80}; add the images or take the lines out"
        )
    if len(set(names)) < len(names):
        twice = next(name for i, name in enumerate(names) if name in names[:i])
        raise SegadaptError(f"{listing}: names {twice!r} more than once; take one of them out")
    boxes = root / "Annotations"
    return [Sample(name, images[name], boxes / f"{name}.xml") for name in names]
