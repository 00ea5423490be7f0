"""This module holds what is known of one unit's contactor, and says when it may break a current."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from holdfast.core.commands import Point
from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Good, Reading
from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_S
from holdfast.devices.written_point import DeviceMemory, PointRules
from holdfast.safety.finding import Finding

OPEN_AT_THE_LATEST_NS = 1 * NS_PER_S
"""After this the contactor opens under load too: a welded contact is worse than a worn one."""
SETTLE_NS = 1 * NS_PER_S
"""A write, the contact's movement and the poll behind them are through by then."""

MAIN_RULE = PointRules(
    point=Point.CONTACTOR,
    readback=Signal.CONTACTOR_CLOSED,
    fault="contactor_stuck",
    resolution=1.0,
    refresh_ns=10 * NS_PER_S,
    settle_ns=SETTLE_NS,
    tries=5,
)


class Phase(StrEnum):
    """Tells where a contactor with a precharge is on its way."""

    OPEN = "open"
    PRECHARGE = "precharge"
    """The link is charged through the resistor."""
    CLOSING = "closing"
    """The main contactor has been told to close; its feedback is awaited."""
    CLOSED = "closed"
    OPENING = "opening"
    """It is to be opened: as soon as the current may be broken, at the latest after a second."""
    LOCKED_OUT = "locked_out"
    """It is open after a fault, and stays so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wear:
    """Counts what the main contactor has been through in its whole life."""

    closings: int = 0
    openings_under_load: int = 0
    """Counts those at a current that was not known to be below the break current."""
    complete: bool = True
    """If False, the count was lost once, and this is what came since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayMemory:
    """Holds what was last written, and how far opening or closing has got."""

    points: DeviceMemory = field(default_factory=dict)
    opening_since_ns: int | None = None
    """Tells, without a precharge, since when the contactor is to open."""
    confirmed: bool = False
    """Without a precharge: the feedback has shown closed since the last command to close."""
    open_ns: int | None = None
    """The sample that showed open what is told to be closed; see :func:`shows_open`."""
    wear: Wear = field(default_factory=Wear)
    life_since_ns: Mapping[str, int] = field(default_factory=dict)
    """Tells since when each finding about the contactor's life holds, by its row."""
    phase: Phase = Phase.OPEN
    """This and what follows are for a precharge only."""
    since_ns: int | None = None
    """Tells when the phase began; None before the first cycle."""
    not_before_ns: int | None = None
    """No precharge begins earlier."""
    tries: int = 0
    """Counts the precharges that have failed since the contactor was last closed."""
    was_quick: bool = False
    """One of them was too quick: that can be judged again on a discharged link only."""
    low_ns: int | None = None
    """Tells when the link was last seen, or thought to be, discharged in this precharge."""
    flow_ns: int | None = None
    """A sample of that time shows a current through the open contactor."""
    fault: Finding | None = None
    """Tells why the contactor is locked out, or is about to be."""


def may_break(unit: str, below_a: float, snapshot: Snapshot, since_ns: int | None) -> bool:
    """Says whether a measurement taken after ``since_ns`` shows a current below ``below_a``.

    The inverter's power tells it sooner than a BMS that speaks once a second. If ``since_ns`` is
    None it counts whenever it was taken.
    """
    power = snapshot.read(unit, Signal.BATTERY_POWER_W)
    voltage = snapshot.read(unit, Signal.PACK_VOLTAGE_V)
    if (
        isinstance(power, Good)
        and isinstance(voltage, Good)
        and (since_ns is None or power.time_ns > since_ns)
    ):
        return abs(power.value / voltage.value) < below_a
    current = snapshot.read(unit, Signal.BATTERY_CURRENT_A)
    if isinstance(current, Good) and (since_ns is None or current.time_ns > since_ns):
        return abs(current.value) < below_a
    return False


def shows_open(feedback: Reading, memory: RelayMemory) -> tuple[RelayMemory, bool]:
    """Returns whether a contactor that is told to be closed is seen open, and the new memory.

    One sample may be wrong: the second in a row makes it true.
    """
    if not isinstance(feedback, Good) or feedback.value != 0.0:
        return replace(memory, open_ns=None), False
    if memory.open_ns is None:
        return replace(memory, open_ns=feedback.time_ns), False
    return memory, feedback.time_ns > memory.open_ns


def is_told_closed(memory: RelayMemory) -> bool:
    """Says whether the last command was to close."""
    last = memory.points.get(Point.CONTACTOR)
    return last is not None and last.value == 1.0


def waits_to_open(memory: RelayMemory) -> bool:
    """Says whether it is to open and :func:`may_break` does not let it yet."""
    last = memory.points.get(Point.CONTACTOR)
    told_open = last is not None and last.value == 0.0
    ordered = memory.opening_since_ns is not None or memory.phase is Phase.OPENING
    return ordered and not told_open


def closed_once_more(wear: Wear) -> Wear:
    """Counts a command to close the main contactor."""
    return replace(wear, closings=wear.closings + 1)


def opened_once_more(wear: Wear, *, under_load: bool) -> Wear:
    """Counts a command to open the main contactor, which was closed."""
    return replace(wear, openings_under_load=wear.openings_under_load + under_load)
