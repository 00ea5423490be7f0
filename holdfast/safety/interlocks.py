"""The interlock table says what must be true before something may happen, one row each.

What an action brings about stands here as well, so that a table in which an action waits for
itself, or for two things that exclude each other, is refused when it is loaded.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter

from holdfast.core.config import StorageUnit
from holdfast.core.signals import SIGNALS, Signal


class Action(StrEnum):
    """Names what an interlock can block."""

    START = "start"
    """The site leaves BOOT, or leaves IDLE for RUNNING."""
    CONNECT = "connect"
    """The contactor closes. One that is closed stays so."""
    POWER = "power"
    """The setpoint leaves 0 W, or the inverter's power stage is enabled."""
    CHARGE = "charge"
    DISCHARGE = "discharge"
    OPEN = "open"
    """The contactor opens."""


Wanted = float | Callable[[StorageUnit], float] | None
"""It is a value, one that the unit's configuration gives, or None: any value that is good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InterlockRow:
    """``action`` needs ``signal`` to be good and to have the wanted value."""

    id: str
    action: Action
    signal: Signal
    wanted: Wanted
    text: str
    """Tells what is the matter while it blocks."""
    writes: bool = False
    """It can only come true if Holdfast writes, so it does not hold for a site that observes."""
    where_told: bool = False
    """Only some devices tell the signal. One that should and does not is found by its data age."""
    judged_by_relays: bool = False
    """The relay controller judges it, which knows how old a measurement may be. It stands here
    for its name."""

    @property
    def of_battery(self) -> bool:
        """Says whether it protects the battery itself: on an island it blocks discharge as ever."""
        return SIGNALS[self.signal].of_battery


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRow:
    """Tells what comes of an action."""

    brings: Mapping[Signal, float]
    after: tuple[Action, ...]
    """Names the actions that come first, beyond those that its interlocks tell."""
    lasts: bool
    """What it needs must stay true all the while; for the others, only at their moment."""


_A, _S = Action, Signal

ACTIONS: Mapping[Action, ActionRow] = {
    _A.START: ActionRow(brings={}, after=(), lasts=False),
    _A.CONNECT: ActionRow(
        brings={_S.CONTACTOR_CLOSED: 1.0, _S.PRECHARGE_CLOSED: 0.0}, after=(_A.START,), lasts=False
    ),
    _A.POWER: ActionRow(brings={_S.INVERTER_ENABLED: 1.0}, after=(), lasts=True),
    _A.CHARGE: ActionRow(brings={}, after=(_A.POWER,), lasts=True),
    _A.DISCHARGE: ActionRow(brings={}, after=(_A.POWER,), lasts=True),
    _A.OPEN: ActionRow(brings={_S.CONTACTOR_CLOSED: 0.0}, after=(), lasts=False),
}
assert ACTIONS.keys() == set(Action), "every action says what it brings about"

AT_REST: Mapping[Signal, float] = {
    _S.CONTACTOR_CLOSED: 0.0,
    _S.PRECHARGE_CLOSED: 0.0,
    _S.INVERTER_ENABLED: 0.0,
}
"""Tells what is so before anything is done: nobody has to bring it about."""


def _revert_timeout_s(unit: StorageUnit) -> float:
    return float(round(unit.inverter_hardware.revert_timeout_s))


_WRITES, _WHERE_TOLD, _BY_RELAYS = (
    {"writes": True},
    {"where_told": True},
    {"judged_by_relays": True},
)

# fmt: off
INTERLOCKS: tuple[InterlockRow, ...] = tuple(
    InterlockRow(id=id_, action=action, signal=signal, wanted=wanted, text=text, **marks)
    for id_, action, signal, wanted, text, marks in (
        # id                         action        signal                        wanted             what is the matter while it blocks
        ("contactor_open",            _A.START,     _S.CONTACTOR_CLOSED,          0.0,               "the contactor is not confirmed open", _WRITES),
        ("precharge_open",            _A.START,     _S.PRECHARGE_CLOSED,          0.0,               "the precharge relay is not confirmed open", _WRITES | _WHERE_TOLD),
        ("setpoint_at_zero",          _A.START,     _S.SETPOINT_READBACK_W,       0.0,               "the inverter does not hold the 0 W that were written to it", _WRITES),
        ("device_mode_off",           _A.START,     _S.DEVICE_MODE,               0.0,               "the inverter keeps a rule of its own", _WRITES | _WHERE_TOLD),
        ("revert_timer_armed",        _A.START,     _S.REVERT_TIMEOUT_READBACK_S, _revert_timeout_s, "the inverter's revert timer is not armed", _WRITES | _WHERE_TOLD),
        ("emergency_loop_closed",     _A.START,     _S.EMERGENCY_LOOP_CLOSED,     1.0,               "the emergency-stop loop is open", {}),
        ("watchdog_armed",            _A.START,     _S.WATCHDOG_ARMED,            1.0,               "the watchdog is not armed", {}),
        ("connect_emergency_loop",    _A.CONNECT,   _S.EMERGENCY_LOOP_CLOSED,     1.0,               "the emergency-stop loop is not known to be closed", {}),
        ("connect_power_stage_off",   _A.CONNECT,   _S.INVERTER_ENABLED,          0.0,               "the inverter's power stage is not confirmed off", {}),
        ("connect_pack_voltage",      _A.CONNECT,   _S.PACK_VOLTAGE_V,            None,              "the battery's voltage is not known", {}),
        ("contactor_confirmed",       _A.POWER,     _S.CONTACTOR_CLOSED,          1.0,               "the contactor is not confirmed closed", {}),
        ("precharge_complete",        _A.POWER,     _S.PRECHARGE_CLOSED,          0.0,               "the precharge is not confirmed to be over", _WHERE_TOLD),
        ("fresh_pack_voltage",        _A.POWER,     _S.PACK_VOLTAGE_V,            None,              "the BMS does not tell the battery's voltage", {}),
        ("fresh_battery_current",     _A.POWER,     _S.BATTERY_CURRENT_A,         None,              "the BMS does not tell the battery's current", {}),
        ("fresh_battery_power",       _A.POWER,     _S.BATTERY_POWER_W,           None,              "the inverter does not tell its power", {}),
        ("bms_permits_charge",        _A.CHARGE,    _S.CHARGE_ALLOWED,            1.0,               "the BMS does not permit charging", _WHERE_TOLD),
        ("bms_permits_discharge",     _A.DISCHARGE, _S.DISCHARGE_ALLOWED,         1.0,               "the BMS does not permit discharging", _WHERE_TOLD),
        ("contactor_under_load",      _A.OPEN,      _S.BATTERY_POWER_W,           None,              "the contactor waits for a current that it may break, for a second at the most", _BY_RELAYS),
    )
)
# fmt: on

(UNDER_LOAD,) = (row for row in INTERLOCKS if row.judged_by_relays)
"""This row blocks while the relay controller waits to open a contactor."""


def check_table(
    rows: Iterable[InterlockRow],
    actions: Mapping[Action, ActionRow] = ACTIONS,
    at_rest: Mapping[Signal, float] = AT_REST,
) -> None:
    """Raises ValueError for a table that cannot be kept.

    Refused are a row that stands twice; a cycle, in which an action needs, directly or through
    others, what only it brings about; and a contradiction, in which an action needs two values
    of one signal at the same time. What an action needs holds at its moment only, unless it
    lasts; what it brings about stays until another action changes it. So START may want the
    contactor open and POWER, later, closed.
    """
    rows = tuple(rows)
    ids = [row.id for row in rows]
    if len(set(ids)) != len(ids):
        raise ValueError("an interlock stands twice")
    before = _before(rows, actions, at_rest)
    for action in actions:
        for signal, value in _wants(action, rows).items():
            _check_want(action, signal, value, before, actions)


def _wants(action: Action, rows: Iterable[InterlockRow]) -> dict[Signal, Wanted]:
    """Returns what ``action`` needs, by signal. Raises ValueError for two values of one signal."""
    wants: dict[Signal, Wanted] = {}
    for row in rows:
        if row.action is not action or row.wanted is None:
            continue
        if wants.setdefault(row.signal, row.wanted) != row.wanted:
            raise ValueError(f"contradiction: {action} needs two values of {row.signal}")
    return wants


def _before(
    rows: tuple[InterlockRow, ...],
    actions: Mapping[Action, ActionRow],
    at_rest: Mapping[Signal, float],
) -> dict[Action, frozenset[Action]]:
    """Returns everything that has to be done before each action, directly or through others."""
    needs = {
        action: {
            *row.after,
            *(
                other
                for signal, value in _wants(action, rows).items()
                for other in actions
                if at_rest.get(signal) != value and actions[other].brings.get(signal) == value
            ),
        }
        for action, row in actions.items()
    }
    try:
        order = tuple(TopologicalSorter(needs).static_order())
    except CycleError as error:
        around = " needs ".join(reversed(error.args[1]))
        raise ValueError(f"cycle: {around}") from error
    before: dict[Action, frozenset[Action]] = {}
    for action in order:
        before[action] = frozenset(needs[action]).union(*(before[n] for n in needs[action]))
    return before


def _check_want(
    action: Action,
    signal: Signal,
    value: Wanted,
    before: Mapping[Action, frozenset[Action]],
    actions: Mapping[Action, ActionRow],
) -> None:
    """Raises ValueError if something that comes first leaves ``signal`` at another value."""
    first = before[action] | ({action} if actions[action].lasts else set())
    for other in first:
        brought = actions[other].brings.get(signal)
        if brought is None or brought == value:
            continue
        if not any(
            actions[later].brings.get(signal) == value and other in before[later] for later in first
        ):
            raise ValueError(
                f"contradiction: {action} needs another {signal} than {other} brings about"
            )


check_table(INTERLOCKS)
