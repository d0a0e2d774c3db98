"""Everything that can be found wrong before hours of work are spent."""

from __future__ import annotations

from segadapt.stages.preflight.run import preflight

__all__ = ["preflight"]
