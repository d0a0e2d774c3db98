"""The splits that can be drawn, and what each is of."""

from __future__ import annotations

from typing import Literal

Split = Literal[
    "rendered", "camera_train", "camera_val", "clear_train", "clear_val", "fog_train", "fog_val"
]

# Seeds go by the place in it, so new splits come last.
SPLITS: dict[Split, tuple[Literal["rendered", "camera"], str | None]] = {
    "rendered": ("rendered", None),
    "camera_train": ("camera", None),
    "camera_val": ("camera", None),
    "clear_train": ("camera", "clear"),
    "clear_val": ("camera", "clear"),
    "fog_train": ("camera", "fog"),
    "fog_val": ("camera", "fog"),
}
"""Domain and condition (any where there is none) by split; each has layouts of its own."""
