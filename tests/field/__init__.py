"""Situations from the field, in which other systems went wrong: one module each."""
