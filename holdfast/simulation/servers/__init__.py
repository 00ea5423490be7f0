"""Servers are the simulated devices as they answer on Modbus TCP and CAN, and their faults."""
