"""Flexible loads and heated rooms are asked here, and kept off where need be; it is told why."""
