"""One sheet tells all of a fault: what it means, what to look at first, what follows, who ends it.

It is put together from the tables: what people are told is in :mod:`rows`, what happens in those of
the safety path.
"""

from dataclasses import dataclass
from difflib import get_close_matches

from holdfast.core.errors import ConfigError
from holdfast.monitoring.language import Language
from holdfast.monitoring.recovery.meaning import row_of
from holdfast.monitoring.recovery.rows import EMERGENCY_STOP, ROWS
from holdfast.safety.clearing import SERVICE_ONLY
from holdfast.safety.faults import FAULTS, Clearing, FaultRow
from holdfast.safety.finding import Level, Reaction
from holdfast.safety.limits import ALL_LIMITS, LimitRow
from holdfast.safety.trend_analyzer import PREDICTIONS, TRENDS, PredictionRow, TrendRow

_FOLLOWS = {
    Reaction.LOG: "it is told, and nothing is narrowed",
    Reaction.HOLD: "the power may not rise",
    Reaction.DERATE: "half of the power",
    Reaction.BLOCK_CHARGE: "no charging",
    Reaction.BLOCK_DISCHARGE: "no discharging",
    Reaction.RAMP_TO_ZERO: "0 W, within half a second",
    Reaction.TRIP: "a trip: 0 W at once, inverter off, contactor open, latched",
    Reaction.EMERGENCY_STOP: "0 W at once, inverter off, contactor open, latched",
}
assert _FOLLOWS.keys() == set(Reaction), "each reaction has its words"

_ENDS = {
    Clearing.BY_ITSELF: "by itself",
    Clearing.OPERATOR: "an operator: `holdfast reset`",
    Clearing.SERVICE: "service, after an inspection: `holdfast reset --service`",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultSheet:
    """Tells of one row of the tables."""

    row: str
    what: str
    follows: str
    """Tells the reaction, of a row with levels that at each."""
    ends: str
    """Tells who ends it, and once its cause has been gone for how long."""
    latches: bool
    for_service: str
    """Tells why an operator may not clear it; empty: he may."""
    steps: tuple[str, ...]
    source: str


def fault_sheets() -> tuple[FaultSheet, ...]:
    """Returns a sheet of every row, in the order of the tables; the emergency stop first."""
    return tuple(sheet_of(row) for row in ROWS)


def sheet_of(name: str) -> FaultSheet:
    """Returns the sheet of ``name``, as status, log and pages show it: also with owner and device.

    Raises ConfigError, with what may be meant, if there is no such fault.
    """
    row = row_of(name.rpartition("/")[2])
    if row is None:
        near = get_close_matches(name, ROWS, n=3, cutoff=0.5)
        meant = f"; did you mean {' or '.join(near)}?" if near else "; `holdfast faults` lists them"
        raise ConfigError(f"there is no fault called {name!r}{meant}")
    follows, clearing, hold, source = _TABLES[row]
    return FaultSheet(
        row=row,
        what=ROWS[row].what.told(Language.EN),
        follows=follows,
        ends=f"{_ENDS[clearing]}{hold}",
        latches=clearing is not Clearing.BY_ITSELF,
        for_service=SERVICE_ONLY.get(row, ""),
        steps=tuple(step.told(Language.EN) for step in ROWS[row].steps),
        source=source,
    )


_Told = tuple[str, Clearing, str, str]
"""What follows, who ends it, after which time, and where that is from."""


def _of_fault(fault: FaultRow) -> _Told:
    hold = _held(fault.hold_s)
    if fault.bms_hold_s is not None:
        hold += f" (of a BMS: {fault.bms_hold_s:g} s)"
    return _FOLLOWS[fault.reaction], fault.clearing, hold, fault.source


def _of_limit(limit: LimitRow) -> _Told:
    told = [f"at alarm: {_FOLLOWS[limit.reaction]}"]
    if limit.trip is not None:
        told.append(f"beyond: {_FOLLOWS[Reaction.TRIP]}")
    hold = "" if limit.trip is not None else _held(limit.hold_s)
    return "; ".join(told), limit.clearing, hold, limit.source


def _of_trend(trend: TrendRow) -> _Told:
    told = [f"at alarm: {_FOLLOWS[trend.reaction]}"]
    trips = trend.levels[0][0] is Level.TRIP
    if trips:
        told.append(f"faster: {_FOLLOWS[Reaction.TRIP]}")
    clearing = Clearing.SERVICE if trips else Clearing.BY_ITSELF
    return "; ".join(told), clearing, "", trend.source


def _of_prediction(prediction: PredictionRow) -> _Told:
    ways = (("charging", prediction.charge), ("discharging", prediction.discharge))
    less = " and ".join(way for way, narrowed in ways if narrowed)
    source = f"its slope meets the alarm of {prediction.limit} within {prediction.horizon_s:g} s"
    return f"less {less}, before the limit is met", Clearing.BY_ITSELF, "", source


def _held(hold_s: float) -> str:
    return f", once its cause has been gone for {hold_s:g} s" if hold_s else ""


_TABLES: dict[str, _Told] = {
    EMERGENCY_STOP: (
        _FOLLOWS[Reaction.EMERGENCY_STOP],
        Clearing.OPERATOR,
        ", at the site's own computer",
        "the emergency button, a person, or a page",
    ),
    **{name: _of_fault(fault) for name, fault in FAULTS.items()},
    **{limit.id: _of_limit(limit) for limit in ALL_LIMITS},
    **{trend.id: _of_trend(trend) for trend in TRENDS},
    **{row.id: _of_prediction(row) for row in PREDICTIONS},
}
assert _TABLES.keys() == ROWS.keys(), "each row says what it means, and what follows"
