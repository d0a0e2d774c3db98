"""Times that are estimated, in words."""

from __future__ import annotations


def about(seconds: float) -> str:
    """Roughly: ``under 10 s``, ``about 40 s``, ``about 3 min``, ``about 2.5 h``."""
    if seconds < 10:
        return "under 10 s"
    if seconds < 55:
        return f"about {10 * round(seconds / 10)} s"
    if seconds < 50 * 60:
        return f"about {max(1, round(seconds / 60))} min"
    if seconds < 36 * 3600:
        return f"about {seconds / 3600:.1f} h"
    return f"about {seconds / 86400:.0f} days"
