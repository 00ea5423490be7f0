"""The contactor has a phase, wear and a precharge; this package tells it to close and open."""
