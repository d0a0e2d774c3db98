"""YAML that people wrote: what is wrong with it is said in one sentence."""

from __future__ import annotations

from typing import Any

import yaml

from segadapt.base.errors import SegadaptError


def read_yaml(text: str, title: str) -> Any:
    """What a YAML text holds; nothing in it is executed.

    Args:
        text: a whole file, or a single value.
        title: what messages call it: ``recipe demo``.

    Raises:
        SegadaptError: it is no YAML, gives a key twice, is nested too deep, or holds a value that
            is not of its kind (``!!int abc``, a 31st of February).
    """
    try:
        return yaml.load(text, Loader=_StrictLoader)
    except RecursionError as error:
        raise SegadaptError(f"{title}: is not valid YAML: it is nested too deep") from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # In several lines, with the place underlined.
        said = " ".join(str(error).split())
        raise SegadaptError(f"{title}: is not valid YAML: {said}") from error


class _StrictLoader(yaml.SafeLoader):
    """YAML in which a key given twice is an error instead of a silent overwrite."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        # Before `<<` is resolved: a key may well override one that is merged in.
        node = super().compose_mapping_node(anchor)
        seen: set[tuple[str, str]] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if (key.tag, key.value) in seen:
                    raise yaml.YAMLError(f"key {key.value!r} is given twice ({key.start_mark})")
                seen.add((key.tag, key.value))
        return node
