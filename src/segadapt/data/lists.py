"""Text files that say which images of a domain are used."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from pathlib import Path

from segadapt.base.counted import counted
from segadapt.base.errors import SegadaptError
from segadapt.base.text_file import read_ordinary
from segadapt.data.domain import Sample

BLANKS = " \t\r"
"""What may stand around a name; all else may be of it."""


def listed(samples: Sequence[Sample], image_list: Path, title: str) -> list[Sample]:
    """The samples that a text file names, in its order.

    A line is an image's name or an end of its file's path, as in ``00001.png`` or
    ``aachen/aachen_000000_000019_leftImg8bit.png``, also with backslashes. Empty lines are
    skipped; where the whole line is no image, the first of its columns counts.

    Raises:
        SegadaptError: the file cannot be read or names no image, one that is not there, one twice,
            or several at once.
    """
    lines, encoding = _lines(image_list, title)
    if not lines:
        raise SegadaptError(f"{title}: the list {image_list} is empty; give one image per line")
    # Of very many images every end of their paths would take gigabytes.
    depths = {key.count("/") + 1 for line in lines for key in _keys(line)}
    known = _by_name_and_path(samples, depths)
    found = [_fitting(line, known) for line in lines]
    wrong = {
        "are not there": [line for line, those in zip(lines, found, strict=True) if not those],
        "fit several images (give more of their paths)": [
            line for line, those in zip(lines, found, strict=True) if len(those) > 1
        ],
    }
    for what, which in wrong.items():
        if which:
            hint = "" if encoding is None else f"; the list is not in UTF-8, but maybe {encoding}"
            raise SegadaptError(
                f"{title}: {len(which)} of the {len(lines)} images in {image_list} {what}, first "
                f"{', '.join(which[:3])}{hint}"
            )
    twice = [x.name for x, number in Counter(those[0] for those in found).items() if number > 1]
    if twice:
        raise SegadaptError(
            f"{title}: {image_list} names {counted(len(twice), 'image')} more than once, first "
            f"{', '.join(twice[:3])}"
        )
    return [those[0] for those in found]


def _lines(image_list: Path, title: str) -> tuple[list[str], str | None]:
    """Lines that are not empty, and what the list may be written in where that is not UTF-8."""
    try:
        content = read_ordinary(image_list)
        utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        # Bytes that are no UTF-8 may be those of the files' names.
        text = (
            content.decode("utf-16")
            if utf16
            else content.decode("utf-8-sig", errors="surrogateescape")
        )
    except (OSError, UnicodeDecodeError) as error:
        raise SegadaptError(f"{title}: the list {image_list} cannot be read ({error})") from error
    if "\0" in text:
        raise SegadaptError(
            f"{title}: the list {image_list} is no text; give a text file in UTF-8 with one image "
            "per line"
        )
    escaped = any("\udc80" <= letter <= "\udcff" for letter in text)
    # Names may hold what Python takes for further kinds of line ends.
    lines = [line.strip(BLANKS) for line in re.split(r"\r\n|\n|\r", text)]
    return [line for line in lines if line], "Latin-1" if escaped else None


def _fitting(line: str, known: Mapping[str, list[Sample]]) -> list[Sample]:
    """The images that a line may mean."""
    return next((found for key in _keys(line) if (found := known.get(key))), [])


def _keys(line: str) -> Iterator[str]:
    """What a line may mean: as it is, or its first column, or either with backslashes."""
    for text in (line, *line.split()[:1]):
        for form in (text, text.replace("\\", "/")):
            yield _key(form)


def _key(line: str) -> str:
    return unicodedata.normalize("NFC", line.strip(BLANKS).removeprefix("./").lstrip("/"))


def _by_name_and_path(samples: Sequence[Sample], depths: Container[int]) -> dict[str, list[Sample]]:
    """Samples by ends of their paths, of so many parts; a sample's own name means it alone."""
    found: dict[str, list[Sample]] = {}
    for sample in samples:
        path = str(sample.image)
        # Lists leave out differing beginnings; in an archive's file a colon ends one.
        for form in {path, path.replace(":", "/")}:
            parts = re.split("/+", _key(form))
            for start in (x for x in range(len(parts)) if len(parts) - x in depths):
                those = found.setdefault("/".join(parts[start:]), [])
                if sample not in those[-1:]:
                    those.append(sample)
    own: dict[str, list[Sample]] = {}
    for sample in samples:
        own.setdefault(_key(sample.name), []).append(sample)
    return found | own
