"""Counts how often each class occurs in a source's labels."""
