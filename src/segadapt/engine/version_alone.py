"""Spares a start what a library imports only to see a version."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType


@contextmanager
def version_alone(name: str) -> Iterator[None]:
    """Within, ``import name`` gives a module with its version and nothing else.

    Where it is imported already, or not installed, nothing is different. Not for threads: others
    that import ``name`` meanwhile would get no more.
    """
    if name in sys.modules:
        yield
        return
    try:
        shown = ModuleType(name)
        shown.__dict__["__version__"] = version(name)
    except PackageNotFoundError:
        yield
        return
    sys.modules[name] = shown
    try:
        yield
    finally:
        del sys.modules[name]
