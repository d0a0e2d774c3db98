"""Names of entries in checkpoints as they were when ``same_numbers.py`` was first recorded."""

from __future__ import annotations

# Version 0.1 had one class for trunk and classifiers; the latter's names were the published ones.
CLASSIFIERS = {"main": "layer6", "aux": "layer5", "second": "layer5"}


def first_name(name: str) -> str:
    """The name in version 0.1 of an entry of today."""
    part, _, rest = name.partition(".")
    if part == "trunk":
        return rest
    if part == "head":
        classifier, _, entry = rest.partition(".")
        if entry[0].isdigit():  # of the digits' networks
            return f"classifier.{entry}"
        return f"{CLASSIFIERS[classifier]}.{entry}"
    return name
