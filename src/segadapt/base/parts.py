"""Parts that a recipe names (stages, methods, trunks, heads): ours by file, anyone's by class.

A part of ours is found by the name of its file in its room's folder, and its settings in the file
of that name in the folder's ``config``, which imports no torch: a recipe is read at once. A part of
a user's own is ``package.module:Class``.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType
from typing import Any, cast

from segadapt.base.errors import SegadaptError
from segadapt.base.section import Section


@dataclass(frozen=True)
class Room:
    """A folder of parts of one kind."""

    kind: str
    """What messages call such a part."""
    package: str
    base: str
    """The class that all of them are subclasses of, with its module."""
    families: bool = False
    """One file has several parts, whose names begin with the file's (``resnet18``) or go on after a
    colon (``timm:NAME``)."""
    folders: bool = False
    """A part is a folder, and its class the section of its settings, in ``config.py``."""

    def names(self) -> list[str]:
        """Names of the files, without torch."""
        folder = importlib.import_module(self.package)
        found = pkgutil.iter_modules(folder.__path__)
        return sorted(
            x.name for x in found if x.ispkg == self.folders and x.name not in ("base", "config")
        )

    def find(self, name: str) -> type[Any]:
        """The class of a part.

        Raises:
            SegadaptError: there is none.
        """
        file = self._file(name)
        if file is None:
            return self._own(name)
        if self.folders:
            module = importlib.import_module(f"{self.package}.{file}.config")
            return self._class_in(module, file, self.kind)
        return self._class_in(importlib.import_module(f"{self.package}.{file}"), file, "")

    def settings(self, name: str) -> type[Section]:
        """The section of a part's settings; torch is imported for those of a user's own only.

        Raises:
            SegadaptError: there is no such part.
        """
        file = self._file(name)
        if file is None:
            return cast("type[Section]", self._own(name).Config)
        module = f"{self.package}.config.{file}"
        if not _exists(module):
            return Section  # a part of ours without settings
        return self._class_in(importlib.import_module(module), file, "config")

    def first_lines(self) -> dict[str, str]:
        """What each file's part is, in a line, by the names to use."""
        found = {}
        for file in self.names():
            part = self.find(file)
            line = (part.__doc__ or "").strip().splitlines()[0]
            names = getattr(part, "NAMES", ()) or (f"{file}:NAME" if self.families else file,)
            found[", ".join(names)] = line
        return found

    def _file(self, name: str) -> str | None:
        """The file of a part of ours; None of a user's own."""
        names = self.names()
        if name in names:
            return name
        family = re.match(r"[a-z_]+", name)
        if self.families and family is not None and family[0] in names:
            return family[0]
        if ":" in name:
            return None
        raise SegadaptError(
            f"{self.kind} {name}: unknown; there are {', '.join(names)}, "
            "or package.module:Class for one of your own"
        )

    def _own(self, name: str) -> type[Any]:
        return own_class(self.kind, name, self.base)

    def _class_in(self, module: ModuleType, file: str, ending: str) -> type[Any]:
        wanted = file.replace("_", "") + ending
        for attribute in vars(module).values():
            if isinstance(attribute, type) and attribute.__name__.lower() == wanted:
                return attribute
        raise SegadaptError(f"{self.kind} {file}: {module.__name__} holds no class {wanted}")


def own_class(kind: str, name: str, base: str) -> type[Any]:
    """The class that ``package.module:Class`` names.

    Raises:
        SegadaptError: it cannot be imported, or is not a subclass of the base.
    """
    module_name, _, class_name = name.partition(":")
    try:
        found = getattr(importlib.import_module(module_name), class_name)
    except Exception as error:  # the file is somebody's, and may do anything when it is imported
        raise SegadaptError(
            f"{kind} {name}: cannot be imported ({error}); is its folder on PYTHONPATH, or its "
            "package installed?"
        ) from error
    module_of_base, _, class_of_base = base.rpartition(".")
    wanted = getattr(importlib.import_module(module_of_base), class_of_base)
    if not (isinstance(found, type) and issubclass(found, wanted)):
        raise SegadaptError(f"{kind} {name}: is not a subclass of {base}")
    return found


@lru_cache
def _exists(module: str) -> bool:
    package, _, name = module.rpartition(".")
    folder = importlib.import_module(package)
    return name in {x.name for x in pkgutil.iter_modules(folder.__path__)}


METHODS = Room("method", "segadapt.methods", "segadapt.methods.base.Method")
TRUNKS = Room(
    "backbone", "segadapt.models.trunks", "segadapt.models.trunks.base.Trunk", families=True
)
HEADS = Room("heads", "segadapt.models.heads", "segadapt.models.heads.base.Head")
