"""``python -m segadapt``."""

from segadapt.cli import main

main()
