"""Your own images: ROOT/images/SPLIT, ROOT/labels/SPLIT, and ROOT/classes.yaml.

The YAML file lists the classes in the order of their train ids::

    classes:
      - {name: road, colour: [128, 64, 128], ids: [0, 7]}
      - {name: car,  colour: [0, 0, 142],    ids: [13], rare: true}
    ignore: [255]

``ids`` are the values stored in the label files, none (``[]``) for a class that they lack. Label
files that hold the classes' colours are read too, see :mod:`segadapt.data.label_files`. A domain
without labels needs the file too, so that its pictures have colours; the class lists of source and
target must agree.
"""

from __future__ import annotations

from dataclasses import replace

from segadapt.base.errors import SegadaptError
from segadapt.data.class_file import read_class_file
from segadapt.data.domain import Sample
from segadapt.data.listing import find_images, image_files
from segadapt.data.paths import DataPath

DEFAULT_ROOT = "."

class_map = read_class_file


ENDINGS = (
    "",
    "_mask",
    "_masks",
    "_label",
    "_labels",
    "_labelIds",
    "_labelTrainIds",
    "_gtFine_labelIds",
    "_gtFine_color",
    "_color",
    "_colour",
    "_gt",
    "_seg",
    "_annotation",
)
"""What a label's name may have that its image's has not."""
OF_IMAGES = ("", "_leftImg8bit", "_image", "_img", "_rgb")
"""What an image's name may have that its label's has not."""
LOSSY = (".jpg", ".jpeg", ".jfif")


def samples(root: DataPath, split: str) -> list[Sample]:
    """Images of ``split``, also in folders below it; labels have the same name and end in .png."""
    images = find_images(image_folder(root, split))
    labels = root / "labels" / split
    return [Sample(name, path, labels / f"{name}.png") for name, path in images.items()]


def image_folder(root: DataPath, split: str) -> DataPath:
    """Where the images of a split lie."""
    return root / "images" / split


def with_labels(root: DataPath, split: str, samples: list[Sample]) -> list[Sample]:
    """The samples with the label files that are there, whatever their suffix and ending.

    Raises:
        SegadaptError: two files may be the label of one image, or it is a JPEG.
    """
    folder = root / "labels" / split
    if all(s.label is not None and s.label.is_file() for s in samples) or not folder.is_dir():
        return samples
    found: dict[str, list[DataPath]] = {}
    for path in image_files(folder):
        name = path.relative_to(folder).with_suffix("").as_posix()  # type: ignore[arg-type]
        found.setdefault(name, []).append(path)
    return [_with_label(sample, found) for sample in samples]


def _with_label(sample: Sample, found: dict[str, list[DataPath]]) -> Sample:
    stems = {sample.name.removesuffix(ending) for ending in OF_IMAGES}
    names = dict.fromkeys(f"{stem}{ending}" for stem in sorted(stems) for ending in ENDINGS)
    fitting = [path for name in names for path in found.get(name, [])]
    if len(fitting) > 1:
        raise SegadaptError(
            f"{sample.image}: {fitting[0].name} and {fitting[1].name} may both be its label; "
            "remove one of them, or keep it in another folder"
        )
    if fitting and fitting[0].suffix.lower() in LOSSY:
        raise SegadaptError(
            f"{fitting[0]}: is a JPEG, whose compression changes class ids and colours; save "
            "labels as PNG, from what the JPEG was made of"
        )
    return replace(sample, label=fitting[0]) if fitting else sample
