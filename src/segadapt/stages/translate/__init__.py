"""Gives source images the look of the target."""
