"""Settings of CIRN's two classifiers."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from segadapt.models.heads.config.sum import SumConfig


class AncillaryConfig(SumConfig):
    """Those of DeepLab-v2's classifiers, and K."""

    attention_modules: Annotated[int, Field(ge=0, le=64)] = 2
    """K of the ancillary classifier; 0 makes it an ordinary one."""
