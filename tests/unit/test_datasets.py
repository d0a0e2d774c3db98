"""Dataset readers on miniatures of the true layouts, written in the true formats."""

from __future__ import annotations

import builtins
import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from segadapt.config import DomainConfig
from segadapt.data.check import check_domain
from segadapt.data.domain import Domain
from segadapt.data.listing import dataset_names, open_domain
from segadapt.data.loader import inference_batches, training_batches
from segadapt.errors import SegadaptError

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


BUILDERS: dict[str, Callable[[Path], tuple[str, np.ndarray]]] = {
    x.__name__: x for x in (gta5, cityscapes, camvid, idd_lite, scenes, folder)
}
EVERY = pytest.mark.parametrize("dataset", sorted(BUILDERS))


def opened(dataset: str, root: Path, split: str, labelled: bool = True, **settings: Any) -> Domain:
    role = "source" if labelled else "target"
    config = DomainConfig(dataset=dataset, split=split, role=role, **settings)
    return open_domain(config, root, labelled, "domain mine")


def label_folder(root: Path) -> Path:
    return root / ("labels" if (root / "labels").is_dir() else "gtFine")


def test_every_reader_has_a_miniature() -> None:
    assert set(BUILDERS) == set(dataset_names())


@EVERY
def test_images_and_labels_are_read_and_ordered_by_name(dataset: str, tmp_path: Path) -> None:
    split, wanted = BUILDERS[dataset](tmp_path)
    domain = opened(dataset, tmp_path, split)
    assert len(domain) == 2
    names = [sample.name for sample in domain.samples]
    assert names == sorted(names) and len(set(names)) == 2
    for i, sample in enumerate(domain.samples):
        assert np.array_equal(domain.image(i), np.asarray(Image.open(sample.image).convert("RGB")))
        assert np.array_equal(domain.label(i), wanted)
        assert domain.label(i).dtype == np.uint8


@EVERY
def test_size_resizes_images_but_not_stored_labels(dataset: str, tmp_path: Path) -> None:
    split, wanted = BUILDERS[dataset](tmp_path)
    domain = opened(dataset, tmp_path, split, size=(8, 20))
    assert domain.image(0).shape == (8, 20, 3)
    assert domain.label(0).shape == wanted.shape


@EVERY
def test_check_finds_nothing_wrong_but_absent_classes(dataset: str, tmp_path: Path) -> None:
    split, wanted = BUILDERS[dataset](tmp_path)
    found = check_domain(opened(dataset, tmp_path, split))
    assert found.problems == []
    assert found.sizes == {wanted.shape: 2}
    assert sum(found.class_shares.values()) == pytest.approx(1)
    assert found.ignored_share == pytest.approx((wanted == 255).mean())


@EVERY
def test_unlabelled_domain_works_without_the_labels_folder(dataset: str, tmp_path: Path) -> None:
    split, _ = BUILDERS[dataset](tmp_path)
    shutil.rmtree(label_folder(tmp_path))
    domain = opened(dataset, tmp_path, split, labelled=False)
    assert domain.image(1).ndim == 3
    assert all(sample.label is None for sample in domain.samples)
    with pytest.raises(SegadaptError, match=r"never opened"):
        domain.label(0)
    with pytest.raises(SegadaptError, match=r"2 of 2 images have no label file.*\.png"):
        opened(dataset, tmp_path, split)


@EVERY
def test_labels_of_an_unlabelled_domain_are_closed_even_where_they_are_there(
    dataset: str, tmp_path: Path
) -> None:
    split, _ = BUILDERS[dataset](tmp_path)
    domain = opened(dataset, tmp_path, split, labelled=False)
    with pytest.raises(SegadaptError, match=r"never opened"):
        domain.label(0)
    closed = opened(dataset, tmp_path, split).unlabelled()
    with pytest.raises(SegadaptError, match=r"never opened"):
        closed.label(0)


class Touched(BaseException):
    """No handler of ours takes this one."""


