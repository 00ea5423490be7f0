"""Devices: tables of what they speak, and the wrappers that are the last check before the wire."""
