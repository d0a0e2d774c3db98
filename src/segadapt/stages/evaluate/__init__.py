"""Scores checkpoints side by side on a labelled domain."""
