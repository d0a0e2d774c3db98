"""The ways to translate an image."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from segadapt.base.section import Section


class _Rule(Section):
    """What all of them say."""

    @property
    def translator_reference(self) -> str | None:
        """The output of an earlier stage that it uses."""
        return None

    @property
    def files(self) -> dict[str, str]:
        """Files that it reads, relative to the data root, by a title."""
        return {}


class FourierTranslation(_Rule):
    """FDA (Yang and Soatto, CVPR 2020): nothing is trained."""

    rule: Literal["fourier"] = "fourier"
    beta: Annotated[float, Field(ge=0, le=0.5)] = 0.01
    """Half the side of the swapped square of low frequencies, as a share of the image's shorter
    side. The paper's 0.01 is for large images."""


class FolderTranslation(_Rule):
    """Images translated elsewhere, with the names of those they come from."""

    rule: Literal["folder"]
    folder: str
    """Relative to the data root."""

    @property
    def files(self) -> dict[str, str]:
        """The folder."""
        return {"folder": self.folder}


class GeneratorTranslation(_Rule):
    """A trained generator: of a ``train_translator`` stage, or from a file."""

    rule: Literal["generator"]
    translator: str | None = None
    """Output of a ``train_translator`` stage."""
    file: str | None = None
    """Relative to the data root: a ``translator.safetensors`` of another run, or a published
    CycleGAN generator (``latest_net_G_A.pth`` for A to B)."""

    @model_validator(mode="after")
    def _has_one_of_both(self) -> GeneratorTranslation:
        if (self.translator is None) == (self.file is None):
            raise ValueError("needs either `translator` (STAGE.translator) or `file`")
        return self

    @property
    def translator_reference(self) -> str | None:
        """The trained one, where it is of this run."""
        return self.translator

    @property
    def files(self) -> dict[str, str]:
        """The file, where it is one."""
        return {} if self.file is None else {"file": self.file}
