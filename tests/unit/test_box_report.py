"""Detectors at work: what they predict, what is drawn of it, and what a report says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from segadapt.base.box_pictures import GREY, NO_CLASS, box_picture
from segadapt.base.classes import ClassSet
from segadapt.base.compute import Compute
from segadapt.base.detections import Detections
from segadapt.base.errors import SegadaptError
from segadapt.cli import app
from segadapt.commands.evaluate import score_checkpoints
from segadapt.commands.predict.run import predict_files
from segadapt.commands.tables import score_table
from segadapt.config import DomainConfig, Views
from segadapt.config.model import ModelConfig
from segadapt.data.domain import Domain
from segadapt.data.listing import open_domain
from segadapt.engine.detect import Found, detect, detect_image, in_file
from segadapt.engine.fabric import Processes
from segadapt.engine.predict import load
from segadapt.models.build import build_segmenter
from segadapt.models.files.checkpoints import TrainedModel, save_checkpoint
from segadapt.report import build_report
from segadapt.report.box_charts import Line, look, precision_svg
from segadapt.report.read import read_run
from segadapt.report.wording import headline
from segadapt.stages.evaluate.box_mistakes import save_box_mistakes, wrong_boxes

CLASSES = ClassSet("two", ("vehicle", "person"), ((0, 0, 142), (220, 20, 60)), boxes=True)
INFO = {
    "recipe": "r",
    "seed": 0,
    "description": "",
    "precision": "32-true",
    "processes": 1,
    "started": "2026-01-01T00:00:00",
    "command": "segadapt run r",
    "version": "0",
    "libraries": {},
    "hardware": {"device": "cpu", "cpu": "x", "cores": 1, "memory_gib": 1},
}
VOC = (
    "<annotation><object><name>vehicle</name><bndbox><xmin>11</xmin><ymin>11</ymin>"
    "<xmax>60</xmax><ymax>50</ymax></bndbox></object></annotation>"
)
CLASSES_FILE = """
boxes: true
classes:
  - {name: vehicle, colour: [0, 0, 142]}
  - {name: person, colour: [220, 20, 60]}
