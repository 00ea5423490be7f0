"""What flexible loads and heated rooms are to do now, and why: the plan, or each one's own rule."""

from dataclasses import dataclass
from enum import StrEnum


class LoadSource(StrEnum):
    """Who asks, the best first."""

    PLAN = "plan"
    LOCAL_RULE = "local_rule"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadRequest:
    """A wish, not a command: nothing is permitted by it."""

    on: bool
    """A thermostat that is on heats by itself, up to ``setpoint_c``."""
    setpoint_c: float | None
    """For a thermostat; None: the device takes none."""
    source: LoadSource
    reason: str
