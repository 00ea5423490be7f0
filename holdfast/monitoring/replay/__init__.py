"""This package keeps what cycles saw and decided around an incident, and runs them again."""
