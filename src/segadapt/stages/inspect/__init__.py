"""Looks at target images through several checkpoints, without labels."""
