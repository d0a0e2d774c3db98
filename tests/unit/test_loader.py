"""Shares, mirroring, moving and batching of images."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from segadapt.base.errors import SegadaptError
from segadapt.base.signals import signals_held
from segadapt.config import Jitter
from segadapt.data.domain import Domain
from segadapt.data.loader import (
    RawBatch,
    inference_batches,
    training_batches,
)
from segadapt.data.order import training_order

MakeDomain = Callable[..., Domain]


def numbers(batch: RawBatch) -> list[int]:
    """Which image each of a batch is: its grey value, see ``folder_domain``."""
    return batch.image[:, 0, 0, 2].tolist()


@pytest.mark.parametrize("workers", [0, 1])
def test_batches_hold_the_images_that_the_order_says(
    folder_domain: MakeDomain, workers: int
) -> None:
    domain = folder_domain([(4, 6)] * 5)
    order = list(training_order((5,), 2, 7, 1, 6, True))
    found = list(training_batches(domain, 2, 7, (1, 6), (0, 1), True, workers))
    assert [numbers(b) for b in found] == [[d.image for d in drawn] for drawn in order]
    assert found[0].image.shape == (2, 4, 6, 3) and found[0].image.dtype == torch.uint8
    assert found[0].label is not None
    assert found[0].label.shape == (2, 4, 6) and found[0].label.dtype == torch.uint8


def test_mirroring_turns_image_and_label_alike(folder_domain: MakeDomain) -> None:
    domain = folder_domain([(4, 6)] * 6)
    order = list(training_order((6,), 3, 3, 0, 4, True))
    seen = set()
    for drawn, batch in zip(
        order, training_batches(domain, 3, 3, (0, 4), (0, 1), True, 0), strict=True
    ):
        for draw, image, label in zip(drawn, batch.image, batch.label, strict=True):
            seen.add(draw.mirrored)
            bright = slice(3, 6) if draw.mirrored else slice(0, 3)
            wanted = torch.zeros(4, 6, dtype=torch.uint8)
            wanted[:, bright] = 1
            assert torch.equal(label, wanted)
            assert torch.equal(image[..., 0], wanted * 100 + draw.image)
    assert seen == {True, False}


def test_image_and_label_are_moved_alike(folder_domain: MakeDomain) -> None:
    domain = folder_domain([(20, 32)])
    jitter = Jitter(scale=(0.5, 0.5))
    batch = next(training_batches(domain, 1, 0, (0, 1), (0, 1), False, 0, jitter=jitter))
    wanted = torch.full((20, 32), 255, dtype=torch.uint8)
    wanted[5:15, 8:16], wanted[5:15, 16:24] = 1, 0
    assert batch.label is not None and torch.equal(batch.label[0], wanted)
    # Interpolation mixes the halves where they meet.
    red = batch.image[0, :, :, 0]
    assert (red[5:15, 8:15] == 100).all() and (red[5:15, 17:24] == 0).all()
    assert (red[:5] == 0).all() and (red[:, :8] == 0).all() and (red[15:] == 0).all()


def test_shares_of_two_ranks_make_the_whole_batch(folder_domain: MakeDomain) -> None:
    domain = folder_domain([(4, 6)] * 7)
    whole = training_batches(domain, 4, 5, (0, 6), (0, 1), True, 0)
    shares = [training_batches(domain, 4, 5, (0, 6), (rank, 2), True, 0) for rank in range(2)]
    for all_, first, second in zip(whole, *shares, strict=True):
        assert torch.equal(all_.image, torch.cat([first.image, second.image]))
        assert torch.equal(all_.label, torch.cat([first.label, second.label]))


def test_unlabelled_domain_gives_no_labels(folder_domain: MakeDomain) -> None:
    domain = folder_domain([(4, 6)] * 2, labelled=False)
    batch = next(training_batches(domain, 2, 0, (0, 1), (0, 1), True, 0))
    assert batch.label is None
    assert next(inference_batches(domain, 2, (0, 1), 0)).labels is None


@pytest.mark.parametrize("workers", [0, 1])
def test_mixed_sizes_in_a_training_batch_are_refused(
    folder_domain: MakeDomain, workers: int
) -> None:
    domain = folder_domain([(4, 6), (8, 6)])
    with pytest.raises(SegadaptError, match=r"\(4, 6\), \(8, 6\).*batch_size=1"):
        list(training_batches(domain, 2, 0, (0, 1), (0, 1), False, workers))
    assert len(list(training_batches(domain, 1, 0, (0, 2), (0, 1), False, workers))) == 2


def test_a_domain_with_a_size_makes_mixed_sizes_equal(folder_domain: MakeDomain) -> None:
    domain = folder_domain([(4, 6), (8, 12)], size=(4, 6))
    batch = next(training_batches(domain, 2, 0, (0, 1), (0, 1), False, 0))
    assert batch.image.shape == (2, 4, 6, 3)
    wanted = torch.tensor([1, 1, 1, 0, 0, 0], dtype=torch.uint8).expand(2, 4, 6)
    assert torch.equal(batch.label, wanted)


def test_label_of_another_size_than_its_image_is_refused(folder_domain: MakeDomain) -> None:
    domain = folder_domain([(4, 6)])
    Image.fromarray(np.zeros((4, 8), np.uint8)).save(domain.samples[0].label)
    with pytest.raises(SegadaptError, match=r"000\.png: is 4x8 .*is 4x6; they must be equal"):
        list(training_batches(domain, 1, 0, (0, 1), (0, 1), False, 0))
    with pytest.raises(SegadaptError, match=r"000\.png: is 4x8 .*is 4x6; they must be equal"):
        list(inference_batches(domain, 1, (0, 1), 0))


def test_where_images_are_resized_only_proportions_must_agree(folder_domain: MakeDomain) -> None:
    domain = folder_domain([(40, 60)], size=(20, 20))

    def label_of(height: int, width: int) -> None:
        Image.fromarray(np.zeros((height, width), np.uint8)).save(domain.samples[0].label)

    for fitting in ((80, 120), (20, 30), (41, 60)):
        label_of(*fitting)
        assert len(list(training_batches(domain, 1, 0, (0, 1), (0, 1), False, 0))) == 1
        (batch,) = inference_batches(domain, 1, (0, 1), 0)
        assert batch.labels is not None and tuple(batch.labels[0].shape) == fitting
    # The size of the domain is no excuse: of 96x64 images, 64x96 labels would be those of others.
    for turned in ((60, 40), (40, 40), (20, 20)):
        label_of(*turned)
        with pytest.raises(SegadaptError, match=f"is {turned[0]}x{turned[1]} .*is 40x60"):
            list(training_batches(domain, 1, 0, (0, 1), (0, 1), False, 0))
        with pytest.raises(SegadaptError, match=f"is {turned[0]}x{turned[1]} .*is 40x60"):
            list(inference_batches(domain, 1, (0, 1), 0))


def test_pseudo_labels_may_have_the_size_that_images_are_resized_to(
    folder_domain: MakeDomain,
) -> None:
    domain = folder_domain([(40, 60)], size=(20, 20))
    (sample,) = domain.samples
    Image.fromarray(np.zeros((20, 20), np.uint8)).save(sample.label)
    own = replace(domain, predicted=True)
    assert len(list(training_batches(own, 1, 0, (0, 1), (0, 1), False, 0))) == 1


@pytest.mark.parametrize("workers", [0, 1])
def test_damaged_image_is_told_in_our_words(folder_domain: MakeDomain, workers: int) -> None:
    domain = folder_domain([(4, 6)] * 2)
    domain.samples[1].image.write_bytes(b"nothing")
    for batches in (
        training_batches(domain, 1, 0, (0, 2), (0, 1), False, workers),
        inference_batches(domain, 1, (0, 1), workers),
    ):
        with pytest.raises(SegadaptError, match=r"001\.png.*cannot be decoded"):
            list(batches)


@pytest.mark.parametrize("batch_size", [1, 2, 3, 5, 9])
@pytest.mark.parametrize("processes", [1, 2, 3, 7])
def test_inference_covers_every_image_once(
    folder_domain: MakeDomain, batch_size: int, processes: int
) -> None:
    sizes = [(4, 6), (8, 6), (4, 6), (4, 6), (8, 6)]
    domain = folder_domain(sizes)
    seen = []
    for rank in range(processes):
        for batch in inference_batches(domain, batch_size, (rank, processes), 0):
            assert 1 <= len(batch.indices) <= batch_size
            assert len(batch.image) == len(batch.indices) == len(batch.labels)
            for index, image, label in zip(batch.indices, batch.image, batch.labels, strict=True):
                assert image.shape == (*sizes[index], 3)
                assert int(image[0, 0, 2]) == index
                assert label.shape == sizes[index]
            seen.extend(batch.indices)
    assert sorted(seen) == list(range(5))


def test_inference_labels_keep_the_files_resolution(folder_domain: MakeDomain) -> None:
    domain = folder_domain([(8, 12)], size=(4, 6))
    (batch,) = inference_batches(domain, 4, (0, 1), 0)
    assert batch.image.shape == (1, 4, 6, 3)
    assert batch.labels[0].shape == (8, 12)


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
def test_signals_are_put_off_and_not_lost(which: signal.Signals) -> None:
    seen: list[int] = []
    before = signal.signal(which, lambda number, frame: seen.append(number))
    try:
        with signals_held():
            signal.raise_signal(which)
            assert seen == []
        assert seen == [which]
    finally:
        signal.signal(which, before)


def stripes(domain: Domain) -> np.ndarray:
    """Files of stripes a pixel wide, which half the size cannot show."""
    picture = np.zeros((64, 96, 3), np.uint8)
    picture[:, ::2] = 255
    for sample in domain.samples:
        Image.fromarray(picture).save(sample.image)
        Image.fromarray(np.where(picture[..., 0] > 0, 13, 0).astype(np.uint8)).save(sample.label)
    return picture


def test_a_scale_above_one_shows_more_of_the_original(folder_domain: MakeDomain) -> None:
    """Once it enlarged the image that had been shrunk: a fifth of the fine detail was left."""
    domain = folder_domain([(64, 96)] * 2, size=(32, 48))
    picture = torch.from_numpy(stripes(domain))
    trained = next(training_batches(domain, 2, 0, (0, 1), (0, 1), False, 0, scales=(2.0, 2.0)))
    assert torch.equal(trained.image, picture.expand(2, -1, -1, -1))
    assert trained.label is not None and torch.equal(trained.label[0], picture[..., 0] // 255)
    (batch,) = inference_batches(domain, 2, (0, 1), 0, scales=(2.0, 0.5))
    assert batch.image.shape == (2, 32, 48, 3)
    assert [tuple(x.shape) for x in batch.scaled] == [(2, 64, 96, 3), (2, 16, 24, 3)]
    assert torch.equal(batch.scaled[0], picture.expand(2, -1, -1, -1))
    image, scaled = batch.alone(1)
    assert image.shape == (1, 32, 48, 3) and torch.equal(scaled[0][0], picture)


def test_the_first_scale_is_as_it_always_was(folder_domain: MakeDomain) -> None:
    domain = folder_domain([(64, 96)], size=(32, 48))
    stripes(domain)
    with Image.open(domain.samples[0].image) as file:
        wanted = np.array(file.convert("RGB").resize((48, 32), Image.Resampling.BICUBIC))
    plain = next(training_batches(domain, 1, 0, (0, 1), (0, 1), False, 0))
    (batch,) = inference_batches(domain, 1, (0, 1), 0, scales=(2.0,))
    assert np.array_equal(plain.image[0], wanted) and np.array_equal(batch.image[0], wanted)
