"""Settings of AdvEnt."""

from __future__ import annotations

from segadapt.methods.config.adaptsegnet import AdaptSegNetConfig


class AdvEntConfig(AdaptSegNetConfig):
    """Those of AdaptSegNet, and its values."""
