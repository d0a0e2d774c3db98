"""Adaptation methods: one paper's training step per file; the contract is in ``base.py``.

A method is found by its file (``method: advent``), or as ``package.module:Class``.
"""
