"""The rate limit of the audit log: what may come in floods gets one line a second.

The rest is counted in the next.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from holdfast.core.units import NS_PER_S
from holdfast.monitoring.audit_events import MessageRefused, PlanAccepted, PlanNotAccepted

EVERY_NS = 1 * NS_PER_S

Countable = MessageRefused | PlanAccepted | PlanNotAccepted


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    at_ns: int
    waits: Countable | None = None
    """The newest that got no line."""
    repeats: int = 0
    """Others before it that got none."""


class AuditRateLimit:
    """Lets the first event of a key pass, and then one a second: the newest."""

    def __init__(self) -> None:
        self._shown: dict[str, _Shown] = {}

    def passes(self, key: str, event: Countable, now_ns: int) -> Iterator[Countable]:
        """``event``, with what is counted in it, if its time has come."""
        shown = self._shown.get(key)
        if shown is None:
            self._shown[key] = _Shown(at_ns=now_ns)
            yield event
            return
        repeats = shown.repeats + (shown.waits is not None)
        self._shown[key] = replace(shown, waits=event, repeats=repeats)
        yield from self.due(now_ns)

    def due(self, now_ns: int, *, at_end: bool = False) -> Iterator[Countable]:
        """What has waited long enough, or, at the end, all that waits."""
        for key, shown in self._shown.items():
            if shown.waits is not None and (at_end or now_ns - shown.at_ns >= EVERY_NS):
                self._shown[key] = _Shown(at_ns=now_ns)
                yield replace(shown.waits, repeats=shown.repeats)
