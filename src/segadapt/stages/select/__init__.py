"""Chooses among a training's snapshots without target labels."""
