"""The rate limit of the audit log holds back what people and programs send in floods.

The first of a kind gets a line at once, and then the newest gets one a second; the rest is counted.
"""

from collections.abc import Iterator
from dataclasses import replace

from holdfast.core.units import NS_PER_S
from holdfast.monitoring.audit.events import (
    CommandAnswered,
    MessageRefused,
    OperatorActed,
    PlanAccepted,
    PlanNotAccepted,
)
from holdfast.monitoring.throttle import Allowance, Throttle

EVERY_NS = 1 * NS_PER_S

Countable = CommandAnswered | MessageRefused | OperatorActed | PlanAccepted | PlanNotAccepted

_NEW = Throttle(allowance=Allowance(at_once=1, every_ns=EVERY_NS))


class AuditRateLimit:
    """Lets the first event of a key pass, and then one a second: the newest."""

    def __init__(self) -> None:
        self._newest: dict[str, tuple[Throttle, Countable]] = {}

    def passes(self, key: str, event: Countable, now_ns: int) -> Iterator[Countable]:
        """Yields ``event``, with what is counted in it, if its time has come."""
        throttle, _ = self._newest.get(key, (_NEW, event))
        self._newest[key] = (throttle.changed(), event)
        yield from self.due(now_ns)

    def due(self, now_ns: int, *, at_end: bool = False) -> Iterator[Countable]:
        """Yields what has waited long enough, or, at the end, all that waits."""
        for key, (throttle, event) in self._newest.items():
            if throttle.due_ns <= now_ns or (at_end and throttle.waits):
                self._newest[key] = (throttle.told(now_ns), event)
                yield replace(event, repeats=throttle.left_out)
