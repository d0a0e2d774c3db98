"""How many steps a method has taken."""

from __future__ import annotations

from typing import Any

from torch import nn


class Steps(nn.Module):
    """A counter that is saved with a method's state, and needs no transfer from a device."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def next(self) -> int:
        """The number of this step, from 0."""
        self.count += 1
        return self.count - 1

    def get_extra_state(self) -> dict[str, Any]:
        """For the saved state."""
        return {"count": self.count}

    def set_extra_state(self, state: Any) -> None:
        """Go on from there."""
        self.count = int(state["count"])
