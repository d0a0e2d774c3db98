"""Settings of the head ``sum``."""

from __future__ import annotations

from segadapt.models.heads.config.dilations import DilationsConfig


class SumConfig(DilationsConfig):
    """Those of DeepLab-v2's classifiers."""
