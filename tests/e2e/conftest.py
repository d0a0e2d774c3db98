"""Fixtures of the end-to-end tests; what they are made of is in ``harness.py``."""

from harness import commands, data, one_thread

__all__ = ["commands", "data", "one_thread"]
