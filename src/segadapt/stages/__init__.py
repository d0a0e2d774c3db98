"""Stages: one folder each, found by its name (``stage: rank``); the contract is `config/stage.py`.

``config.py`` has its settings and what a recipe's reader must know, and imports no torch;
``check.py``, where there is something to check, what can be found wrong before the run; ``run.py``
the work. The files beside the folders are what stages share.
"""
