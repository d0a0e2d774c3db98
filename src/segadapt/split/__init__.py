"""Splits of the target into easy and hard: pure functions."""
