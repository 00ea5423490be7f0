"""Regulation makes of what the site asks what its devices deliver at the meter; it is pure."""
