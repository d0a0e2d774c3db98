"""Images with the boxes that a detector found in them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from segadapt.data.boxes.coco import CocoPath
from segadapt.data.class_map import ClassMap
from segadapt.data.domain import Domain


def with_predicted_boxes(domain: Domain, file: Path) -> Domain:
    """The images of a domain with boxes of a COCO file, which calls them by their names.

    Args:
        domain: without labels.
        file: its classes are called as the domain's.
    """
    names = {name: class_id for class_id, name in enumerate(domain.classes.names)}
    samples = tuple(replace(s, label=CocoPath(file, s.name)) for s in domain.samples)
    class_map = ClassMap(domain.classes, {}, names=names)
    return replace(domain, samples=samples, class_map=class_map, labelled=True, predicted=True)
