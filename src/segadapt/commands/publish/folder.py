"""The folder that is published: weights, their description and the card."""

from __future__ import annotations

from pathlib import Path

from segadapt.artefacts import write_json
from segadapt.base.errors import SegadaptError
from segadapt.commands.publish.card import Licences, card
from segadapt.commands.publish.trained import Published
from segadapt.models.files.checkpoints import description_of, save_checkpoint
from segadapt.models.files.hub import MODEL_FILE

CARD_FILE = "README.md"
CONFIG_FILE = "config.json"
FILES = (MODEL_FILE, CONFIG_FILE, CARD_FILE)


def write_folder(published: Published, repository: str, licences: Licences, folder: Path) -> None:
    """Write the files; those of an earlier call are written anew.

    Raises:
        SegadaptError: the folder holds something else, or cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        others = sorted(path.name for path in folder.iterdir() if path.name not in FILES)
        if others:
            raise SegadaptError(
                f"--out {folder}: holds other files ({', '.join(others[:3])}), which would be "
                "published too; name a new folder"
            )
        save_checkpoint(folder / MODEL_FILE, published.model)
        write_json(folder / CONFIG_FILE, description_of(published.model))
        (folder / CARD_FILE).write_text(card(published, repository, licences), encoding="utf-8")
    except OSError as error:
        raise SegadaptError(f"--out {folder}: cannot be written ({error.strerror})") from error
