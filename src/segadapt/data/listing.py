"""Finding datasets by name and image files in folders."""

from __future__ import annotations

import importlib
import os
import pkgutil
from collections import Counter
from pathlib import Path
from types import ModuleType

from segadapt.base.errors import SegadaptError
from segadapt.config import DomainConfig
from segadapt.data.class_map import ClassMap
from segadapt.data.domain import Domain
from segadapt.data.lists import listed
from segadapt.data.paths import DataPath, FilePath, compressed_archives, open_root

IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".jfif", ".bmp", ".webp", ".tif", ".tiff"} | {
    ".ppm",
    ".pgm",
    ".pnm",
    ".jp2",
}


def dataset_names() -> list[str]:
    """Names of all dataset readers."""
    import segadapt.data.datasets as package

    return sorted(x.name for x in pkgutil.iter_modules(package.__path__))


def dataset_reader(name: str) -> ModuleType:
    """The reader of a dataset.

    Raises:
        SegadaptError: there is none of that name.
    """
    if name not in dataset_names():
        raise SegadaptError(
            f"dataset {name!r} is unknown; there are {', '.join(dataset_names())} "
            "(use 'folder' for data of your own)"
        )
    return importlib.import_module(f"segadapt.data.datasets.{name}")


def open_domain(
    config: DomainConfig, root: Path, labelled: bool, title: str, image_list: Path | None = None
) -> Domain:
    """List a domain's images; with ``labelled`` also make sure that every label file is there.

    Args:
        config: dataset, split, class map and size.
        root: the dataset's folder.
        labelled: whether labels will be read. Without it no label file is looked for.
        title: what messages call the domain.
        image_list: file of the images to use, see :mod:`segadapt.data.lists`; all where not given.

    Raises:
        SegadaptError: unknown dataset or class map, missing folder, no images, missing labels.
    """
    domain = list_domain(config, root, title, image_list, labelled)
    if not labelled:
        return domain.unlabelled()
    missing = without_label(domain)
    if missing:
        raise SegadaptError(
            f"{title}: {len(missing)} of {len(domain)} images have no label file, first "
            f"{missing[0]}; add the labels or remove the images"
        )
    return domain


def list_domain(
    config: DomainConfig,
    root: Path,
    title: str,
    image_list: Path | None = None,
    labelled: bool = False,
) -> Domain:
    """A domain with the places of its labels, none of them opened.

    Only with ``labelled`` is the folder of the labels looked into, for readers whose label files
    have names of many kinds.

    Raises:
        SegadaptError: unknown dataset or class map, missing folder, no images.
    """
    reader = dataset_reader(config.dataset)
    place = open_root(root)
    if not place.is_dir():
        raise SegadaptError(
            f"{title}: the folder {root} of dataset {config.dataset} does not exist; put the data "
            "there, or name another folder with --data-root or the domain's root"
        )
    try:
        samples = reader.samples(place, config.split)
    except SegadaptError as error:
        packed = compressed_archives(root) if root.is_dir() else []
        if not packed:
            raise
        raise SegadaptError(
            f"{error} {', '.join(packed[:3])} cannot be read from the middle: unpack what is in "
            "there, or pack it as .zip"
        ) from error
    if not samples:
        raise SegadaptError(f"{title}: no images of split {config.split!r} below {root}")
    if image_list is not None:
        samples = listed(samples, image_list, title)
    if config.limit is not None:
        samples = samples[: config.limit]
    if labelled and hasattr(reader, "with_labels"):
        samples = reader.with_labels(place, config.split, samples)
    class_map = find_class_map(config, reader, place)
    return Domain(title, tuple(samples), class_map, config.size, labelled=True, bands=config.bands)


def without_label(domain: Domain) -> list[FilePath]:
    """Label files of the domain that do not exist."""
    return [s.label for s in domain.samples if s.label is not None and not s.label.is_file()]


def find_class_map(config: DomainConfig, reader: ModuleType, root: DataPath) -> ClassMap:
    """The class map that a domain asks for, or its dataset's own.

    Raises:
        SegadaptError: the dataset has none of that name.
    """
    if hasattr(reader, "class_map"):
        found: ClassMap = reader.class_map(root)
        return found
    maps: dict[str, ClassMap] = reader.CLASS_MAPS
    name = config.classes or next(iter(maps))
    if name not in maps:
        raise SegadaptError(
            f"dataset {config.dataset}: has no class map {name!r}; there are {', '.join(maps)}"
        )
    return maps[name]


def find_images(folder: DataPath, ending: str = "") -> dict[str, DataPath]:
    """Image files below ``folder`` by name, sorted by name.

    A name is the path from ``folder`` with forward slashes, without suffix and ``ending``; files
    whose name does not end so are left out. Linked folders count; hidden ones, and those that
    notebooks, macOS and storage servers make for themselves, do not.

    Raises:
        SegadaptError: the folder does not exist, or two images share a name.
    """
    if not folder.is_dir():
        raise SegadaptError(f"{folder}: there is no such folder; is the split's name right?")
    if not isinstance(folder, Path) and folder.unpacked.is_dir():
        folder = folder.unpacked
    found: dict[str, DataPath] = {}
    for path in image_files(folder):
        if not path.stem.endswith(ending):
            continue
        relative = path.relative_to(folder)  # type: ignore[arg-type]
        name = relative.with_suffix("").as_posix().removesuffix(ending)
        if name in found:
            raise SegadaptError(
                f"{path}: and {found[name].name} have the same name {name!r}; rename one of them"
            )
        found[name] = path
    return dict(sorted(found.items()))


def image_files(folder: DataPath) -> list[DataPath]:
    """All files below a folder that are pictures by their suffix, sorted by path."""
    paths = _files_below(folder) if isinstance(folder, Path) else folder.files()
    return [path for path in paths if path.suffix.lower() in IMAGE_SUFFIXES]


def left_out(folder: DataPath) -> Counter[str]:
    """Files below a folder that :func:`find_images` passes over, by their suffix, with a count.

    Hidden files and folders count as ``hidden``. Archives and folders that are not there have none.
    """
    found: Counter[str] = Counter()
    if not isinstance(folder, Path) or not folder.is_dir():
        return found
    seen = set(_files_below(folder))
    for name, _, files in os.walk(folder):
        for file in files:
            path = Path(name, file)
            if path not in seen:
                found["hidden"] += 1
            elif path.suffix.lower() not in IMAGE_SUFFIXES:
                found[path.suffix.lower() or "no suffix"] += 1
    return found


def _files_below(folder: Path) -> list[Path]:
    """All files below a folder, at any depth, sorted by path."""
    found: list[Path] = []
    behind = {folder: folder.resolve()}
    for name, folders, files in os.walk(folder, followlinks=True):
        place = Path(name)
        real = behind.setdefault(place, place.resolve())
        if any(behind.get(above) == real for above in place.parents):
            folders.clear()  # a link to a folder that holds it would lead round and round
            continue
        folders[:] = [x for x in folders if not x.startswith(HIDDEN)]
        found += [place / x for x in files if not x.startswith(".")]
    return sorted(found)


HIDDEN = (".", "@", "__MACOSX")
"""How folders begin that hold copies and previews: .ipynb_checkpoints, @eaDir."""
