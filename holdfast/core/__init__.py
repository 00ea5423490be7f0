"""Values, signals, states and configuration: what every other package speaks in."""
