"""A proof ends at once where the battery leaves its safe bounds, or is no longer told of."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Bad, Good, Missing, Reading, Stale
from holdfast.core.signals import SIGNALS, Signal
from holdfast.safety.finding import Level, Reaction, reaction_of
from holdfast.safety.limits import Limit

_MUST: Mapping[Signal, tuple[float, str]] = {
    Signal.EMERGENCY_LOOP_CLOSED: (1.0, "the emergency-stop loop is open"),
    Signal.BMS_PROTECTION: (0.0, "a protection of the BMS has tripped"),
    Signal.INVERTER_FAULT: (0.0, "the inverter reports a fault"),
    Signal.ISLANDED: (0.0, "the inverter carries an island"),
}
"""What each of these has to tell, and what it means if it does not."""
_MAY_CHARGE: Mapping[Signal, tuple[float, str]] = {
    Signal.CHARGE_ALLOWED: (1.0, "the BMS does not permit charging"),
}
_MAY_DISCHARGE: Mapping[Signal, tuple[float, str]] = {
    Signal.DISCHARGE_ALLOWED: (1.0, "the BMS does not permit discharging"),
}
_BLOCKS = {Reaction.BLOCK_CHARGE: 1.0, Reaction.BLOCK_DISCHARGE: -1.0}


def why_lost(snapshot: Snapshot, expected: Mapping[str, Collection[Signal]]) -> str:
    """Returns what is not known that has to be; empty if everything is."""
    return next(
        (
            f"{signal} {reason}"
            for owner, signals in expected.items()
            for signal in sorted(signals)
            if (reason := _why_lost(snapshot.read(owner, signal)))
        ),
        "",
    )


def why_stop(snapshot: Snapshot, limits: Sequence[Limit], directions: Collection[float]) -> str:
    """Returns why no power may flow, in one of ``directions`` (1 charges, -1 discharges, 0 rests);
    empty if it may."""
    return next(_reasons(snapshot, limits, directions), "")


def _reasons(
    snapshot: Snapshot, limits: Sequence[Limit], directions: Collection[float]
) -> Iterator[str]:
    must = dict(_MUST)
    must |= _MAY_CHARGE if 1.0 in directions else {}
    must |= _MAY_DISCHARGE if -1.0 in directions else {}
    for owner in snapshot.readings:
        for signal, (wanted, reason) in must.items():
            if snapshot.good(owner, signal) not in {None, wanted}:
                yield reason
    for limit in limits:
        value = snapshot.good(limit.owner, limit.row.signal)
        if value is not None and _stops(limit, value, directions):
            unit = SIGNALS[limit.row.signal].unit
            yield f"{limit.row.id}: {limit.row.signal} is {value:g} {unit}"


def _stops(limit: Limit, value: float, directions: Collection[float]) -> bool:
    level = limit.level_of(value)
    reaction = reaction_of(level, limit.row.reaction)
    if level < Level.ALARM:
        return False
    if reaction in _BLOCKS:
        return _BLOCKS[reaction] in directions
    return reaction >= Reaction.RAMP_TO_ZERO


def _why_lost(reading: Reading) -> str:
    match reading:
        case Good():
            return ""
        case Stale():
            return "is no longer told"
        case Bad(reason=reason):
            return f"cannot be true: {reason}"
        case Missing():
            return "was never told"
