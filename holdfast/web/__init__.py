"""This package asks somebody over HTTP, whatever it is about."""
