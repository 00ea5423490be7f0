"""Flexible loads and heated rooms: these modules tell what they had and need, and when they run."""
