"""What a setting may be, in words, from its JSON schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

KINDS = {
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "boolean": "`true`, `false`",
    "null": "`null`",
    "object": "mapping",
}
BOUNDS = (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"), ("exclusiveMaximum", "<"))


def words(schema: Mapping[str, Any]) -> str:
    """``whole number > 0``, ``[number ≥ 0, number ≥ 0]``, or a link to a section's table."""
    if "$ref" in schema:
        title = heading(schema["$ref"].rpartition("/")[2])
        return f"[{title}](#{title.lower()})"
    for choices in ("anyOf", "oneOf"):
        if choices in schema:
            return " or ".join(dict.fromkeys(words(choice) for choice in schema[choices]))
    if "enum" in schema:
        return ", ".join(f"`{in_yaml(value)}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{in_yaml(schema['const'])}`"
    if schema.get("type") == "array":
        return _of_list(schema)
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        inner = schema["additionalProperties"]
        return f"mapping of names to {words(inner)}" if inner else "mapping"
    kind = KINDS.get(str(schema.get("type")), "any value")
    bounds = [f"{sign} {schema[key]:g}" for key, sign in BOUNDS if key in schema]
    return " ".join([kind, ", ".join(bounds)]).strip()


def heading(name: str) -> str:
    """The heading of a section by the name of its class."""
    return "Stages" if name == "Stage" else name.removesuffix("Config")


def in_yaml(value: Any) -> str:
    """A value as a recipe has it, on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10**6)
    return text.removesuffix("\n").removesuffix("\n...")


def _of_list(schema: Mapping[str, Any]) -> str:
    if "prefixItems" in schema:
        return f"[{', '.join(words(item) for item in schema['prefixItems'])}]"
    return f"list of {words(schema.get('items', {}))}"
