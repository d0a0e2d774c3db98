"""Parts that a recipe names (stages, methods, trunks, heads): ours by file, anyone's by class.

A part of ours is found by the name of its file in its room's folder, and its settings in the file
of that name in the folder's ``config``, which imports no torch: a recipe is read at once. A part of
a user's own is ``package.module:Class``.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from segadapt.base.errors import SegadaptError, first_line, unforeseen
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
    """One file has several parts; their section's ``names`` lists them (``resnet18``), or they go
    on after a colon (``timm:NAME``)."""
    folders: bool = False
    """A part is a folder, and its class the section of its settings, in ``config.py``."""

    def files(self) -> list[str]:
        """Names of the files, or folders, without torch."""
        return _modules(self.package, self.folders)

    def names(self) -> list[str]:
        """Names of all parts of ours, without torch."""
        if not self.families:
            return self.files()
        return [name for file in self.files() for name in self._names_in(file)]

    def find(self, name: str) -> type[Any]:
        """The class of a part.

        Raises:
            SegadaptError: there is none.
        """
        file = self._file(name)
        if file is None:
            return own_class(self.kind, name, self.base)
        return self._class_of(file)

    def is_own(self, name: str) -> bool:
        """Whether a part is a user's own; nothing of it is imported.

        Raises:
            SegadaptError: there is none.
        """
        return self._file(name) is None

    def settings(self, name: str) -> type[Section]:
        """The section of a part's settings; torch is imported for those of a user's own only.

        Raises:
            SegadaptError: there is no such part.
        """
        file = self._file(name)
        if file is None:
            found = own_class(self.kind, name, self.base).Config
            if not (isinstance(found, type) and issubclass(found, Section)):
                raise SegadaptError(
                    f"{self.kind} {name}: its Config must be a subclass of "
                    "segadapt.base.section.Section"
                )
            return found
        return self._settings_of(file)

    def first_lines(self) -> dict[str, str]:
        """What each file's part is, in a line, by the names to use."""
        found = {}
        for file in self.files():
            part = self._class_of(file)
            names = self._names_in(file) if self.families else [file]
            found[", ".join(names)] = (part.__doc__ or "").strip().splitlines()[0]
        return found

    def unknown(self) -> str:
        """What is said after a name that is none."""
        return (
            f"unknown; there are {', '.join(self.names())}, or package.module:Class for one of "
            "your own"
        )

    def _file(self, name: str) -> str | None:
        """The file of a part of ours; None of a user's own."""
        if not self.families:
            if name in self.files():
                return name
        else:
            before, colon, after = name.partition(":")
            for file in self.files():
                listed = getattr(self._settings_of(file), "names", ())
                if name in listed or (not listed and before == file and colon and after):
                    return file
        if ":" in name:
            return None
        raise SegadaptError(f"{self.kind} {name}: {self.unknown()}")

    def _names_in(self, file: str) -> list[str]:
        return list(getattr(self._settings_of(file), "names", ())) or [f"{file}:NAME"]

    def _settings_of(self, file: str) -> type[Section]:
        if file not in _modules(f"{self.package}.config", folders=False):
            return Section  # a part of ours without settings
        return self._class_in(f"{self.package}.config.{file}", file, "config")

    def _class_of(self, file: str) -> type[Any]:
        if self.folders:
            return self._class_in(f"{self.package}.{file}.config", file, self.kind)
        return self._class_in(f"{self.package}.{file}", file, "")

    def _class_in(self, module: str, file: str, ending: str) -> type[Any]:
        wanted = file.replace("_", "") + ending
        for attribute in vars(importlib.import_module(module)).values():
            if isinstance(attribute, type) and attribute.__name__.lower() == wanted:
                return attribute
        raise SegadaptError(f"{self.kind} {file}: {module} holds no class {wanted}")


@lru_cache
def _modules(package: str, folders: bool) -> list[str]:
    """Names of the modules of a package, or of the packages in it."""
    found = pkgutil.iter_modules(importlib.import_module(package).__path__)
    return sorted(x.name for x in found if x.ispkg == folders and x.name not in ("base", "config"))


def own_class(kind: str, name: str, base: str) -> type[Any]:
    """The class that ``package.module:Class`` names.

    Raises:
        SegadaptError: it cannot be imported, or is not a subclass of the base.
    """
    module_name, _, class_name = name.partition(":")
    try:
        found = getattr(importlib.import_module(module_name), class_name)
    except (ModuleNotFoundError, ValueError) as error:
        missing = getattr(error, "name", None) or module_name
        advice = f"{module_name} itself asks for it: is it installed?"
        if f"{module_name}.".startswith(f"{missing}."):
            advice = "is its folder on PYTHONPATH, or its package installed?"
        raise SegadaptError(
            f"{kind} {name}: cannot be imported ({first_line(error)}); {advice}"
        ) from error
    except AttributeError as error:
        raise SegadaptError(f"{kind} {name}: cannot be imported ({first_line(error)})") from error
    except (Exception, SystemExit) as error:  # of somebody's module: it may do anything
        raise SegadaptError(f"{kind} {name}: cannot be imported ({unforeseen(error)})") from error
    module_of_base, _, class_of_base = base.rpartition(".")
    wanted = getattr(importlib.import_module(module_of_base), class_of_base)
    if not (isinstance(found, type) and issubclass(found, wanted)):
        raise SegadaptError(f"{kind} {name}: is not a subclass of {base}")
    return found


METHODS = Room("method", "segadapt.methods", "segadapt.methods.base.Method")
TRUNKS = Room(
    "backbone", "segadapt.models.trunks", "segadapt.models.trunks.base.Trunk", families=True
)
HEADS = Room("heads", "segadapt.models.heads", "segadapt.models.heads.base.Head")
