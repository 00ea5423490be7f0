"""Asking somebody over HTTP, whatever it is about."""
