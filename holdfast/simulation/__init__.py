"""Simulation has a plant, a simulated site on real protocols, and accelerated runs."""
