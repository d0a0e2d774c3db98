"""The procedural scene domains: determinism, label validity, class balance, domain contrast."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from segadapt.data.scenes import CLASS_NAMES, Domain, Scene, draw_scene

SRC = Path(__file__).resolve().parents[2] / "src"
DOMAINS: tuple[Domain, ...] = ("rendered", "camera")
COUNT = 24
SMALL = (112, 160)
VALID = [*range(11), 255]


@pytest.fixture(scope="module")
def rendered() -> list[Scene]:
    return [draw_scene("rendered", seed, SMALL) for seed in range(COUNT)]


@pytest.fixture(scope="module")
def camera() -> list[Scene]:
    return [draw_scene("camera", seed, SMALL) for seed in range(COUNT)]


def digest(scene: Scene) -> str:
    return hashlib.sha256(scene.image.tobytes() + scene.label.tobytes()).hexdigest()


def shares(scenes: list[Scene]) -> dict[str, float]:
    """Fraction of all pixels per class name."""
    ids = np.concatenate([s.label.ravel() for s in scenes])
    counts = np.bincount(ids, minlength=256) / len(ids)
    return {name: float(counts[i]) for i, name in enumerate(CLASS_NAMES)}


@pytest.mark.parametrize("domain", DOMAINS)
def test_same_arguments_draw_the_same_scene_in_any_process(domain: Domain) -> None:
    np.random.seed(0)  # the global state must not matter
    here = digest(draw_scene(domain, 5, SMALL))
    np.random.seed(1)
    assert digest(draw_scene(domain, 5, SMALL)) == here
    code = (
        "import hashlib; from segadapt.data.scenes import draw_scene\n"
        f"draw_scene({domain!r}, 9, (64, 96))\n"  # what was drawn before must not matter
        f"s = draw_scene({domain!r}, 5, {SMALL!r})\n"
        "print(hashlib.sha256(s.image.tobytes() + s.label.tobytes()).hexdigest())"
    )
    env = {**os.environ, "PYTHONPATH": str(SRC), "PYTHONHASHSEED": "123"}
    out = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == here


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("size", [(224, 320), (97, 131), (180, 120), (64, 512), (16, 16)])
def test_any_size_gives_uint8_arrays_with_known_ids(domain: Domain, size: tuple[int, int]) -> None:
    scene = draw_scene(domain, 3, size)
    assert scene.image.shape == (*size, 3) and scene.image.dtype == np.uint8
    assert scene.label.shape == size and scene.label.dtype == np.uint8
    assert np.isin(scene.label, VALID).all()


def test_default_size() -> None:
    assert draw_scene("rendered", 0).label.shape == (224, 320)


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown domain"):
        draw_scene("painted", 0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="size"):
        draw_scene("camera", 0, (4, 320))


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_class_has_a_plausible_share(domain: Domain, request: pytest.FixtureRequest) -> None:
    scenes: list[Scene] = request.getfixturevalue(domain)
    share = shares(scenes)
    # A forward view over a street: sky above, ground below, houses between; things are small.
    assert 0.08 < share["sky"] < 0.4
    assert 0.2 < share["road"] < 0.45
    assert 0.08 < share["building"] < 0.4
    assert 0.02 < share["pavement"] < 0.15
    assert 0.02 < share["tree"] < 0.25
    assert 0.02 < share["car"] < 0.15
    for thin in ("pole", "sign", "fence", "pedestrian"):
        assert 0.001 < share[thin] < 0.05, thin
    assert 0.0002 < share["bicyclist"] < 0.03
    void = np.mean([(s.label == 255).mean() for s in scenes])
    assert 0 < void < 0.06


def test_sky_is_above_and_road_below(rendered: list[Scene]) -> None:
    label = np.stack([s.label for s in rendered])
    third = SMALL[0] // 3
    assert not (label[:, -third:] == 0).any()
    assert not np.isin(label[:, :third], (3, 4)).any()
    assert (label[:, -third // 2 :] == 3).mean() > 0.6


def test_sky_pixels_of_the_picture_are_brighter_than_the_road(rendered: list[Scene]) -> None:
    """Picture and label share their geometry: a shifted label would mix both means."""
    sky = np.mean([s.image[s.label == 0].mean() for s in rendered if (s.label == 0).any()])
    road = np.mean([s.image[s.label == 3].mean() for s in rendered])
    assert sky > road + 40


@pytest.mark.parametrize("domain", DOMAINS)
def test_labels_line_up_with_edges_in_the_picture(domain: Domain) -> None:
    """The sky's outline must sit on strong gradients, more so than when shifted by 4 pixels."""

    def contrast(scene: Scene, shift: int) -> float:
        grey = scene.image.astype(np.float64).mean(axis=2)
        step = np.abs(np.diff(grey, axis=0))
        outline = np.diff((scene.label == 0).astype(np.int8), axis=0) != 0
        return float(step[np.roll(outline, shift, axis=0)].mean())

    scenes = [draw_scene(domain, seed, (160, 224)) for seed in range(6)]
    on = np.mean([contrast(s, 0) for s in scenes])
    assert on > 2 * np.mean([contrast(s, 4) for s in scenes])
    assert on > 2 * np.mean([contrast(s, -4) for s in scenes])


def test_seeds_give_different_scenes(rendered: list[Scene]) -> None:
    assert len({digest(s) for s in rendered}) == COUNT
    changed = [(a.label != b.label).mean() for a, b in pairwise(rendered)]
    assert min(changed) > 0.05


def test_conditions_vary_and_only_in_the_camera_domain(
    rendered: list[Scene], camera: list[Scene]
) -> None:
    assert {s.condition for s in rendered} == {"rendered"}
    assert len({s.condition for s in camera}) >= 4
    spread = np.std([s.image.mean() for s in camera])
    assert spread > 15  # night to glare: exposure differs widely between pictures


def test_hard_conditions_hide_more_than_clear_days(camera: list[Scene]) -> None:
    """Contrast of the things below the sky ranks the weather as an observer would."""

    def contrast(*names: str) -> float:
        found = [s.image[s.label != 0].std() for s in camera if s.condition in names]
        assert found, names
        return float(np.mean(found))

    assert contrast("clear") > contrast("fog", "rain", "dusk", "night")


def test_domains_share_the_world_but_not_its_look(
    rendered: list[Scene], camera: list[Scene]
) -> None:
    same = np.mean([(a.label == b.label).mean() for a, b in zip(rendered, camera, strict=True)])
    assert same > 0.8  # one plan per seed, materials and tree leaves aside

    def saturation(scenes: list[Scene]) -> float:
        peak = [s.image.max(axis=2).astype(float) - s.image.min(axis=2) for s in scenes]
        return float(np.mean([p[s.label == 1].mean() for p, s in zip(peak, scenes, strict=True)]))

    def grain(scenes: list[Scene]) -> float:
        """Pixel to pixel change on the road relative to its brightness."""
        out = []
        for s in scenes:
            grey = s.image.astype(float).mean(axis=2)
            road = (s.label[:, 1:] == 3) & (s.label[:, :-1] == 3)
            out.append(np.median(np.abs(np.diff(grey, axis=1))[road]) / (grey.mean() + 1))
        return float(np.mean(out))

    assert saturation(rendered) > 1.2 * saturation(camera)
    assert grain(camera) > 1.5 * grain(rendered)
