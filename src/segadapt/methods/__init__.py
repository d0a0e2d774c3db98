"""Adaptation methods: one paper's training step per file.

A method is found by its file name (``method: advent``) or as ``package.module:Class``.
"""
