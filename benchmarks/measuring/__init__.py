"""How benchmarks are run, kept and shown; the benchmarks themselves are in ``benchmarks.speed``."""
