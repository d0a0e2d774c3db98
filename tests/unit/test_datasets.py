"""What every dataset reader must do, on miniatures; `datasets/` has what one does alone."""

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
from miniatures import BUILDERS, DIGITS, LABELS, camvid, opened, write_multichannel_png
from PIL import Image

from segadapt.base.errors import SegadaptError
from segadapt.data.check import check_domain
from segadapt.data.listing import dataset_names, find_images
from segadapt.data.loader import inference_batches, training_batches

EVERY = pytest.mark.parametrize("dataset", sorted(BUILDERS))


def test_every_reader_has_a_miniature() -> None:
    boxes = {*("carla", "cityscapes_boxes", "coco", "foggy_cityscapes_boxes", "highway")}
    boxes |= {"scenes_boxes", "voc", "yolo"}  # made in tests of their own
    assert {*BUILDERS, *DIGITS, *boxes} == set(dataset_names())


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


SIXTEEN_NAMES = (
    "road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign",
    "vegetation", "sky", "person", "rider", "car", "bus", "motorcycle", "bicycle",
)  # fmt: skip


@pytest.mark.parametrize(
    "dataset", sorted(set(BUILDERS) - {"camvid", "folder", "idd_lite", "scenes"})
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


def test_subset_keeps_the_asked_order_and_names_what_is_gone(tmp_path: Path) -> None:
    split, _ = camvid(tmp_path)
    domain = opened("camvid", tmp_path, split)
    names = [sample.name for sample in domain.samples][::-1]
    assert [sample.name for sample in domain.subset(names).samples] == names
    with pytest.raises(SegadaptError, match=r"1 image of an earlier stage not there, first .*lost"):
        domain.subset(["lost"])


def test_linked_folders_count_and_hidden_ones_do_not(tmp_path: Path) -> None:
    elsewhere, split = tmp_path / "elsewhere", tmp_path / "train"
    for path in (
        *(elsewhere / "b.png", split / "a.png", split / "deep" / "er" / "c.png"),
        *(split / ".ipynb_checkpoints" / "a-checkpoint.png", split / "@eaDir" / "a.png"),
        *(split / "__MACOSX" / "x.png", split / "._a.png"),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    (split / "linked").symlink_to(elsewhere)
    assert list(find_images(split)) == ["a", "deep/er/c", "linked/b"]
    (split / "round").symlink_to(split)
    assert list(find_images(split)) == ["a", "deep/er/c", "linked/b"]
    (elsewhere / "back").symlink_to(split)
    assert list(find_images(split)) == ["a", "deep/er/c", "linked/b"]
