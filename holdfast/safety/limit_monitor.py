"""The limit monitor judges each value by the limit table, with debounce, hysteresis and hold."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Good
from holdfast.core.units import ns_from_s
from holdfast.safety.finding import RAMP_TO_ZERO_NS, Finding, Level, reaction_of
from holdfast.safety.limits import Limit, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class RowMemory:
    """Holds what a row that is not at rest remembers."""

    history: tuple[Level, ...]
    """Holds the levels of the last n samples, the oldest first."""
    sample_ns: int
    """Tells the time of the last sample that was judged."""
    level: Level
    since_ns: int
    """Tells when ``level`` was reached."""
    inside_since_ns: int | None
    """Tells since when the value has been inside by the hysteresis; None while it is not."""


MonitorMemory = Mapping[str, RowMemory]
"""Maps each limit to its memory; a limit at rest is not in it."""


class LimitMonitor:
    """Judges a snapshot by a table. Holds no state; memory goes in and comes out."""

    def __init__(self, limits: tuple[Limit, ...]) -> None:
        self.limits = limits
        # With what is needed to pass over a value at rest on a row at rest.
        self._rows = [
            (limit, limit.key, limit.owner, limit.row.signal, int(limit.row.side), _calm(limit))
            for limit in limits
        ]

    def assess(
        self, snapshot: Snapshot, memory: MonitorMemory
    ) -> tuple[tuple[Finding, ...], MonitorMemory]:
        """Returns the findings of this cycle and the memory for the next.

        Only new samples are counted, so a sample that is read again does not become a proof.
        A value that is not good leaves its row as it is: that the data are lost is a finding
        of its own, and a stronger one.
        """
        now_ns = snapshot.time_ns
        changed: dict[str, RowMemory | None] = {}
        findings: list[Finding] = []
        for limit, key, owner, signal, side, calm_below in self._rows:
            reading = snapshot.readings[owner].get(signal)
            before = memory.get(key)
            if before is None and (
                not isinstance(reading, Good) or side * reading.value < calm_below
            ):
                continue
            after = before
            if isinstance(reading, Good):
                after = _judge(limit, before, reading, now_ns)
            elif before is not None and before.inside_since_ns is not None:
                # Time without data is no time inside.
                after = replace(before, inside_since_ns=None)
            if after is not before:
                changed[key] = after
            if after is not None and after.level > Level.NORMAL:
                findings.append(_finding(limit, after, reading))
        return tuple(findings), _updated(memory, changed)

    def margins(self, snapshot: Snapshot) -> dict[str, float]:
        """Returns the distance of each good value to the level that acts, in its unit, by limit."""
        margins = {}
        for limit in self.limits:
            value = snapshot.good(limit.owner, limit.row.signal)
            if value is not None:
                margins[limit.key] = limit.margin(value)
        return margins


def _calm(limit: Limit) -> float:
    """Below this, times the side, no level is reached."""
    return min(limit.row.side * threshold for _, threshold in limit.levels)


def _judge(limit: Limit, memory: RowMemory | None, reading: Good, now_ns: int) -> RowMemory | None:
    measured = limit.level_of(reading.value)
    if memory is None:
        history = (Level.NORMAL,) * limit.row.samples[1]
        memory = RowMemory(
            history=history, sample_ns=-1, level=Level.NORMAL, since_ns=now_ns, inside_since_ns=None
        )
    elif reading.time_ns == memory.sample_ns:
        return memory
    history = (*memory.history[1:], measured)
    level, since_ns, inside_since_ns = _debounced(limit, memory, history, reading.value, now_ns)
    if level is Level.NORMAL and not any(history):
        return None
    return RowMemory(
        history=history,
        sample_ns=reading.time_ns,
        level=level,
        since_ns=since_ns,
        inside_since_ns=inside_since_ns,
    )


def _debounced(
    limit: Limit, memory: RowMemory, history: tuple[Level, ...], value: float, now_ns: int
) -> tuple[Level, int, int | None]:
    """Returns the level, since when, and since when the value is inside again."""
    m, _ = limit.row.samples
    reached, since_ns = sorted(history)[-m], now_ns
    if limit.is_far(value) and reached < Level.TRIP:
        # At zero at once: what is so far beyond leaves no time for a ramp.
        reached, since_ns = Level.ALARM, now_ns - RAMP_TO_ZERO_NS
    if reached > memory.level:
        return reached, since_ns, None
    inside = limit.level_of(value, inside_by=limit.hysteresis)
    if reached == memory.level or inside >= memory.level:
        return memory.level, min(memory.since_ns, since_ns), None
    inside_since_ns = now_ns if memory.inside_since_ns is None else memory.inside_since_ns
    if now_ns - inside_since_ns < ns_from_s(limit.row.hold_s):
        return memory.level, memory.since_ns, inside_since_ns
    return max(reached, inside), now_ns, None


def _finding(limit: Limit, memory: RowMemory, reading: object) -> Finding:
    row = limit.row
    return Finding(
        owner=limit.owner,
        row=row.id,
        level=memory.level,
        reaction=reaction_of(memory.level, row.reaction),
        since_ns=memory.since_ns,
        text=_text(limit, memory, reading),
        holds_on_island=row.of_battery,
    )


def _text(limit: Limit, memory: RowMemory, reading: object) -> str:
    row = limit.row
    value = f"{reading.value:g}" if isinstance(reading, Good) else "not known"
    clearing = "" if memory.inside_since_ns is None else "; inside again, not yet for long enough"
    if limit.unit == "0/1":
        return f"{row.signal} is {value}{clearing}"
    threshold = next(level for of, level in limit.levels if of is memory.level)
    beyond = "above" if row.side is Side.HIGH else "below"
    return f"{row.signal} {beyond} {threshold:g} {limit.unit}: {value}{clearing}"


def _updated(memory: MonitorMemory, changed: dict[str, RowMemory | None]) -> MonitorMemory:
    if not changed:
        return memory
    return {key: row for key, row in {**memory, **changed}.items() if row is not None}
