"""Puts a run's model where others find it: the ``publish`` verb."""

from __future__ import annotations

from pathlib import Path

from segadapt.base.errors import SegadaptError
from segadapt.commands.publish.card import Licences
from segadapt.commands.publish.folder import write_folder
from segadapt.commands.publish.trained import published_of
from segadapt.commands.publish.upload import not_uploaded, upload
from segadapt.models.files.hub import NAME


def publish(
    path: Path,
    repository: str,
    out: Path | None = None,
    licences: Licences | None = None,
    private: bool = False,
    uploads: bool = True,
) -> str:
    """Write a folder with weights, their description and a model card, and upload it.

    Args:
        path: a run's folder, a stage's in it, or a checkpoint's file there.
        repository: ``USER/NAME`` on the Hugging Face hub.
        out: the folder; ``published/NAME`` in the run's where not given.
        licences: what the card says of them.
        private: whether a repository that is made is private.
        uploads: whether the folder is uploaded where a token is.

    Returns:
        A sentence: where it is, and what is left to do.

    Raises:
        SegadaptError: the model is of no run, or something cannot be written or uploaded.
    """
    if NAME.fullmatch(repository) is None:
        raise SegadaptError(
            f"{repository}: is no name on the hub; expected USER/NAME of letters, digits, '-', '_' "
            "and '.'"
        )
    published = published_of(path)
    folder = out or published.run.directory / "published" / repository.partition("/")[2]
    write_folder(published, repository, licences or Licences(), folder)
    if not uploads:
        return f"{folder}: is written and not uploaded, as --no-upload says"
    reason = not_uploaded(folder)
    return reason or f"{upload(folder, repository, private)}: is uploaded; it lies in {folder} too"
