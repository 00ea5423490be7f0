"""A status yields the values of all series: readings, each quantity's stages, and the site's state.

A series has a key, such as ``battery/soc_pct`` or ``battery/battery_power/asked``.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from holdfast.control.connection.operator_signal import LIMITS
from holdfast.core.signals import SIGNALS, SITE, Signal
from holdfast.core.state_machine import State
from holdfast.monitoring.history.site_power import SitePower
from holdfast.monitoring.status.schema import OperatorStatus, Status

STATE_KEY = f"{SITE}/state"
LOAD_KEY = f"{SITE}/load_power_w"
REQUEST_KEY = f"{SITE}/request_w"
STATE_UNIT = "state"
"""This is the unit of the site's state, told by its number in ``STATE_NUMBERS``."""
STATE_NUMBERS: dict[State, float] = {state: float(number) for number, state in enumerate(State)}

_STAGES = ("asked", "low", "high", "permitted", "ramped", "written", "read_back", "measured")

_DECIMALS = {
    "W": 0, "V": 2, "A": 2, "%": 2, "°C": 2, "K": 2, "Hz": 3, "kΩ": 1, "s": 1,
    "0/1": 3, "mode": 3, "count": 0, STATE_UNIT: 3,
}  # fmt: skip
"""By unit; a share of a minute in which something was on has three."""
_FINER: dict[str, int] = {
    Signal.CELL_VOLTAGE_MIN_V: 3,
    Signal.CELL_VOLTAGE_MAX_V: 3,
    Signal.CELL_IMBALANCE_V: 3,
}
_OTHERWISE = 3

assert {row.unit for row in SIGNALS.values()} <= _DECIMALS.keys(), "each unit has its decimals"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesValue:
    """Holds one value of one series."""

    key: str
    unit: str
    value: float


def values_of(status: Status, power: SitePower) -> Iterator[SeriesValue]:
    """Yields what is known now; what is not good is left out."""
    for owner, readings in status.readings.items():
        for signal, reading in readings.items():
            if reading.quality == "good" and reading.value is not None:
                yield SeriesValue(key=f"{owner}/{signal}", unit=reading.unit, value=reading.value)
    for quantity in status.quantities:
        for stage in _STAGES:
            value = getattr(quantity, stage)
            if value is not None:
                key = f"{quantity.owner}/{quantity.name}/{stage}"
                yield SeriesValue(key=key, unit=quantity.unit, value=value)
    yield from _of_operator(status)
    yield SeriesValue(key=STATE_KEY, unit=STATE_UNIT, value=STATE_NUMBERS[status.state])
    yield SeriesValue(key=REQUEST_KEY, unit="W", value=status.request_w)
    if power.load_w is not None:
        yield SeriesValue(key=LOAD_KEY, unit="W", value=power.load_w)


def _of_operator(status: Status) -> Iterator[SeriesValue]:
    """Yields whether a limit of the grid operator holds: of each minute, its share."""
    for direction in ("consumption", "production"):
        operator: OperatorStatus | None = getattr(status.connection, direction, None)
        if operator is not None:
            held = float(operator.state in LIMITS)
            yield SeriesValue(key=f"{SITE}/{direction}_limit_held", unit="0/1", value=held)


def decimals_of(key: str, unit: str) -> int:
    """Returns how many decimals of a series are kept.

    >>> decimals_of("battery/cell_voltage_max_v", "V"), decimals_of("site/grid_voltage_v", "V")
    (3, 2)
    """
    return _FINER.get(key.partition("/")[2], _DECIMALS.get(unit, _OTHERWISE))