@EVERY
def test_label_files_of_an_unlabelled_domain_are_not_even_looked_for(
    dataset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    split, _ = BUILDERS[dataset](tmp_path)
    labels = str(label_folder(tmp_path))

    def alarmed(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Any, *arguments: Any, **settings: Any) -> Any:
            if isinstance(path, (str, Path)) and str(path).startswith(labels):
                raise Touched(path)
            return function(path, *arguments, **settings)

        return call

    for module, name in (
        (os, "stat"), (os, "lstat"), (os, "scandir"), (os, "listdir"), (os, "open"),
        (os.path, "exists"), (os.path, "isfile"), (io, "open"), (builtins, "open"),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, alarmed(getattr(module, name)))
    domain = opened(dataset, tmp_path, split, labelled=False)
    assert len(list(training_batches(domain, 1, 0, (0, 2), (0, 1), True, 0))) == 2
    assert sum(len(b.indices) for b in inference_batches(domain, 2, (0, 1), 0)) == 2
    assert check_domain(domain, threads=1).problems == []
    with pytest.raises(Touched):  # the alarm works
        opened(dataset, tmp_path, split)


@EVERY
def test_limit_takes_the_first(dataset: str, tmp_path: Path) -> None:
    split, _ = BUILDERS[dataset](tmp_path)
    both = opened(dataset, tmp_path, split)
    assert opened(dataset, tmp_path, split, limit=1).samples == both.samples[:1]


@EVERY
def test_missing_folder_and_unknown_split_are_named(dataset: str, tmp_path: Path) -> None:
    split, _ = BUILDERS[dataset](tmp_path / "data")
    with pytest.raises(SegadaptError, match=r"domain mine: the folder .*gone.* does not exist"):
        opened(dataset, tmp_path / "gone", split)
    with pytest.raises(SegadaptError, match=r"nosuch"):
        opened(dataset, tmp_path / "data", "nosuch")


@EVERY
def test_one_missing_label_is_named(dataset: str, tmp_path: Path) -> None:
    split, _ = BUILDERS[dataset](tmp_path)
    lost = opened(dataset, tmp_path, split).samples[1].label
    assert lost is not None
    lost.unlink()
    with pytest.raises(SegadaptError, match=r"1 of 2 images have no label file") as caught:
        opened(dataset, tmp_path, split)
    assert str(lost) in str(caught.value)


@EVERY
def test_id_outside_the_map_is_named(dataset: str, tmp_path: Path) -> None:
    split, _ = BUILDERS[dataset](tmp_path)
    domain = opened(dataset, tmp_path, split)
    path = domain.samples[0].label
    assert path is not None
    Image.fromarray(np.array([[0, 77], [0, 0]], np.uint8)).save(path)
    with pytest.raises(SegadaptError, match=r"label id 77 is not in the class map") as caught:
        domain.label(0)
    assert str(path) in str(caught.value)


def test_sixteen_bit_id_is_not_taken_modulo_256(tmp_path: Path) -> None:
    split, _ = camvid(tmp_path)
    domain = opened("camvid", tmp_path, split)
    Image.fromarray(np.full((2, 12), 257, np.uint16)).save(domain.samples[0].label)
    with pytest.raises(SegadaptError, match=r"label id 257"):
        domain.label(0)


def test_rgb_label_says_to_convert(tmp_path: Path) -> None:
    split, _ = camvid(tmp_path)
    domain = opened("camvid", tmp_path, split)
    Image.fromarray(np.zeros((2, 12, 3), np.uint8)).save(domain.samples[0].label)
    with pytest.raises(SegadaptError, match=r"one channel.*mode RGB.*convert colours"):
        domain.label(0)


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "webp"])
def test_image_cut_off_or_damaged_anywhere_is_read_or_refused_in_a_sentence(
    suffix: str, tmp_path: Path
) -> None:
    images = tmp_path / "images/day"
    images.mkdir(parents=True)
    (tmp_path / "classes.yaml").write_text(CLASSES_YAML)
    path = images / f"a.{suffix}"
    Image.fromarray(RNG.integers(0, 256, (24, 24, 3)).astype(np.uint8)).save(path)
    whole = path.read_bytes()
    domain = opened("folder", tmp_path, "day", labelled=False)
    rng = np.random.default_rng(1)
    refused = 0
    cuts = [whole[:n] for n in (0, 1, 9, 20, 40, len(whole) // 2)]
    for _ in range(150):
        damaged = bytearray(whole)
        damaged[int(rng.integers(len(whole) if rng.random() < 0.4 else 64))] ^= 1 << rng.integers(8)
        cuts.append(bytes(damaged))
    for content in cuts:
        path.write_bytes(content)
        try:
            assert domain.image(0).ndim == 3
        except SegadaptError as error:
            refused += 1
            assert str(path) in str(error)
    assert refused >= 5


def test_missing_image_is_named(tmp_path: Path) -> None:
    split, _ = camvid(tmp_path)
    domain = opened("camvid", tmp_path, split)
    domain.samples[0].image.unlink()
    with pytest.raises(SegadaptError, match=r"the image file is missing") as caught:
        domain.image(0)
    assert str(domain.samples[0].image) in str(caught.value)


def test_unknown_dataset_and_class_map_name_the_known_ones(tmp_path: Path) -> None:
    split, _ = camvid(tmp_path)
    with pytest.raises(SegadaptError, match=r"'no_such'.*camvid.*cityscapes"):
        opened("no_such", tmp_path, split)
    with pytest.raises(SegadaptError, match=r"'cityscapes19'.*camvid11, street7"):
        opened("camvid", tmp_path, split, classes="cityscapes19")


def test_two_images_of_one_name_are_refused(tmp_path: Path) -> None:
    split, _ = folder(tmp_path)
    shutil.copy(tmp_path / "images/day/a.jpg", tmp_path / "images/day/a.png")
    with pytest.raises(SegadaptError, match=r"a\.png.*a\.jpg.*same name"):
        opened("folder", tmp_path, split)


def test_files_that_are_no_images_of_the_dataset_are_left_out(tmp_path: Path) -> None:
    split, _ = cityscapes(tmp_path)
    city = tmp_path / "leftImg8bit/train/ulm"
    (city / "notes.txt").write_text("x")
    Image.fromarray(np.zeros((2, 2, 3), np.uint8)).save(city / "preview.png")
    assert len(opened("cityscapes", tmp_path, split)) == 2


@pytest.mark.parametrize("dataset", ["cityscapes", "gta5"])
def test_official_ids_have_their_official_names(dataset: str, tmp_path: Path) -> None:
    split, _ = BUILDERS[dataset](tmp_path)
    class_map = opened(dataset, tmp_path, split).class_map
    named = {
        stored: class_map.classes.names[train]
        for stored, train in class_map.ids.items()
        if train != 255
    }
    assert named == OFFICIAL_NAMES


def test_street7_of_camvid_groups_by_meaning(tmp_path: Path) -> None:
    split, _ = camvid(tmp_path)
    domain = opened("camvid", tmp_path, split, classes="street7")
    by_hand = {
        "sky": "sky", "building": "far objects", "pole": "roadside objects", "road": "drivable",
        "pavement": "non-drivable", "tree": "far objects", "sign": "roadside objects",
        "fence": "roadside objects", "car": "vehicles", "pedestrian": "living things",
        "bicyclist": "living things",
    }  # fmt: skip
    names = domain.classes.names
    assert [names[i] for i in domain.label(0)[0, :11]] == list(by_hand.values())
    assert domain.label(0)[0, 11] == 255


def test_subset_keeps_the_asked_order_and_names_what_is_gone(tmp_path: Path) -> None:
    split, _ = camvid(tmp_path)
    domain = opened("camvid", tmp_path, split)
    names = [sample.name for sample in domain.samples][::-1]
    assert [sample.name for sample in domain.subset(names).samples] == names
    with pytest.raises(SegadaptError, match=r"1 images that an earlier stage used are gone.*lost"):
        domain.subset(["lost"])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "is missing"),
        ("classes: [", "not readable YAML"),
        ("", "classes.yaml"),
        ("classes: []", "classes"),
        ("classes:\n  - {name: a, colour: [0, 0, 300], ids: [0]}\n", "classes.0.colour.2"),
        ("classes:\n  - {name: a, colour: [0, 0, 0], ids: []}\n", "classes.0.ids"),
        (CLASSES_YAML.replace("[13]", "[7]"), "id 7 is given twice"),
        (CLASSES_YAML.replace("[255]", "[13]"), "id 13 is given twice"),
        (CLASSES_YAML + "extra: 1\n", "extra"),
    ],
)
def test_bad_classes_file(tmp_path: Path, text: str | None, says: str) -> None:
    split, _ = folder(tmp_path)
    (tmp_path / "classes.yaml").unlink()
    if text is not None:
        (tmp_path / "classes.yaml").write_text(text)
    with pytest.raises(SegadaptError) as caught:
        opened("folder", tmp_path, split)
    assert says in str(caught.value) and "classes.yaml" in str(caught.value)


def test_classes_file_gives_names_colours_and_rare_classes(tmp_path: Path) -> None:
    split, _ = folder(tmp_path)
    classes = opened("folder", tmp_path, split).classes
    assert classes.names == ("road", "car")
    assert classes.colours == ((128, 64, 128), (0, 0, 142))
    assert classes.rare == (1,)
