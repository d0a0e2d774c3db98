"""The report page: what it says about a run, finished or not."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from segadapt.report import build_report
from segadapt.report.charts import histogram, score_bars, ticks
from segadapt.report.curves import grouped, loss_charts, smoothed
from segadapt.report.gap import share_closed
from segadapt.report.pictures import entropy_table
from segadapt.report.read import read_run
from segadapt.report.records import LossLog
from segadapt.report.wording import duration, gain, headline

CLASSES = ["road", "<b>pavement</b>", "sky"]
COLOURS = [[128, 64, 128], [244, 35, 232], [70, 130, 180]]


def write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


def draw(path: Path, kind: str, size: tuple[int, int] = (64, 48)) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(0).integers(0, 3, size=size[::-1], dtype=np.uint8)
    if kind == "label":
        picture = Image.fromarray(noise)
        picture.putpalette([value for colour in COLOURS for value in colour] + [0] * (253 * 3))
    else:
        picture = Image.fromarray(noise * 100)
    picture.convert("RGB" if kind == "photo" else picture.mode).save(path)
    return str(path)


def manifest(run: Path, folder: str, stage: str, **more: Any) -> None:
    content = {
        "name": folder.partition("-")[2],
        "stage": stage,
        "seconds": 61.0,
        "config": {},
        "artefacts": {},
        "summary": {},
    }
    write(run / folder / "manifest.json", content | more)


def score(name: str, iou: list[float | None], **more: Any) -> dict[str, Any]:
    present = [value for value in iou if value is not None]
    return {
        "checkpoint": name,
        "oracle": False,
        "miou": sum(present) / len(present),
        "iou": iou,
        "pixel_accuracy": 0.8,
        "confusion": [[90, 10, 0], [40, 60, 0], [0, 0, 0]],
    } | more


@pytest.fixture
def started(tmp_path: Path) -> Path:
    """A run whose first stage is still training."""
    run = tmp_path / "run"
    info = {
        "recipe": "tiny/<intrada>",
        "description": "a & b",
        "seed": 7,
        "command": "segadapt run tiny --seed 7",
        "version": "0.1.0",
        "started": "2025-01-02T03:04:05+00:00",
        "hardware": {"cpu": "Some CPU", "cores": 4, "device": "cpu", "memory_gib": 23.4},
        "precision": "32-true",
        "processes": 1,
        "libraries": {"torch": "2.9.1"},
    }
    write(run / "run.json", info)
    write(run / "recipe.yaml", "method: <script>alert(1)</script>\n")
    rows = [
        {
            "iteration": i,
            "loss_seg_main": 2.0 / i,
            "loss_d_main": 0.3,
            "loss_ent_main": float("nan") if i == 3 else 0.1,
            "lr": 1e-4,
            "images_per_second": 10.0,
        }
        for i in range(1, 40)
    ]
    log = "\n".join(json.dumps(row) for row in rows)
    write(run / "1-source-only" / "metrics.jsonl", log + '\n{"iteration": 40, "loss_se')
    return run


@pytest.fixture
def finished(started: Path) -> Path:
    """A run with every section."""
    run = started
    manifest(run, "1-source-only", "train", config={"method": {"name": "source"}, "iterations": 39})
    manifest(run, "2-rank", "rank")
    images = [
        {
            "name": f"scene_{i}",
            "score": 0.1 + i / 50,
            "mean_entropy": 0.1 + i / 50,
            "predicted_classes": 3,
            "rare_classes": 0,
            "split": "easy" if i < 7 else "hard",
        }
        for i in range(10)
    ]
    ranking = {"domain": "target", "ratio": 0.67, "normalisation": "none", "images": images}
    write(run / "2-rank" / "split.json", ranking)
    for place in (0, 9):
        draw(run / "2-rank" / "gallery" / f"{place:05d}.image.jpg", "photo")
        draw(run / "2-rank" / "gallery" / f"{place:05d}.prediction.png", "label")
        draw(run / "2-rank" / "gallery" / f"{place:05d}.entropy.png", "entropy")
    manifest(run, "3-evaluate", "evaluate")
    folder = run / "3-evaluate"
    names = ["source-only", "advent", "intrada", "ceiling"]
    base = folder / "pictures" / "000"
    draw(base / "image.jpg", "photo")
    draw(base / "truth.png", "label")
    predictions = {}
    for name in names:
        draw(base / f"{name}.label.png", "label")
        draw(base / f"{name}.entropy.png", "entropy")
        predictions[name] = {
            "label": f"pictures/000/{name}.label.png",
            "entropy": f"pictures/000/{name}.entropy.png",
            "miou": 0.413,
        }
    picture = {
        "name": "scene <i>1</i>",
        "image": "pictures/000/image.jpg",
        "truth": "pictures/000/truth.png",
        "predictions": predictions,
    }
    scores = [
        score("source-only", [0.5, 0.29, None]),
        score("advent", [0.6, 0.312, None]),
        score("intrada", [0.55, 0.37, None]),
        score("ceiling", [0.9, 0.7, None], oracle=True),
    ]
    report = {
        "domain": "camvid val",
        "classes": CLASSES,
        "colours": COLOURS,
        "absent_rule": "Absent classes are left out of the mean.",
        "scores": scores,
        "pictures": [picture],
    }
    write(folder / "report.json", report)
    return run


def test_values_and_headline(finished: Path) -> None:
    page = build_report(finished).read_text()
    sentence = headline(read_run(finished))
    assert sentence == (
        "AdvEnt +6.1 mIoU points over source-only; "
        "IntraDA +0.4 over AdvEnt (no more than noise) on camvid val."
    )
    assert ">39.5<" in page and ">45.6<" in page and ">46.0<" in page
    assert "closes 16 % of the 40.5-point gap" in page
    assert "1 min 01 s" in page and "segadapt</span> <span>run" in page
    assert "Absent classes are left out" in page
    assert "differences under one point mean nothing" in page


def test_best_per_class_leaves_the_oracle_aside(finished: Path) -> None:
    page = build_report(finished).read_text()
    bold = re.findall(r'<td class="heat best"[^>]*>([^<]+)</td>', page)
    assert bold == ["60.0", "37.0"]
    assert re.search(r'<td class="heat oracle"[^>]*>90.0</td>', page)
    assert page.count("uses target labels") >= 3 and "ceiling (oracle)" in page
    assert re.search(r'<td class="heat"[^>]*>–</td>', page)  # the absent class


def test_everything_is_escaped_and_nothing_is_fetched(finished: Path) -> None:
    page = build_report(finished).read_text()
    for raw in ("<b>pavement</b>", "<intrada>", "<script>alert", "scene <i>1</i>"):
        assert raw not in page
    assert "&lt;b&gt;pavement&lt;/b&gt;" in page and "a &amp; b" in page
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", page)
    assert "url(http" not in page and "@import" not in page
    sources = re.findall(r'<img[^>]* src="([^"]{20})', page)
    assert len(sources) == 2 + 4 * 2 + 2 * 3
    assert all(source.startswith("data:image/") for source in sources)
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page


def test_unfinished_run(started: Path, tmp_path: Path) -> None:
    out = build_report(started, tmp_path / "elsewhere" / "page.html")
    page = out.read_text()
    assert out == tmp_path / "elsewhere" / "page.html" and not (started / "report.html").exists()
    assert "No evaluation yet" in page
    assert "not finished, 39 iterations so far" in page
    assert "1 logged values are not finite" in page
    assert 'id="result-0"' not in page and 'id="split-0"' not in page


def test_missing_files_are_said(finished: Path) -> None:
    (finished / "3-evaluate" / "pictures" / "000" / "advent.label.png").unlink()
    report = json.loads((finished / "3-evaluate" / "report.json").read_text())
    report["pictures"][0]["truth"] = None
    write(finished / "3-evaluate" / "report.json", report)
    assert build_report(finished).read_text().count("not drawn") == 1
    assert "no labels" in build_report(finished).read_text()


def test_one_checkpoint_and_several_evaluations(finished: Path) -> None:
    report = json.loads((finished / "3-evaluate" / "report.json").read_text())
    one = report | {"domain": "idd val", "scores": report["scores"][:1], "pictures": []}
    manifest(finished, "4-evaluate-source", "evaluate")
    write(finished / "4-evaluate-source" / "report.json", one)
    page = build_report(finished).read_text()
    assert "IntraDA +0.4" in page and 'id="result-1"' in page and "idd val" in page


def test_not_a_run(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no run\.json"):
        build_report(tmp_path)


def test_size_stays_below_the_bound(finished: Path) -> None:
    base = finished / "3-evaluate" / "pictures" / "000"
    noise = np.random.default_rng(0).integers(0, 256, size=(640, 1280, 3), dtype=np.uint8)
    Image.fromarray(noise).save(base / "image.jpg", quality=95)
    report = json.loads((finished / "3-evaluate" / "report.json").read_text())
    report["pictures"] *= 60
    write(finished / "3-evaluate" / "report.json", report)
    assert build_report(finished).stat().st_size < 8_000_000


CYCLEGAN_LOSSES = ("gan", "cycle", "sem", "identity", "d")


def test_charts() -> None:
    assert ticks(0, 1) == [0, 0.25, 0.5, 0.75, 1.0] and ticks(2, 2) == [2]
    assert ticks(0, 10) == [0, 5, 10]
    assert score_bars([], "0").startswith("<svg")
    assert "easy" in histogram([0.2, 0.2], [True, True])
    assert smoothed([1.0, 1.0, 1.0], 10) == pytest.approx([1.0, 1.0, 1.0])
    log = LossLog(
        {"loss_d_aux": [(1, 0.3)], "loss_seg_main": [(1, 1.0)], "loss_x": [(1, 0.0)]}, 1, None, 0
    )
    assert [title for title, _ in grouped(log)] == [
        "Supervised loss",
        "Discriminator loss",
        "Other losses",
    ]
    assert all("nan" not in chart.svg for chart in loss_charts(log))
    # One alone would not be drawn.
    (line,) = re.findall(r'<polyline class="line s0" points="(.*?)"', loss_charts(log)[0].svg)
    assert len(line.split()) == 2
    cyclegan = LossLog({f"loss_{x}_target": [(1, 0.1)] for x in CYCLEGAN_LOSSES}, 1, None, 0)
    assert "Other losses" not in dict(grouped(cyclegan))


def test_wording() -> None:
    assert gain(2.24) == "+2.2" and gain(-2.24) == "−2.2" and gain(-0.01) == "±0.0"
    assert duration(3.21) == "3.2 s" and duration(432) == "7 min 12 s"
    assert duration(3840) == "1 h 04 min" and duration(None) == "–"


def test_entropy_colours_grow_brighter() -> None:
    brightness = entropy_table().astype(float) @ [0.299, 0.587, 0.114]
    assert len(brightness) == 256 and (np.diff(brightness) >= -0.5).all()


def test_values_of_bars_stand_clear_of_the_line_at_the_first_bars_end() -> None:
    from segadapt.report.charts import Bar, score_bars

    drawn = str(score_bars([Bar("a", 0.50), Bar("b", 0.48), Bar("c", 0.10)], "k"))
    places = re.findall(r'<text x="([\d.]+)%" dx="8"', drawn)
    assert places == ["72.00", "72.00", "14.40"]


def test_share_of_the_gap_by_hand() -> None:
    assert share_closed(0.5, 0.4, 0.6) == pytest.approx(0.5)
    assert share_closed(0.3, 0.4, 0.6) == pytest.approx(-0.5)
    assert share_closed(0.405, 0.4, 0.409) is None, "a gap below a point says nothing"
    assert share_closed(None, 0.4, 0.6) is None and share_closed(0.5, 0.4, None) is None


def test_every_row_says_how_much_of_the_gap_it_closes(finished: Path) -> None:
    page = build_report(finished).read_text()
    evaluation = read_run(finished).evaluations[0]
    first = next(s for s in evaluation.scores if not s.is_oracle)
    oracle = max(s.value for s in evaluation.scores if s.is_oracle)
    others = [s for s in evaluation.scores if not s.is_oracle and s is not first]
    assert others and "gap closed" in page
    for score in others:
        share = 100 * (score.value - first.value) / (oracle - first.value)
        assert f">{share:.0f} %".replace("-", "−") in page
