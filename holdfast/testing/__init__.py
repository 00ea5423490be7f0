"""Testing: a simulated battery site, its devices on real protocols, and their faults."""

from holdfast.testing.net import free_port

__all__ = ["free_port"]
