"""What can become of a mutant."""

from dataclasses import dataclass
from enum import StrEnum


class Fate(StrEnum):
    """The fates, and what each is worth."""

    KILLED = "killed"
    """A test failed."""
    SURVIVED = "survived"
    """Every test passed: either a test is missing, or the mutant is no other program."""
    STILLBORN = "stillborn"
    """It cannot be imported, or no test that uses it: its own assertions, or a missing name."""
    TIMED_OUT = "timed out"
    """It used ten times the processor time of the original."""
    CRASHED = "crashed"
    """The process died, or pytest did: nothing is known, so this is a failure of the run."""
    NO_TESTS = "no tests"
    """Not one test ran: a failure of the run as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The fate of one mutant."""

    fate: Fate
    by: str = ""
    """The test that failed, the error, or the signal."""
    tests: int = 0
    """How many ran."""
    cpu_s: float = 0.0
