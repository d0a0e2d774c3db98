"""Domains: images, labels, and how they become batches."""
