"""Settings of the head ``multi_level``."""

from __future__ import annotations

from segadapt.models.heads.config.dilations import DilationsConfig


class MultiLevelConfig(DilationsConfig):
    """Those of DeepLab-v2's classifiers."""
