"""Planted mutants: a module, its tests, and what must become of it."""
