"""Boxes around objects: how they are stored in files, and what is odd about them."""
