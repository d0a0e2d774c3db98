"""Trunks: networks that turn images into maps of features. The contract is in ``base.py``.

A trunk is found by its file: ``resnet101`` in ``resnet.py``, ``timm:NAME`` in ``timm.py``; or as
``package.module:Class``.
"""
