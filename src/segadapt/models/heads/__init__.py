"""Heads: what turns a trunk's maps into class scores. The contract is in ``base.py``.

A head is found by its file (``heads: daformer``), or as ``package.module:Class``.
"""
