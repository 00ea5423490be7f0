"""The grid operator's signal: what he permits, and what holds while nobody hears of him.

The states and the ways between them are those of the use cases LPC and LPP (EEBUS; in Germany for
§14a EnWG): as long as a heartbeat comes what he says holds; without one the failsafe limit, from
the first cycle on. It is left only for a limit that follows a heartbeat, or after hours without.

A plain contact has no heartbeat. Then an input that can be read is one, and one that cannot be
read is failsafe until it can: no time makes a broken wire a permission.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Good, Missing
from holdfast.core.signals import SITE, Signal
from holdfast.core.units import NS_PER_S

HEARTBEAT_LOST_NS = 120 * NS_PER_S
"""LPC: a heartbeat comes each minute; after two of them without one it is lost."""
NS_PER_MINUTE = 60 * NS_PER_S


class OperatorState(StrEnum):
    """Tells what holds in one direction, consumption or production."""

    INIT = "init"
    """Nobody has heard of him yet: the failsafe limit."""
    UNLIMITED = "unlimited_controlled"
    """He says that there is no limit."""
    LIMITED = "limited"
    """He says that there is one."""
    FAILSAFE = "failsafe"
    """Nobody hears of him any more: the failsafe limit."""
    AUTONOMOUS = "unlimited_autonomous"
    """Nobody has heard of him for hours: no limit."""


class OperatorEvent(StrEnum):
    """Tells what happened in a cycle, as far as it matters; the first that did counts."""

    LOST = "lost"
    """No heartbeat for two minutes, or an input that cannot be read."""
    LIMIT = "limit"
    """A heartbeat, and a limit that followed it."""
    RELEASE = "release"
    """A heartbeat, and after it the word that there is no limit."""
    OVER = "over"
    """What is failsafe has lasted as long as it has to, at least."""


_S, _E = OperatorState, OperatorEvent
TRANSITIONS: dict[tuple[OperatorState, OperatorEvent], OperatorState] = {
    (_S.INIT, _E.LIMIT): _S.LIMITED,
    (_S.INIT, _E.RELEASE): _S.UNLIMITED,
    (_S.INIT, _E.LOST): _S.FAILSAFE,
    (_S.INIT, _E.OVER): _S.AUTONOMOUS,
    (_S.UNLIMITED, _E.LIMIT): _S.LIMITED,
    (_S.UNLIMITED, _E.LOST): _S.FAILSAFE,
    (_S.LIMITED, _E.RELEASE): _S.UNLIMITED,
    (_S.LIMITED, _E.LOST): _S.FAILSAFE,
    (_S.FAILSAFE, _E.LIMIT): _S.LIMITED,
    (_S.FAILSAFE, _E.RELEASE): _S.UNLIMITED,
    (_S.FAILSAFE, _E.OVER): _S.AUTONOMOUS,
    (_S.AUTONOMOUS, _E.LIMIT): _S.LIMITED,
    (_S.AUTONOMOUS, _E.RELEASE): _S.UNLIMITED,
}
"""What is not in it changes nothing."""
HEARD = frozenset({_S.UNLIMITED, _S.LIMITED})
"""In these he is in command: what he says holds at once. In all others it has to follow a
heartbeat."""
LIMITS = frozenset({_S.INIT, _S.LIMITED, _S.FAILSAFE})
"""In these a limit holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorChannel:
    """Names the signals of one direction."""

    limited: Signal
    limit_w: Signal


