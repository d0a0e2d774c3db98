"""Libraries that are installed on demand, as extras of the package."""

from __future__ import annotations

from importlib.util import find_spec

from segadapt.base.errors import SegadaptError


def require_extra(what: str, extra: str, **modules: str) -> None:
    """Raise SegadaptError where libraries are not installed, without importing them.

    Args:
        what: that needs them, as the sentence begins: ``film.mp4:``.
        extra: of the package, which installs them.
        modules: names of the libraries, as pip has them, by what Python imports.
    """
    missing = [library for module, library in modules.items() if not _is_there(module)]
    if missing:
        raise SegadaptError(
            f"{what} needs {', '.join(missing)}: pip install 'segadapt[{extra}]', and give the "
            "same command again"
        )


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ValueError:  # put into sys.modules without a spec
        return True
