"""Writes a first recipe for two folders of images: the ``new`` verb."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from segadapt.base.errors import SegadaptError
from segadapt.commands.own_data import classes, look, machine, recipe
from segadapt.config.load import load_recipe
from segadapt.data.class_file import read_class_file

CLASSES = "classes.yaml"


def new_recipe(
    file: Path,
    source: Path,
    target: Path,
    device: str,
    minutes: float,
    weights: str | None,
    tell: Callable[[str], None],
) -> None:
    """Look at the folders, write ``classes.yaml`` where there is none, and the recipe.

    Raises:
        SegadaptError: the file exists, the folders do not hold what is needed, or the classes have
            no names yet.
    """
    if file.suffix not in (".yaml", ".yml"):
        raise SegadaptError(f"{file}: a recipe's name ends in .yaml; name it {file}.yaml")
    if file.exists():
        raise SegadaptError(f"{file}: exists already; name another file")
    labelled = look.source_split(look.splits_of(source))
    unlabelled, test = look.target_splits(look.splits_of(target))
    for split in (labelled, unlabelled, test):
        if split is not None:
            tell(look.told(split))
    if test is None:
        tell(f"{target}: no labelled split beside, so nothing will be scored")
    _give_classes(source, target, labelled, tell)
    number = len(read_class_file(source).classes.names)
    plan = machine.plan(unlabelled.size, number, device, minutes, weights)
    found = recipe.Found(labelled, unlabelled, test)
    _write(file, recipe.text(found, plan, file))
    load_recipe(str(file))
    tell(
        f"{file}: {plan.iterations} iterations a stage, about {plan.minutes} minutes on "
        f"{plan.machine}; look at it, then\n  segadapt check {file}\n  segadapt run {file}"
    )


def _give_classes(
    source: Path, target: Path, labelled: look.Split, tell: Callable[[str], None]
) -> None:
    if not (source / CLASSES).is_file():
        draft = classes.draft(source, labelled.name)
        _write(source / CLASSES, draft)
        if classes.NAMELESS in draft:
            raise SegadaptError(
                f"{source / CLASSES}: was missing, and is written with what the labels hold; give "
                "the classes their names in it, then give the same command again"
            )
        tell(f"{source / CLASSES}: was missing, and is written; its colours are Cityscapes'")
    if not (target / CLASSES).is_file():
        _write(target / CLASSES, (source / CLASSES).read_text())
        tell(f"{target / CLASSES}: was missing, and is copied from {source}")


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    except OSError as error:
        raise SegadaptError(f"{file}: cannot be written ({error.strerror})") from error
