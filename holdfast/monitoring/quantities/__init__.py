"""Quantities are on their way to devices: each has a record, and all have one table."""
