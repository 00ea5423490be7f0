"""Strategies are simple rules in the place of the optimizer: one file and one row each."""
