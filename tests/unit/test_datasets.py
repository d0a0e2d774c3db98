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
from miniatures import (
    BUILDERS,
    CLASSES_YAML,
    LABELS,
    OFFICIAL_NAMES,
    RNG,
    camvid,
    cityscapes,
    folder,
    write_multichannel_png,
)
from PIL import Image

from segadapt.config import DomainConfig
from segadapt.data.check import check_domain
from segadapt.data.domain import Domain
from segadapt.data.listing import dataset_names, list_domain, open_domain
from segadapt.data.loader import inference_batches, training_batches
from segadapt.errors import SegadaptError

EVERY = pytest.mark.parametrize("dataset", sorted(BUILDERS))


def opened(dataset: str, root: Path, split: str, labelled: bool = True, **settings: Any) -> Domain:
    role = "source" if labelled else "target"
    config = DomainConfig(dataset=dataset, split=split, role=role, **settings)
    return open_domain(config, root, labelled, "domain mine")


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
    shutil.rmtree(tmp_path / LABELS[dataset])
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
    labels = str(tmp_path / LABELS[dataset])

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
    wrong = np.array([[0, 77], [0, 0]], np.uint8)
    if domain.samples[0].first_channel:
        write_multichannel_png(path, wrong)
    else:
        Image.fromarray(wrong).save(path)
    with pytest.raises(SegadaptError, match=r"label id 77 is not in the class map") as caught:
        domain.label(0)
    assert str(path) in str(caught.value)


def test_sixteen_bit_id_is_not_taken_modulo_256(tmp_path: Path) -> None:
    split, _ = camvid(tmp_path)
    domain = opened("camvid", tmp_path, split)
    Image.fromarray(np.full((2, 12), 257, np.uint16)).save(domain.samples[0].label)
    with pytest.raises(SegadaptError, match=r"label id 257"):
        domain.label(0)


def test_sixteen_bit_label_of_several_channels_is_read_from_its_first(tmp_path: Path) -> None:
    split, _ = BUILDERS["synthia"](tmp_path)
    domain = opened("synthia", tmp_path, split)
    path = domain.samples[0].label
    assert path is not None
    # Pillow keeps the upper eight bits, all zero here: what a reader on top of it would see.
    assert not np.asarray(Image.open(path)).any()
    assert sorted(np.unique(domain.label(0))) == [*range(19), 255]
    write_multichannel_png(path, np.full((2, 23), 300))
    with pytest.raises(SegadaptError, match=r"label id 300 is not in the class map"):
        domain.label(0)
    Image.fromarray(np.zeros((2, 23), np.uint8)).save(path)
    with pytest.raises(SegadaptError, match=r"has one channel.*ids in the first"):
        domain.label(0)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(SegadaptError, match=r"cannot be decoded"):
        domain.label(0)


SIXTEEN_NAMES = (
    "road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign",
    "vegetation", "sky", "person", "rider", "car", "bus", "motorcycle", "bicycle",
)  # fmt: skip


@pytest.mark.parametrize(
    "dataset", ["cityscapes", "synthia", "foggy_cityscapes", "acdc", "bdd100k", "mapillary_vistas"]
)
def test_sixteen_classes_are_the_nineteen_without_terrain_truck_and_train(
    dataset: str, tmp_path: Path
) -> None:
    split, _ = BUILDERS[dataset](tmp_path)
    nineteen = opened(dataset, tmp_path, split).class_map
    sixteen = opened(dataset, tmp_path, split, classes="cityscapes16").class_map
    assert sixteen.classes.names == SIXTEEN_NAMES
    assert set(sixteen.ids) == set(nineteen.ids)
    for stored, train in nineteen.ids.items():
        name = nineteen.classes.names[train] if train != 255 else None
        found = sixteen.ids[stored]
        if name in SIXTEEN_NAMES:
            assert sixteen.classes.names[found] == name
        else:
            assert found == 255
    thirteen = [sixteen.classes.names[i] for i in sixteen.classes.subsets["13"]]
    assert thirteen == [n for n in SIXTEEN_NAMES if n not in ("wall", "fence", "pole")]


