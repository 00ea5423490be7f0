"""Health is for whoever watches many things: a yes or no, with the reasons.

An emergency stop is not healthy: it works as it should, and somebody has to come. It is no reason
to start anything again, for what is latched stays so; ``docs/emergency.md`` says so, too.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from holdfast.core.state_machine import State
from holdfast.monitoring.status.schema import FRESH_S, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Tells whether the site is well; as JSON it is the answer of ``/health`` and ``/ready``."""

    healthy: bool
    state: str | None
    """Names the state, such as RUNNING; None while nothing fresh tells it."""
    why: tuple[str, ...]
    """Tells what is against it; empty if it is healthy."""


def health(status: Status | None, age_s: float | None) -> Health:
    """Tells whether a controller runs that could do its work: no fault, no stop, all saved.

    ``age_s`` is the age of ``status`` in s; one older than FRESH_S is none.
    """
    return _judged(status, age_s, _against)


def ready(status: Status | None, age_s: float | None) -> Health:
    """Tells whether power flows as asked, or would after a start."""
    return _judged(status, age_s, _hinders)


def _judged(
    status: Status | None, age_s: float | None, why: Callable[[Status], Iterator[str]]
) -> Health:
    if status is None or age_s is None:
        return Health(healthy=False, state=None, why=("no controller tells anything",))
    if not 0.0 <= age_s <= FRESH_S:
        age = f"{age_s:.0f} s old" if math.isfinite(age_s) else "of an unknown age"
        return Health(healthy=False, state=None, why=(f"the last status is {age}",))
    reasons = tuple(why(status))
    return Health(healthy=not reasons, state=status.state.name, why=reasons)


def _against(status: Status) -> Iterator[str]:
    if status.emergency_stop_latched or status.state is State.STOPPED:
        yield "an emergency stop is latched"
    if status.latched_faults:
        yield f"latched: {', '.join(status.latched_faults)}"
    elif status.state is State.ERROR:
        yield "a fault has tripped"
    yield from (f"{f.owner}/{f.row} trips" for f in status.findings if f.level == "trip")
    if not status.latches_on_disk:
        yield "what is latched cannot be saved to the disk"


def _hinders(status: Status) -> Iterator[str]:
    yield from _against(status)
    if status.state is State.BOOT:
        yield "the site tests itself"
    if status.state is not State.RUNNING:
        yield from status.waits_for
