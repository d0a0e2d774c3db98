"""Settings of the head ``single``."""

from __future__ import annotations

from segadapt.models.heads.config.dilations import DilationsConfig


class SingleConfig(DilationsConfig):
    """Those of DeepLab-v2's classifiers."""
