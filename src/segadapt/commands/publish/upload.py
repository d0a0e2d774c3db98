"""The upload to the Hugging Face hub, where there is a token."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from segadapt.base.errors import SegadaptError, first_line
from segadapt.commands.publish.folder import FILES


def not_uploaded(folder: Path) -> str | None:
    """Why a folder cannot be uploaded and what to do about it; None where it can."""
    if find_spec("huggingface_hub") is None:
        return (
            f"{folder}: is written and not uploaded, which needs huggingface_hub: "
            "pip install 'segadapt[hub]', hf auth login, and give the same command again"
        )
    from huggingface_hub import get_token

    if get_token() is None:
        return (
            f"{folder}: is written and not uploaded, for there is no token: hf auth login (or set "
            "HF_TOKEN), and give the same command again"
        )
    return None


def upload(folder: Path, repository: str, private: bool) -> str:
    """Make the repository where it is not there, put the folder's files there, give its address.

    Raises:
        SegadaptError: the hub cannot be reached, or refuses it.
    """
    from huggingface_hub import HfApi

    api = HfApi()
    try:
        made = api.create_repo(repository, private=private or None, exist_ok=True)
        api.upload_folder(
            repo_id=repository,
            folder_path=folder,
            allow_patterns=list(FILES),
            commit_message="Weights and card of a segadapt run",
        )
    except Exception as error:  # the library has a kind of its own for each failure
        raise SegadaptError(
            f"{repository}: cannot be uploaded ({first_line(error)}); {folder} is written, the "
            "same command tries again"
        ) from error
    return str(made)
