"""Commissioning finds a device behind an address, and proves on the device what its table says."""
