"""Text files that say which images of a domain are used."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from segadapt.base.errors import SegadaptError
from segadapt.data.domain import Sample


def listed(samples: Sequence[Sample], image_list: Path, title: str) -> list[Sample]:
    """The samples that a text file names, in its order.

    A line is an image's name or an end of its file's path, as in ``00001.png`` or
    ``aachen/aachen_000000_000019_leftImg8bit.png``. Empty lines are skipped; where the whole line
    is no image, the first of its columns counts.

    Raises:
        SegadaptError: the file cannot be read or names no image, one that is not there, one twice,
            or several at once.
    """
    try:
        lines = [line.strip() for line in image_list.read_text().splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise SegadaptError(f"{title}: the list {image_list} cannot be read ({error})") from error
    if not lines:
        raise SegadaptError(f"{title}: the list {image_list} is empty; give one image per line")
    known = _by_name_and_path(samples)
    found = [known.get(_key(line)) or known.get(_key(line.split()[0]), []) for line in lines]
    wrong = {
        "are not there": [line for line, those in zip(lines, found, strict=True) if not those],
        "fit several images (give more of their paths)": [
            line for line, those in zip(lines, found, strict=True) if len(those) > 1
        ],
    }
    for what, which in wrong.items():
        if which:
            raise SegadaptError(
                f"{title}: {len(which)} of the {len(lines)} images in {image_list} {what}, first "
                f"{', '.join(which[:3])}"
            )
    twice = [x.name for x, number in Counter(those[0] for those in found).items() if number > 1]
    if twice:
        raise SegadaptError(
            f"{title}: {image_list} names {len(twice)} images more than once, first "
            f"{', '.join(twice[:3])}"
        )
    return [those[0] for those in found]


def _key(line: str) -> str:
    return line.removeprefix("./").lstrip("/")


def _by_name_and_path(samples: Sequence[Sample]) -> dict[str, list[Sample]]:
    """Samples by every end of their paths; a sample's own name means that sample alone."""
    found: dict[str, list[Sample]] = {}
    for sample in samples:
        parts = re.split(r"[/\\:]+", str(sample.image).lstrip("/"))
        # Lists leave out differing beginnings.
        for start in range(len(parts)):
            found.setdefault("/".join(parts[start:]), []).append(sample)
    return found | {sample.name: [sample] for sample in samples}
