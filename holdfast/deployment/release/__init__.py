"""Releases are built, signed and published with these; a computer with a site needs only facts."""
