"""The count of a step's memory: known graphs, torch's own tracker, and real tensors."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
import torch
from torch import nn
from torch.distributed._tools.mem_tracker import MemTracker

from benchmarks.step_memory.agreement import light
from benchmarks.step_memory.cases import CASES, Training, training
from benchmarks.step_memory.counter import LiveBytes
from benchmarks.step_memory.measure import Counted, counted
from benchmarks.step_memory.pretence import fake_tensors

KIB = 1024


def small() -> Training:
    (case,) = (case for case in CASES if case.name == "source_only")
    return replace(training(light(case)), source=(64, 96))


@cache
def count(recompute: bool = False, fake: bool = True) -> Counted:
    result = counted(small(), recompute=recompute, fake=fake)
    assert result is not None
    return result


@pytest.mark.parametrize("fake", [False, True])
def test_what_is_freed_counts_no_more(fake: bool) -> None:
    with fake_tensors(2) if fake else torch.no_grad(), LiveBytes() as counter:
        x = torch.ones(256)
        y = x + 1
        view = y.view(16, 16)[2:]  # is y's memory
        assert counter.now == 2 * KIB
        del y
        assert counter.now == 2 * KIB
        z = torch.cat([x, x, x])
        del view, z
        assert (counter.now, counter.peak) == (KIB, 5 * KIB)
        counter.restart()
        counter.name("weights", [x])
        x.to(torch.bfloat16)
        assert counter.kinds() == {"weights": KIB, "maps": KIB // 2}
        (held,) = counter.holds()
        assert held[:2] == (KIB // 2, 1) and "test_step_memory" not in held[2]
        assert "bfloat16 [256]" in held[2]


def test_what_was_there_before_counts_from_when_it_is_named() -> None:
    x = torch.ones(256)
    with LiveBytes() as counter:
        assert counter.now == 0
        counter.name("batches", [x, x.view(2, 128)])
        assert counter.now == KIB


def test_counts_as_torchs_tracker_does() -> None:
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 4, 3))
    image = torch.ones(2, 3, 16, 16)
    tracker = MemTracker()
    tracker.track_external(network, image)
    with tracker:
        network(image).square().mean().backward()
    network.zero_grad()
    with LiveBytes() as counter:
        counter.name("weights", [*network.parameters(), *network.buffers(), image])
        network(image).square().mean().backward()
    expected = tracker.get_tracker_snapshot("peak")[torch.device("cpu")]["Total"]
    assert counter.peak == expected


def test_fake_tensors_take_what_real_ones_do() -> None:
    fake, real = count(), count(fake=False)
    assert fake.peak == pytest.approx(real.peak, rel=0.01)
    assert fake.resting == pytest.approx(real.resting, rel=0.01)


def test_recomputed_blocks_take_less() -> None:
    whole, spared = count(), count(recompute=True)
    assert spared.kinds["maps"] < 0.8 * whole.kinds["maps"]
    assert spared.kinds["weights"] == whole.kinds["weights"]
    assert sum(whole.kinds.values()) == whole.peak


def test_scores_of_the_images_size_make_room_for_the_backward_pass() -> None:
    held = [what for _, _, what in count(recompute=True).holds]
    assert any(what.startswith("backward") for what in held)
    assert not any("upsample" in what for what in held)
