"""What the rows of the hazard analysis and of the failure modes are made of."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Hazard:
    """What can harm people or things, and who sees to it."""

    id: str
    what: str
    harm: str
    limits: tuple[str, ...]
    """Rows of the limit table that work against it."""
    tests: tuple[str, ...]
    proofs: tuple[str, ...]
    """Names of proofs (``python -m proofs --only NAME``); of the state machine: ``state_machine``."""
    last_line: str
    """Who is left when Holdfast fails as a whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureMode:
    """What of a row of the fault table no table knows: causes, effects, and further tests."""

    row: str
    """Names the row of holdfast/safety/faults.py."""
    hazards: tuple[str, ...]
    cause: str
    effect: str
    """What would come of it if nobody did anything."""
    tests: tuple[str, ...] = ()
    """Beside the injections of holdfast/testing/faults, which are joined by themselves."""
