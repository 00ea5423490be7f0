"""Holdfast is a safety-first energy management controller for battery, PV and load."""

__version__ = "0.1.0"
