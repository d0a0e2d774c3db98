"""How fast the package is beside what its users would run instead: ``python -m benchmarks``."""
