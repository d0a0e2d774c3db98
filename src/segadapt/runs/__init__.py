"""Runs of recipes: folders, what results come from, provenance."""