"""


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained one that saw images of 64x96."""
    pytest.importorskip("timm")
    torch.manual_seed(0)
    config = ModelConfig.model_validate(
        {"backbone": "timm:tf_efficientnet_lite0", "weights": "none", "heads": "ssd"}
    )
    model = build_segmenter(config, len(CLASSES.names))
    path = tmp_path_factory.mktemp("detector") / "detector.safetensors"
    save_checkpoint(path, TrainedModel(model, config, CLASSES, (64, 96)))
    return path


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A VOC folder of three images of 80x120."""
    folder = tmp_path / "voc"
    (folder / "JPEGImages").mkdir(parents=True)
    (folder / "Annotations").mkdir()
    (folder / "ImageSets" / "Main").mkdir(parents=True)
    (folder / "classes.yaml").write_text(CLASSES_FILE)
    (folder / "ImageSets" / "Main" / "val.txt").write_text("a\nb\nc\n")
    random = np.random.default_rng(0)
    for name in "abc":
        pixels = random.integers(0, 255, (80, 120, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "JPEGImages" / f"{name}.png")
        content = VOC if name != "b" else "<annotation/>"
        (folder / "Annotations" / f"{name}.xml").write_text(content)
    return folder


def domain_of(folder: Path) -> Domain:
    config = DomainConfig(dataset="voc", split="val", role="test", size=(64, 96))
    return open_domain(config, folder, True, "voc val")


class SomeOf:
    """Stands for one of several processes; all have found ``gathered``, where it is given."""

    def __init__(self, processes: Processes, rank: int, count: int, gathered: Any = None) -> None:
        self.device, self.rank, self.count = processes.device, rank, count
        self.gathered, self.is_first = gathered, rank == 0
        self.sent: Any = None

    def gather(self, value: Any) -> list[Any]:
        self.sent = value
        return self.gathered or [value]


def test_boxes_are_in_pixels_of_the_file(detector: Path, images: Path) -> None:
    predictor = load(detector, device="cpu")
    pixels = np.array(Image.open(images / "JPEGImages" / "a.png"))
    found = detect_image(predictor, pixels)
    assert len(found.boxes) and found.scores.tolist() == sorted(found.scores, reverse=True)
    assert found.boxes[:, 2].max() > 96 and (found.boxes <= torch.tensor([120, 80] * 2)).all()
    half = Detections(torch.tensor([[1.0, 2, 3, 4]]), torch.ones(1), torch.zeros(1).long())
    assert in_file(half, (10, 10), (20, 40)).boxes.tolist() == [[4, 4, 12, 8]]


def test_a_domains_images_come_in_order_however_many_processes(
    detector: Path, images: Path
) -> None:
    predictor, domain = load(detector, device="cpu"), domain_of(images)
    processes = predictor._processes
    alone = detect(predictor, domain, 2, processes, "x", workers=0)
    assert [x.number for x in alone] == [0, 1, 2]
    assert [len(x.truth) for x in alone] == [1, 0, 1]
    both = []
    for rank in (0, 1):
        part: Any = SomeOf(processes, rank, 2)
        detect(predictor, domain, 1, part, "x", workers=0)
        both.append(part.sent)
    assert [[x.number for x in part] for part in both] == [[0, 2], [1]]
    first: Any = SomeOf(processes, 0, 2, both)
    merged = detect(predictor, domain, 2, first, "x", workers=0)
    assert len(merged) == 3
    for one, other in zip(alone, merged, strict=True):
        assert one.number == other.number and np.array_equal(one.truth, other.truth)
        assert torch.allclose(one.detections.boxes, other.detections.boxes, atol=1e-3)


def test_predict_writes_cocos_results_and_pictures(
    detector: Path, images: Path, tmp_path: Path
) -> None:
    done = predict_files(detector, [str(images / "JPEGImages")], tmp_path / "out", device="cpu")
    assert done == (3, ("detections.json", "pictures"), ())
    rows = json.loads((tmp_path / "out" / "detections.json").read_text())
    assert {row["image_id"] for row in rows} == {0, 1, 2}
    assert {row["file_name"] for row in rows} == {"a.png", "b.png", "c.png"}
    first = detect_image(load(detector, device="cpu"), images / "JPEGImages" / "a.png")
    left, top, right, bottom = first.boxes[0].tolist()
    label = int(first.labels[0])
    assert rows[0] == {
        "image_id": 0,
        "file_name": "a.png",
        "category_id": label,
        "category": CLASSES.names[label],
        "bbox": pytest.approx([left, top, right - left, bottom - top]),
        "score": pytest.approx(float(first.scores[0])),
    }
    assert Image.open(tmp_path / "out" / "pictures" / "b.jpg").size == (480, 320)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"label_ids": "cityscapes"}, "--label-ids: is for pictures of class ids"),
        ({"kinds": ("labels",)}, "--write: is for pictures of class ids"),
        ({"views": Views(scales=(1.0, 2.0))}, "looks at the whole image, once"),
        ({"views": Views(flip=True)}, "looks at the whole image, once"),
        ({"with_": None}, "score maps, which detectors"),
    ],
)
def test_options_without_meaning_for_boxes(
    detector: Path, images: Path, tmp_path: Path, options: dict[str, Any], sentence: str
) -> None:
    if "with_" in options:
        copied = tmp_path / "copy.safetensors"
        copied.write_bytes(detector.read_bytes())
        options = {"with_": {copied: 1.0}}
    with pytest.raises(SegadaptError, match=sentence):
        predict_files(
            detector, [str(images / "JPEGImages")], tmp_path / "out", device="cpu", **options
        )
    with pytest.raises(SegadaptError, match="detect_image"):
        load(detector, device="cpu").predict(images / "JPEGImages" / "a.png")


def test_evaluate_on_the_command_line(detector: Path, images: Path, tmp_path: Path) -> None:
    file = tmp_path / "scores.json"
    words = ["evaluate", str(detector), "--dataset", "voc", "--root", str(images)]
    words += ["--split", "val", "--json", str(file), "--device", "cpu"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    result = json.loads(file.read_text())
    row = result["scores"][0]
    assert result["measure"] == "AP50" and row["boxes"] == [2, 0]
    assert row["class_ap50"][1] is None and 0 <= row["map"] <= row["ap50"] <= 1
    again = score_checkpoints(detector, "voc", images, "val", compute=Compute("cpu"))
    table = score_table(again)
    assert [line[0] for line in table] == [
        "class",
        "vehicle",
        "person",
        "AP50 of 1",
        "AP75",
        "mAP",
    ]
    assert table[2][1] == ""


def test_drawn_boxes() -> None:
    image = np.full((100, 480, 3), 90, np.uint8)
    boxes = [[40, 40, 100, 80], [200, 40, 260, 80], [300, 40, 360, 80]]
    drawn = np.asarray(box_picture(image, boxes, [0, 1, NO_CLASS], CLASSES))
    assert drawn[60, 40].tolist() == [0, 0, 142] and drawn[60, 200].tolist() == [220, 20, 60]
    assert drawn[60, 300].tolist() == list(GREY)
    assert (drawn[30:38, 42:44] == [0, 0, 142]).all(axis=-1).any()  # the name's ground, above
    assert (drawn[60, 50:90] == 90).all() and (image == 90).all()
    unsure = np.asarray(box_picture(image, boxes[:2], [0, 1], CLASSES, [0.31, 0.29]))
    assert unsure[60, 40].tolist() == [0, 0, 142] and (unsure[60, 195:205] == 90).all()


def test_small_images_are_enlarged_and_large_ones_shrunk() -> None:
    small = np.zeros((60, 120, 3), np.uint8)
    assert box_picture(small, [], [], CLASSES).size == (480, 240)
    picture = np.asarray(box_picture(small, [[10, 20, 50, 40]], [1], CLASSES))
    assert picture[120, 40].tolist() == [220, 20, 60]
    large = np.zeros((500, 2000, 3), np.uint8)
    assert box_picture(large, [[-5, -5, 3000, 3000]], [1], CLASSES).size == (960, 240)


def rows(*values: tuple[float, ...]) -> np.ndarray:
    return np.array(values, np.float32).reshape(-1, 6)


def test_kinds_of_mistakes(images: Path, tmp_path: Path) -> None:
    truth = rows((10, 10, 30, 30, 0, 0), (50, 10, 70, 30, 1, 0), (80, 10, 110, 40, 0, 1))
    boxes = torch.tensor(
        [
            [10, 10, 30, 30],  # right
            [11, 10, 30, 30],  # the same again
            [50, 10, 70, 29],  # a person, taken for a vehicle
            [20, 20, 40, 40],  # overlaps the vehicle by 1/7
            [20, 60, 40, 79],  # nothing
            [85, 15, 100, 30],  # on something ignored
        ],
        dtype=torch.float32,
    )
    scores = torch.tensor([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    found = Found(0, Detections(boxes, scores, torch.zeros(6).long()), truth)
    wrong = list(wrong_boxes(found))
    assert [(x.kind, x.truth) for x in wrong] == [
        ("twice", None),
        ("class", 1),
        ("place", None),
        ("background", None),
    ]
    nothing = Found(1, Detections(boxes[:0], scores[:0], torch.zeros(0).long()), truth)
    assert list(wrong_boxes(nothing)) == []
    assert [x.kind for x in wrong_boxes(found._replace(truth=rows()))] == ["background"] * 6
    kept = save_box_mistakes("m", [found, nothing], domain_of(images), 2, tmp_path)
    assert [x["predicted"] for x in kept["images"]] == ["vehicle", "vehicle"]
    assert Image.open(tmp_path / kept["images"][1]["image"]).width == 240


def test_curves_end_where_nothing_more_is_found() -> None:
    curve = [1.0] * 51 + [0.0] * 50
    svg = precision_svg("<car>", [(curve, Line("<a>", look(4)))])
    points = re.search(r'points="([^"]+)"', svg)
    assert points is not None and 'class="line s0 dashed"' in svg
    assert "<car>" not in svg and "<a>" not in svg
    xs = {float(pair.partition(",")[0]) for pair in points[1].split()}
    assert len(points[1].split()) == 52 and max(xs) == pytest.approx(195.0)
    assert "polyline" not in precision_svg("car", [([0.0] * 101, Line("a", "s0"))])


def score(name: str, ap50: float, **more: Any) -> dict[str, Any]:
    curve = [1.0] * 40 + [0.5] * 20 + [0.0] * 41
    return {
        "checkpoint": name,
        "oracle": False,
        "map": ap50 / 2,
        "ap50": ap50,
        "ap75": None,
        "class_ap": [ap50 / 2, None],
        "class_ap50": [ap50, None],
        "precision": [curve, None],
        "boxes": [5, 0],
        **more,
    }


def test_report(tmp_path: Path) -> None:
    run = tmp_path / "run"
    folder = run / "1-evaluate"
    (folder / "p").mkdir(parents=True)
    for name in ("image", "truth", "found", "wrong"):
        Image.new("RGB", (48, 32)).save(folder / "p" / f"{name}.jpg")
    (run / "run.json").write_text(json.dumps(INFO))
    manifest = {"name": "evaluate", "stage": "evaluate", "seconds": 1.0, "summary": {}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    mistake = {"truth": "", "kind": "background", "predicted": "<i>vehicle", "probability": 0.9}
    report = {
        "domain": "highway",
        "classes": ["<i>vehicle", "person"],
        "colours": [[0, 0, 142], [220, 20, 60]],
        "measure": "AP50",
        "absent_rule": "Rule.",
        "scores": [
            score("source-only", 0.4),
            score("advent", 0.5),
            score("oracle", 0.6, oracle=True),
        ],
        "pictures": [
            {
                "name": "one",
                "image": "p/image.jpg",
                "truth": "p/truth.jpg",
                "predictions": {"advent": {"boxes": "p/found.jpg"}},
            }
        ],
        "mistakes": [{"checkpoint": "advent", "images": [{**mistake, "image": "p/wrong.jpg"}]}],
    }
    (folder / "report.json").write_text(json.dumps(report))
    page = build_report(run).read_text()
    assert headline(read_run(run)) == "AdvEnt +10.0 AP50 points over source-only on highway."
    assert "AdvEnt closes 50 % of the 20.0-point gap" in page
    assert page.count("<polyline") == 3 and "no &lt;i&gt;vehicle" in page
    assert "<i>vehicle" not in page and "pixel acc." not in page and "Entropy is" not in page
    assert re.search(r"<th>AP75</th><th>mAP</th>", page)
    assert "mIoU" not in page.partition("<main>")[2]
