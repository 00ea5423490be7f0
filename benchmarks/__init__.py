"""Benchmarks: one for each budget of the design, runnable as ``python -m benchmarks.NAME``."""
