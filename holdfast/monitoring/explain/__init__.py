"""Explanation tells a moment of a site in plain words, from the status now or from the log."""
