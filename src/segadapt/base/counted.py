"""Numbers of things in sentences."""

from __future__ import annotations


def counted(number: int, thing: str, things: str | None = None) -> str:
    """``1 image``, ``2 images``, ``3 classes``; ``things`` where the plural is another."""
    if number == 1:
        return f"1 {thing}"
    plural = things or (f"{thing}es" if thing.endswith(("s", "x", "ch", "sh")) else f"{thing}s")
    return f"{number:,} {plural}"
