"""Audit decides which events get a line in the log, what stands in it, and whether it is whole."""
