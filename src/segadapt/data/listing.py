"""Finding datasets by name and image files in folders."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from segadapt.base.errors import SegadaptError
from segadapt.config import DomainConfig
from segadapt.data.boxes.survey import survey
from segadapt.data.class_map import ClassMap
from segadapt.data.domain import Domain, Sample
from segadapt.data.labels import with_labels
from segadapt.data.left_out import LeftOut
from segadapt.data.lists import listed
from segadapt.data.paths import DataPath, FilePath, compressed_archives, open_root
from segadapt.data.walk import pictures_of


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
    missing = without_label(domain)
    if missing and domain.classes.boxes:
        raise SegadaptError(
            f"{title}: {len(missing)} of {len(domain)} images have no annotations of boxes, first "
            f"{missing[0]}; add them, also where there is nothing to see, or remove the images"
        )
    if missing:
        # Labels that belong to no image are the likeliest to be those that are missing.
        odd = "".join(f"; {x.removeprefix(f'{title}: ')}" for x in domain.warnings[-2:])
        raise SegadaptError(
            f"{title}: {len(missing)} of {len(domain)} images have no label file, first "
            f"{missing[0]}; add the labels or remove the images{odd}"
        )
    if domain.classes.boxes and domain.labelled:
        pairs = [(s.image, s.label) for s in domain.samples if s.label is not None]
        told = tuple(f"{title}: {sentence}" for sentence in survey(pairs, domain.class_map))
        return replace(domain, warnings=domain.warnings + told)
    return domain


def list_domain(
    config: DomainConfig,
    root: Path,
    title: str,
    image_list: Path | None = None,
    labelled: bool = True,
) -> Domain:
    """A domain with the places of its labels, which may be missing; without ``labelled`` with none.

    Raises:
        SegadaptError: unknown dataset or class map, missing folder, no images, labels that are not
            to be told apart.
    """
    reader = dataset_reader(config.dataset)
    place = open_root(root)
    if not place.is_dir():
        raise SegadaptError(
            f"{title}: the folder {root} of dataset {config.dataset} does not exist; put the data "
            "there, or name another folder with --data-root or the domain's root"
        )
    left_out = LeftOut()
    try:
        samples = reader.samples(place, config.split, left_out)
    except SegadaptError as error:
        packed = compressed_archives(root) if root.is_dir() else []
        if not packed:
            raise
        raise SegadaptError(
            f"{error} {', '.join(packed[:3])} cannot be read from the middle: unpack what is in "
            "there, or pack it as .zip"
        ) from error
    told = left_out.sentences()
    if labelled and hasattr(reader, "found_labels"):
        samples, more = reader.found_labels(place, config.split, samples)
        told += more
    if not samples:
        raise SegadaptError(
            f"{title}: no images of split {config.split!r} below {root}"
            + (f"; {'; '.join(told[:3])}" if told else "")
        )
    every = samples
    if image_list is not None:
        samples = listed(samples, image_list, title)
    if config.limit is not None:
        samples = samples[: config.limit]
    if labelled and hasattr(reader, "label_folder"):
        # Of published data the names are known: their folder is listed where a label is not there.
        own_data = hasattr(reader, "class_map")
        if own_data or _without_label(samples):
            names = [sample.name for sample in every]
            folder = reader.label_folder(place, config.split)
            samples, more = with_labels(samples, names, folder, title)
            told += more
    class_map = find_class_map(config, reader, place)
    domain = Domain(
        title, tuple(samples), class_map, config.size, labelled=True, bands=config.bands
    )
    domain = replace(domain, warnings=tuple(f"{title}: {sentence}" for sentence in told))
    return domain if labelled else domain.unlabelled()


def without_label(domain: Domain) -> list[FilePath]:
    """Label files of the domain that do not exist."""
    return _without_label(domain.samples)


def _without_label(samples: Sequence[Sample]) -> list[FilePath]:
    return [s.label for s in samples if s.label is not None and not s.label.is_file()]


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


def find_images(
    folder: DataPath, ending: str = "", left_out: LeftOut | None = None
) -> dict[str, DataPath]:
    """Image files below ``folder`` by name, sorted by name.

    A name is the path from ``folder`` with forward slashes, without suffix and ``ending``; images
    whose name does not end so are others. Linked folders count; hidden ones, and those that
    notebooks, macOS and storage servers make for themselves, do not.

    Args:
        folder: a folder, on disk or in an archive.
        ending: what all of the names end with.
        left_out: is told of the files that are not taken.

    Raises:
        SegadaptError: the folder does not exist or cannot be listed, or two images share a name.
    """
    if not folder.is_dir():
        raise SegadaptError(f"{folder}: there is no such folder; is the split's name right?")
    left_out = LeftOut() if left_out is None else left_out
    found: dict[str, DataPath] = {}
    for path, relative in pictures_of(folder, left_out):
        if not path.stem.endswith(ending):
            continue
        name = relative.as_posix().removesuffix(relative.suffix).removesuffix(ending)
        if name in found:
            raise SegadaptError(
                f"{path}: and {found[name].name} have the same name {name!r}; rename one of them"
            )
        found[name] = path
    return dict(sorted(found.items()))
