"""Choosing among snapshots without target labels: pure functions."""
