"""Interlocks: what must be true before something may happen, one row each."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from holdfast.core.config import Site, StorageUnit
from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Missing
from holdfast.core.signals import SIGNALS, SITE, Signal


class Action(StrEnum):
    """What an interlock can block."""

    START = "start"
    """Leaving BOOT, and leaving IDLE for RUNNING."""
    POWER = "power"
    """Any setpoint but 0 W."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InterlockRow:
    """``action`` needs ``signal`` to be good and to have the wanted value."""

    id: str
    action: Action
    signal: Signal
    wanted: Callable[[StorageUnit], float]
    text: str
    """What is the matter while it blocks."""
    writes: bool = False
    """Can only come true if Holdfast writes, so it does not hold for a site that observes."""
    where_told: bool = False
    """Only some devices tell the signal. One that should and does not is found by its data age."""


INTERLOCKS: tuple[InterlockRow, ...] = (
    InterlockRow(
        id="contactor_confirmed",
        action=Action.POWER,
        signal=Signal.CONTACTOR_CLOSED,
        wanted=lambda _: 1.0,
        text="the contactor is not confirmed closed",
    ),
    InterlockRow(
        id="contactor_open",
        action=Action.START,
        signal=Signal.CONTACTOR_CLOSED,
        wanted=lambda _: 0.0,
        text="the contactor is not confirmed open",
        writes=True,
    ),
    InterlockRow(
        id="precharge_complete",
        action=Action.POWER,
        signal=Signal.PRECHARGE_CLOSED,
        wanted=lambda _: 0.0,
        text="the precharge is not confirmed to be over",
        where_told=True,
    ),
    InterlockRow(
        id="precharge_open",
        action=Action.START,
        signal=Signal.PRECHARGE_CLOSED,
        wanted=lambda _: 0.0,
        text="the precharge relay is not confirmed open",
        writes=True,
        where_told=True,
    ),
    InterlockRow(
        id="revert_timer_armed",
        action=Action.START,
        signal=Signal.REVERT_TIMEOUT_READBACK_S,
        wanted=lambda unit: float(round(unit.inverter_hardware.revert_timeout_s)),
        text="the inverter's revert timer is not armed",
        writes=True,
    ),
    InterlockRow(
        id="emergency_loop_closed",
        action=Action.START,
        signal=Signal.EMERGENCY_LOOP_CLOSED,
        wanted=lambda _: 1.0,
        text="the emergency-stop loop is open",
    ),
    InterlockRow(
        id="watchdog_armed",
        action=Action.START,
        signal=Signal.WATCHDOG_ARMED,
        wanted=lambda _: 1.0,
        text="the watchdog is not armed",
    ),
)

assert len({row.id for row in INTERLOCKS}) == len(INTERLOCKS), "an interlock stands twice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """An action that may not happen now, and the row that says so."""

    owner: str
    row: str
    action: Action
    text: str


class InterlockManager:
    """Evaluates the rows for each unit of a site. Holds no state."""

    def __init__(self, site: Site) -> None:
        rows = [row for row in INTERLOCKS if not (row.writes and site.authority == "observe")]
        self._checks = [
            (SITE if SIGNALS[row.signal].of_site else unit.name, row, row.wanted(unit))
            for row in rows
            for unit in (site.storage[:1] if SIGNALS[row.signal].of_site else site.storage)
        ]

    def assess(self, snapshot: Snapshot) -> tuple[Block, ...]:
        """Everything that is blocked. A value that is not good blocks."""
        return tuple(
            Block(owner=owner, row=row.id, action=row.action, text=row.text)
            for owner, row, wanted in self._checks
            if snapshot.good(owner, row.signal) != wanted
            and not (row.where_told and isinstance(snapshot.read(owner, row.signal), Missing))
        )