@pytest.mark.parametrize("dataset", ["cityscapes", "gta5", "synthia", "synscapes", "bdd100k"])
def test_every_class_of_the_map_has_exactly_one_id(dataset: str, tmp_path: Path) -> None:
    split, _ = BUILDERS[dataset](tmp_path)
    class_map = opened(dataset, tmp_path, split).class_map
    trained = [train for train in class_map.ids.values() if train != 255]
    assert sorted(trained) == list(range(19))


def test_names_of_synthia_are_those_of_its_description(tmp_path: Path) -> None:
    split, _ = BUILDERS["synthia"](tmp_path)
    class_map = opened("synthia", tmp_path, split).class_map
    # README of SYNTHIA-RAND-CITYSCAPES
    described = {
        1: "sky", 2: "building", 3: "road", 4: "sidewalk", 5: "fence", 6: "vegetation", 7: "pole",
        8: "car", 9: "traffic sign", 10: "person", 11: "bicycle", 12: "motorcycle",
        15: "traffic light", 16: "terrain", 17: "rider", 18: "truck", 19: "bus", 20: "train",
        21: "wall",
    }  # fmt: skip
    names = class_map.classes.names
    assert {i: names[t] for i, t in class_map.ids.items() if t != 255} == described


def test_splits_of_fog_and_of_conditions(tmp_path: Path) -> None:
    BUILDERS["foggy_cityscapes"](tmp_path / "fog")
    name = tmp_path / "fog/leftImg8bit_foggy/val/ulm/ulm_000001_000019_leftImg8bit_foggy_beta_"
    for beta in ("0.005", "0.01", "0.02"):
        path = Path(f"{name}{beta}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((2, 3, 3), np.uint8)).save(path)
    thin = opened("foggy_cityscapes", tmp_path / "fog", "val_beta_0.005", labelled=False)
    thick = opened("foggy_cityscapes", tmp_path / "fog", "val", labelled=False)
    assert [s.name for s in thin.samples] == [s.name for s in thick.samples]
    assert thin.samples[0].image.name.endswith("beta_0.005.png")
    assert thick.samples[0].image.name.endswith("beta_0.02.png")
    BUILDERS["acdc"](tmp_path / "acdc")
    night = opened("acdc", tmp_path / "acdc", "night_train")
    assert [s.name.split("/")[0] for s in night.samples] == ["night"]
    with pytest.raises(SegadaptError, match=r"dusk_train.*fog, night, rain, snow"):
        opened("acdc", tmp_path / "acdc", "dusk_train")


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


@pytest.mark.parametrize("dataset", ["cityscapes", "gta5", "synscapes", "foggy_cityscapes", "acdc"])
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


def test_check_tells_all_problems_together_by_kind(tmp_path: Path) -> None:
    for i in range(9):
        image, label = tmp_path / f"images/day/{i}.png", tmp_path / f"labels/day/{i}.png"
        for path in (image, label):
            path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((2, 4, 3), np.uint8)).save(image)
        Image.fromarray(np.array([[0, 7, 13, 255]] * 2, np.uint8)).save(label)
    (tmp_path / "classes.yaml").write_text(CLASSES_YAML)
    labels = tmp_path / "labels/day"
    for i in (0, 1, 2):
        (labels / f"{i}.png").unlink()
    (labels / "3.png").write_bytes(b"nothing")
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(labels / "4.png")
    Image.fromarray(np.full((2, 4), 99, np.uint8)).save(labels / "5.png")
    (tmp_path / "images/day/6.png").write_bytes(b"nothing")
    config = DomainConfig(dataset="folder", split="day", role="source")
    found = check_domain(list_domain(config, tmp_path, "domain mine"))
    by_kind = found.problems_by_kind()
    assert {kind: len(messages) for kind, messages in by_kind.items()} == {
        "labels that are missing": 3,
        "labels that cannot be read": 1,
        "labels of another size than their image": 1,
        "labels with ids outside the class map": 1,
        "images that cannot be read": 1,
    }
    assert next(iter(by_kind)) == "labels that are missing"
    assert [name in by_kind["labels that are missing"][i] for i, name in enumerate("012")]
    assert found.sizes == {(2, 4): 8}
    assert found.class_shares == {"road": pytest.approx(2 / 3), "car": pytest.approx(1 / 3)}
