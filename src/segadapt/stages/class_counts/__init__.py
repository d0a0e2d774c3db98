"""Counts the classes of every image of a source, for drawing rare ones."""
