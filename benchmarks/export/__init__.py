"""Exported files, their size and their speed."""
