"""Core has the values, signals, states and configuration that every other package speaks in."""
