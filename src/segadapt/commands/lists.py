"""What there is: the ``list`` verb."""

from __future__ import annotations

from collections.abc import Iterator

from segadapt.base.parts import HEADS, METHODS, TRUNKS, Room
from segadapt.config.load import load_recipe, recipe_names


def recipe_lines() -> Iterator[str]:
    """Every shipped recipe with its description."""
    for name in recipe_names():
        yield f"{name}\n    {load_recipe(name).description}"


def method_lines() -> Iterator[str]:
    """Names of all methods, and how others are named."""
    yield from METHODS.names()
    yield "package.module:Class (one of your own)"


def dataset_lines() -> Iterator[str]:
    """Names of all readers of data sets."""
    from segadapt.data.listing import dataset_names

    yield from dataset_names()


def model_lines() -> Iterator[str]:
    """Trunks and heads, a line each."""
    for title, room in (("trunks (model.backbone)", TRUNKS), ("heads (model.heads)", HEADS)):
        yield title
        yield from _part_lines(room)


def _part_lines(room: Room) -> Iterator[str]:
    lines = {**room.first_lines(), "package.module:Class": "One of your own."}
    for names, line in lines.items():
        yield f"  {names:<14} {line}" if len(names) < 15 else f"  {names}\n{'':<17}{line}"
