"""Draws the embedded procedural domains."""
