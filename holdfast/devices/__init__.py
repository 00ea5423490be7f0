"""Devices have tables of what they speak, and wrappers that are the last check before the wire."""
