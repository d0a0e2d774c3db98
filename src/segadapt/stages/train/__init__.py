"""Trains a segmenter with one method."""
