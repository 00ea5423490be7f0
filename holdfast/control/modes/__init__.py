"""Modes say what to ask of the battery, given what the site does now. Each is one function."""
