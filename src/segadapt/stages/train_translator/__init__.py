"""Trains CycleGAN between source and target."""
