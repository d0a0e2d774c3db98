"""Turns published checkpoints into ours and ours into published ones: the ``convert`` verb."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from safetensors import SafetensorError

from segadapt.base.errors import SegadaptError, first_line
from segadapt.commands.label_ids import named_classes
from segadapt.models.files.checkpoints import (
    TrainedModel,
    load_checkpoint,
    save_checkpoint,
    save_published,
)

OURS = ".safetensors"
THEIRS = (".pth", ".pt")


def convert_checkpoint(
    source: Path, target: Path, family: str | None = None, classes_from: str | None = None
) -> TrainedModel:
    """Read ``source`` and write it in the other format; endings say which is which.

    Args:
        source: a published file, or a ``.safetensors`` file of ours.
        target: a new file, ``.safetensors`` or ``.pth`` (``.pt``).
        family: whose layout the published one of the two has.
        classes_from: a folder with ``classes.yaml``, or a data set's name: what the classes of a
            published file are called, which it does not say. Without it they are guessed from
            their number.

    Raises:
        SegadaptError: a file that cannot be read, written or translated.
    """
    to_ours = target.suffix == OURS
    if to_ours == (source.suffix == OURS) or not (to_ours or target.suffix in THEIRS):
        raise SegadaptError(
            f"{source} to {target}: one of them must end in {OURS} (ours), the other one in "
            f"{' or '.join(THEIRS)} (published)"
        )
    if target.exists():
        raise SegadaptError(f"{target}: exists already; name another file")
    if not target.parent.is_dir():
        raise SegadaptError(f"{target}: its folder does not exist; make it first")
    trained = load_checkpoint(source, family if to_ours else None)
    if classes_from is not None:
        if not to_ours:
            raise SegadaptError("--classes-from: our own file knows its classes; leave it out")
        number = len(trained.classes.names)
        trained = replace(trained, classes=named_classes(classes_from, number))
    try:
        if to_ours:
            save_checkpoint(target, trained)
        else:
            save_published(target, trained, family)
    except (OSError, RuntimeError, SafetensorError) as error:  # as the two writers raise them
        raise SegadaptError(f"{target}: cannot be written ({first_line(error)})") from error
    return trained