CONSUMPTION = OperatorChannel(
    limited=Signal.CONSUMPTION_LIMITED, limit_w=Signal.CONSUMPTION_LIMIT_W
)
PRODUCTION = OperatorChannel(limited=Signal.PRODUCTION_LIMITED, limit_w=Signal.PRODUCTION_LIMIT_W)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorTerms:
    """Holds what is configured of one direction."""

    limit_w: float
    """Holds while he limits, where his box tells no watts."""
    failsafe_w: float
    failsafe_ns: int
    """So long at least lasts what is failsafe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorHeartbeat:
    """Holds what was heard of the box. Of a plain contact each reading is a beat."""

    beats: bool = False
    """The box tells a heartbeat."""
    value: float | None = None
    last_ns: int | None = None
    """Tells when the last one came; None: none did."""
    since_ns: int | None = None
    """Tells since when they have come without a gap."""
    writes: float | None = None
    """The box's count of limits."""
    written_ns: int | None = None
    """Tells when the count last changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorMemory:
    """Holds the state of one direction, and for how long a limit has held."""

    state: OperatorState = OperatorState.INIT
    since_ns: int | None = None
    """None before the first cycle."""
    told_w: float | None = None
    """The limit that the box told last while it could be read."""
    time_ns: int | None = None
    spent_ns: int = 0
    """So long was the last cycle, if a limit held in it."""
    limited_ns: int = 0
    """For so long a limit held since the start of the controller,"""
    exceeded_ns: int = 0
    """and for so long of it more flowed than it permits."""


def heard(snapshot: Snapshot, before: OperatorHeartbeat) -> OperatorHeartbeat:
    """Returns what has been heard of the box by this cycle."""
    now_ns = snapshot.time_ns
    beat = snapshot.read(SITE, Signal.OPERATOR_BEATS_COUNT)
    after = replace(before, beats=before.beats or not isinstance(beat, Missing))
    if after.beats:
        if isinstance(beat, Good) and beat.value != before.value:
            # The first value tells that there is a counter, and not that it counts.
            after = replace(after, value=beat.value)
            if before.value is not None:
                after = _beaten(after, beat.time_ns)
    else:
        times_ns = [
            reading.time_ns
            for channel in (CONSUMPTION, PRODUCTION)
            if isinstance(reading := snapshot.read(SITE, channel.limited), Good)
        ]
        if times_ns:
            after = _beaten(after, max(times_ns))
        elif after.last_ns is not None:
            after = replace(after, last_ns=None, since_ns=None)
    writes = snapshot.good(SITE, Signal.OPERATOR_WRITES_COUNT)
    if writes is not None and writes != before.writes:
        first = before.writes is None
        after = replace(after, writes=writes, written_ns=None if first else now_ns)
    if after.last_ns is not None and now_ns - after.last_ns > HEARTBEAT_LOST_NS:
        after = replace(after, last_ns=None, since_ns=None)
    return after


def _beaten(heartbeat: OperatorHeartbeat, time_ns: int) -> OperatorHeartbeat:
    since_ns = time_ns if heartbeat.since_ns is None else heartbeat.since_ns
    return replace(heartbeat, last_ns=time_ns, since_ns=since_ns)


def exceeded(memory: OperatorMemory, *, is_over: bool) -> OperatorMemory:
    """Returns the memory of a direction in which more flowed in the last cycle than is permitted,
    if ``is_over``."""
    if not is_over or memory.spent_ns == 0:
        return memory
    return replace(memory, exceeded_ns=memory.exceeded_ns + memory.spent_ns)


class OperatorSignal:
    """Follows one direction. Holds no state."""

    def __init__(self, channel: OperatorChannel, terms: OperatorTerms) -> None:
        self._channel = channel
        self._terms = terms

    def step(
        self, snapshot: Snapshot, heartbeat: OperatorHeartbeat, memory: OperatorMemory
    ) -> OperatorMemory:
        """Returns the memory after this cycle."""
        now_ns = snapshot.time_ns
        since_ns = now_ns if memory.since_ns is None else memory.since_ns
        spent_ns = 0
        if memory.time_ns is not None and memory.state in LIMITS:
            spent_ns = max(now_ns - memory.time_ns, 0)
        told_w = snapshot.good(SITE, self._channel.limit_w)
        after = replace(
            memory,
            since_ns=since_ns,
            time_ns=now_ns,
            told_w=memory.told_w if told_w is None else told_w,
            spent_ns=spent_ns,
            limited_ns=memory.limited_ns + spent_ns,
        )
        state = self._next(snapshot, heartbeat, after, since_ns)
        return after if state is after.state else replace(after, state=state, since_ns=now_ns)

    def limit_w(self, memory: OperatorMemory) -> float | None:
        """Returns what holds now, W; None: no limit."""
        if memory.state not in LIMITS:
            return None
        if memory.state is OperatorState.LIMITED:
            return self._terms.limit_w if memory.told_w is None else memory.told_w
        return self._terms.failsafe_w

    def _next(
        self,
        snapshot: Snapshot,
        heartbeat: OperatorHeartbeat,
        memory: OperatorMemory,
        since_ns: int,
    ) -> OperatorState:
        for event in self._events(snapshot, heartbeat, memory, since_ns):
            to = TRANSITIONS.get((memory.state, event))
            if to is not None:
                return to
        return memory.state

    def _events(
        self,
        snapshot: Snapshot,
        heartbeat: OperatorHeartbeat,
        memory: OperatorMemory,
        since_ns: int,
    ) -> tuple[OperatorEvent, ...]:
        now_ns = snapshot.time_ns
        lasted_ns = now_ns - since_ns
        limited = snapshot.read(SITE, self._channel.limited)
        # Of a plain contact only its own reading is a beat: the other direction's may be well.
        if heartbeat.since_ns is None or not (heartbeat.beats or isinstance(limited, Good)):
            waits = memory.state is OperatorState.INIT and lasted_ns <= HEARTBEAT_LOST_NS
            if not waits and memory.state not in (OperatorState.FAILSAFE, OperatorState.AUTONOMOUS):
                return (OperatorEvent.LOST,)
            if not heartbeat.beats:
                return ()
        elif isinstance(limited, Good) and self._follows(heartbeat, memory, limited):
            on = limited.value == 1.0
            return (OperatorEvent.LIMIT if on else OperatorEvent.RELEASE,)
        return (OperatorEvent.OVER,) if lasted_ns >= self._terms.failsafe_ns else ()

    def _follows(self, heartbeat: OperatorHeartbeat, memory: OperatorMemory, limited: Good) -> bool:
        """Says whether what the box tells was said after its heartbeat came back."""
        if memory.state in HEARD or not heartbeat.beats:
            return True
        told_ns = limited.time_ns if heartbeat.writes is None else heartbeat.written_ns
        since_ns = heartbeat.since_ns
        return told_ns is not None and since_ns is not None and told_ns > since_ns
