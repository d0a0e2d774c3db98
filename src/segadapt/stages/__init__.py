"""Stages: thin functions that wire a section of the recipe to the engine."""
