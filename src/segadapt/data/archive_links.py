"""Links in archives: other names of files and folders that lie in the same archive."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TypeVar

from segadapt.base.errors import SegadaptError
from segadapt.data.left_out import IMAGE_SUFFIXES

MOST_NAMES = 1_000_000
"""That links may add: such to folders of links can give a small archive names without end."""
MOST_LOOKS = 100_000_000
"""At names, for those that lie in the folders that links lead to."""
MOST_STEPS = 40
"""From link to link, as Linux has it."""

Content = TypeVar("Content")


def link_target(archive: Path, name: str, target: str, from_top: bool = False) -> str:
    """The path in the archive that a link leads to.

    Args:
        archive: for messages.
        name: the link's path in the archive.
        target: what it says; from the archive's top where ``from_top``, else from its own folder.

    Raises:
        SegadaptError: it leads outside of the archive.
    """
    folder = "" if from_top else posixpath.dirname(name)
    path = posixpath.normpath(posixpath.join(folder, target.rstrip("/")))
    if posixpath.isabs(path) or path.partition("/")[0] == ".." or "\0" in target or not target:
        raise SegadaptError(
            f"{archive}: holds a link {name!r} to {target!r}, which leads outside of the folder "
            "that it would be unpacked in; get the data set from where it was published"
        )
    return path


def with_links(
    members: Mapping[str, Content], links: Mapping[str, str], archive: Path
) -> dict[str, Content]:
    """Members by all of their names: their own, and those that links give them.

    Args:
        members: by path.
        links: paths that links lead to, by the links' own.
        archive: for messages.

    Raises:
        SegadaptError: an image is a link to what is not there, links lead round and round, or
            they give too many names.
    """
    found = dict(members)
    folders = {}
    for name in links:
        target = _end_of(name, links, archive)
        if target in members:
            found[name] = members[target]
        else:
            folders[name] = target
    many = SegadaptError(f"{archive}: its links give it too many names of files; unpack it")
    for name, target in sorted(folders.items()):
        if len(folders) * len(found) > MOST_LOOKS:
            raise many
        below = f"{target}/" if target != "." else ""
        inside = [x for x in found if x.startswith(below) and not x.startswith(f"{name}/")]
        if not inside and PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES:
            raise SegadaptError(
                f"{archive}: {name!r} is a link to {target!r}, which is not in the archive; pack "
                "it again with the files themselves (tar --dereference)"
            )
        if len(found) + len(inside) > len(members) + len(links) + MOST_NAMES:
            raise many
        found |= {f"{name}/{x.removeprefix(below)}": found[x] for x in inside}
    return found


def _end_of(name: str, links: Mapping[str, str], archive: Path) -> str:
    """Where links lead in the end, those of folders on the way too."""
    path = name
    for _ in range(MOST_STEPS):
        parts = path.split("/")
        heads = ("/".join(parts[:i]) for i in range(1, len(parts) + 1))
        link = next((head for head in heads if head in links), None)
        if link is None:
            return path
        path = posixpath.normpath(posixpath.join(links[link], path[len(link) + 1 :]))
    raise SegadaptError(f"{archive}: the link {name!r} leads round and round; unpack it")
