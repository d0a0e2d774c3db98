"""Which label file belongs to which image, where their names differ a little."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from segadapt.base.counted import counted
from segadapt.base.errors import SegadaptError
from segadapt.data.domain import Sample
from segadapt.data.left_out import LeftOut
from segadapt.data.paths import DataPath
from segadapt.data.walk import pictures_of

OF_LABELS = (
    *("_gtFine_labelIds", "_gtFine_labelTrainIds", "_labelIds", "_labelTrainIds", "_label_ids"),
    *("_labels", "_label", "_masks", "_mask", "_segmentation", "_seg", "_gt", "_ids", "_L"),
)
"""What the names of label files end with, where they are not those of the images."""
OF_IMAGES = ("_leftImg8bit", "_image", "_img", "_rgb")
"""What the names of images end with that those of their labels lack."""
LOSSY = (".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".jp2")
"""Suffixes of files that change what is stored in them."""


def with_labels(
    samples: Sequence[Sample], every: Iterable[str], folder: DataPath, title: str
) -> tuple[list[Sample], list[str]]:
    """The samples with the label files that are there, and what is to be told about these.

    A label that has its image's name and the reader's suffix is taken; otherwise the only one with
    another suffix, as in ``NAME.PNG``, or another ending, as in ``NAME_mask.png``.

    Args:
        samples: images with the files that their reader expects.
        every: names of all images of the split, of which ``samples`` may be a part.
        folder: what holds the labels, and nothing else.
        title: what messages call the domain.

    Raises:
        SegadaptError: several files may be an image's label, or it is stored in a way that
            changes it.
    """
    if not folder.is_dir():
        return list(samples), []
    left_out = LeftOut()
    files = {path.as_posix(): file for file, path in pictures_of(folder, left_out)}
    stems = {path: path.rpartition(".")[0] for path in files}
    by_base: dict[str, list[str]] = {}
    for path, stem in stems.items():
        for base in _bases(stem, OF_LABELS):
            by_base.setdefault(base, []).append(path)
    images = set(every)
    found = {name: _candidates(name, by_base, stems, images) for name in images}
    exact = {s.name: f"{s.name}{s.label.suffix}" for s in samples if s.label is not None}
    several = {n: f for n in exact if len(f := found[n]) > 1 and exact[n] not in f}
    if several:
        name, first = next(iter(several.items()))
        raise SegadaptError(
            f"{title}: more than one label file for {counted(len(several), 'image')}, first "
            f"{name!r}: {', '.join(first[:3])} in {folder}; keep one, or call it {exact[name]}"
        )
    paired = [
        replace(s, label=files[_chosen(found[s.name], exact[s.name])]) if found[s.name] else s
        for s in samples
    ]
    lossy = [s.label for s in paired if s.label is not None and _is_lossy(s, exact, found)]
    if lossy:
        raise SegadaptError(
            f"{title}: {counted(len(lossy), 'label')} of a form that changes the ids stored in it, "
            f"first {lossy[0]}; store them as .png, from where they were made"
        )
    told = [f"among the labels, {sentence}" for sentence in left_out.sentences(forms=".png")]
    used = {path for paths in found.values() for path in paths}
    alone = sorted(files.keys() - used)
    if alone:
        told.append(
            f"{len(alone)} label files in {folder} belong to no image, first {alone[0]}"
            if len(alone) > 1
            else f"a label file in {folder} belongs to no image: {alone[0]}"
        )
    second = [n for n in exact if len(found[n]) > 1]
    if second:
        others = ", ".join(path for path in found[second[0]] if path != exact[second[0]])
        told.append(
            f"a second label file for {counted(len(second), 'image')}, first {others} beside "
            f"{exact[second[0]]}, which is used"
        )
    return paired, told


def _candidates(
    name: str, by_base: dict[str, list[str]], stems: dict[str, str], images: set[str]
) -> list[str]:
    """Label files that may be those of an image, by the paths of their names."""
    for base in _bases(name, OF_IMAGES):
        # What has another image's own name is that one's.
        fitting = [
            path
            for path in by_base.get(base, ())
            if stems[path] in (name, base) or stems[path] not in images
        ]
        if fitting:
            return fitting
    return []


def _bases(stem: str, endings: Sequence[str]) -> list[str]:
    """A name, and what is before the longest of the endings that it has."""
    ending = max((e for e in endings if stem.endswith(e)), key=len, default="")
    shorter = stem.removesuffix(ending)
    return [stem, shorter] if ending and not shorter.endswith("/") and shorter else [stem]


def _chosen(paths: Sequence[str], exact: str) -> str:
    return exact if exact in paths else paths[0]


def _is_lossy(sample: Sample, exact: dict[str, str], found: dict[str, list[str]]) -> bool:
    paths = found[sample.name]
    return bool(paths) and _chosen(paths, exact[sample.name]).lower().endswith(LOSSY)
