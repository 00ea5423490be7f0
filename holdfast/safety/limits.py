"""The limit table: what a measured value may be, what happens beyond, and why.

Each row names the hardware's own bound (from site.yaml) or the owner's wish, and its levels
as a distance from that bound, so that no row can be looser than the hardware by construction.
``limits:`` of a storage unit may tighten a level, never loosen it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from holdfast.core.config import LevelOverride, Site, StorageUnit
from holdfast.core.errors import ConfigError
from holdfast.core.signals import SIGNALS, SITE, Signal
from holdfast.safety.faults import Level, Reaction


class Side(IntEnum):
    """On which side of its levels a value is wrong; the sign makes both sides one rule."""

    HIGH = 1
    LOW = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRow:
    """A row of the table. Levels are distances from the bound, inwards positive."""

    id: str
    signal: Signal
    side: Side
    bound: Callable[[StorageUnit], float]
    trip: float | None
    """None: this row never trips."""
    alarm: float
    warning: float | None
    reaction: Reaction
    """At the alarm level; a warning is logged, a trip trips."""
    samples: tuple[int, int]
    """m of the last n samples must be beyond a level (a counter up and down would never see
    an intermittent fault)."""
    hysteresis: float
    """This far inside the level the value must be,"""
    hold_s: float
    """for this long, before the finding clears by itself. A trip stays latched even then."""
    source: str
    of_bound: bool = False
    """Distances and hysteresis are fractions of the bound."""


_FLAG = 0.5  # between the 0 and the 1 of a flag
_B, _S = Reaction, Signal


def _flag(
    row: str, signal: Signal, side: Side, reaction: Reaction, source: str, hold_s: float = 5.0
) -> LimitRow:
    return LimitRow(
        id=row, signal=signal, side=side, bound=lambda _: _FLAG, trip=None, alarm=0.0,
        warning=None, reaction=reaction, samples=(1, 1), hysteresis=0.0, hold_s=hold_s, source=source,
    )  # fmt: skip


def _limit(
    row: str, signal: Signal, side: Side, bound: Callable[[StorageUnit], float],
    trip: float | None, alarm: float, warning: float | None, reaction: Reaction,
    samples: tuple[int, int], hysteresis: float, hold_s: float, source: str,
    *, of_bound: bool = False,
) -> LimitRow:  # fmt: skip
    return LimitRow(
        id=row, signal=signal, side=side, bound=bound, trip=trip, alarm=alarm, warning=warning,
        reaction=reaction, samples=samples, hysteresis=hysteresis, hold_s=hold_s, source=source,
        of_bound=of_bound,
    )  # fmt: skip


def _pack_voltage_max_v(unit: StorageUnit) -> float:
    return unit.battery.cell_voltage_max_v * unit.battery.cells_in_series


def _pack_voltage_min_v(unit: StorageUnit) -> float:
    return unit.battery.cell_voltage_min_v * unit.battery.cells_in_series


_HIGH, _LOW = Side.HIGH, Side.LOW

# fmt: off
UNIT_LIMITS: tuple[LimitRow, ...] = (
    #      id                         signal                    side   bound                                             trip   alarm  warn   reaction at alarm    m,n     hyst  hold  source
    _limit("cell_voltage_high",       _S.CELL_VOLTAGE_MAX_V,    _HIGH, lambda u: u.battery.cell_voltage_max_v,            0.0,   0.05,  0.10, _B.BLOCK_CHARGE,    (2, 3), 0.05, 10.0, "LFP 3.65 V protect (Seplos, Atlas); release 0.2 V lower"),
    _limit("cell_voltage_low",        _S.CELL_VOLTAGE_MIN_V,    _LOW,  lambda u: u.battery.cell_voltage_min_v,            0.0,   0.30,  0.40, _B.BLOCK_DISCHARGE, (2, 3), 0.10, 10.0, "LFP 2.5 V absolute; 2.8 V protect (Atlas, Battery-Emulator)"),
    _limit("pack_voltage_high",       _S.PACK_VOLTAGE_V,        _HIGH, _pack_voltage_max_v,                               0.0,   0.014, 0.028, _B.BLOCK_CHARGE,    (2, 3), 0.014, 10.0, "cells x cell limit", of_bound=True),
    _limit("pack_voltage_low",        _S.PACK_VOLTAGE_V,        _LOW,  _pack_voltage_min_v,                               0.0,   0.12,  0.16, _B.BLOCK_DISCHARGE, (2, 3), 0.04, 10.0, "cells x cell limit", of_bound=True),
    _limit("charge_current_high",     _S.BATTERY_CURRENT_A,     _HIGH, lambda u: 1.2 * u.battery.charge_current_max_a,    0.0,   0.10,  0.15, _B.RAMP_TO_ZERO,    (2, 3), 0.05,  5.0, "EG4: over-current from 102 to 120 % of rated", of_bound=True),
    _limit("discharge_current_high",  _S.BATTERY_CURRENT_A,     _LOW,  lambda u: -1.2 * u.battery.discharge_current_max_a, 0.0,  0.10,  0.15, _B.RAMP_TO_ZERO,    (2, 3), 0.05,  5.0, "EG4: over-current from 102 to 150 % of rated", of_bound=True),
    _limit("soc_high",                _S.SOC_PCT,               _HIGH, lambda u: u.operation.soc_max_pct,                None,   0.0,   None, _B.BLOCK_CHARGE,    (1, 1), 1.0,   1.0, "the owner's wish"),
    _limit("soc_low",                 _S.SOC_PCT,               _LOW,  lambda u: u.operation.soc_min_pct,                None,   0.0,   None, _B.BLOCK_DISCHARGE, (1, 1), 1.0,   1.0, "the owner's wish; hysteresis against flipping (Pylontech)"),
    _limit("cell_temperature_high",   _S.CELL_TEMPERATURE_MAX_C, _HIGH, lambda u: u.battery.discharge_temperature_max_c,  0.0,   5.0,  10.0, _B.RAMP_TO_ZERO,    (2, 3), 5.0,  60.0, "LFP 60 °C; foxBMS, EG4"),
    _limit("charge_temperature_high", _S.CELL_TEMPERATURE_MAX_C, _HIGH, lambda u: u.battery.charge_temperature_max_c,    None,   5.0,  10.0, _B.BLOCK_CHARGE,    (2, 3), 3.0,  60.0, "charging ends at 55 °C (dbus-serialbattery, FENECON)"),
    _limit("charge_temperature_low",  _S.CELL_TEMPERATURE_MIN_C, _LOW,  lambda u: u.battery.charge_temperature_min_c,    None,   1.0,   3.0, _B.BLOCK_CHARGE,    (2, 3), 2.0,  60.0, "no charging below 0 °C: lithium plating"),
    _limit("discharge_temperature_low", _S.CELL_TEMPERATURE_MIN_C, _LOW, lambda u: u.battery.discharge_temperature_min_c, None,  1.0,   3.0, _B.BLOCK_DISCHARGE, (2, 3), 2.0,  60.0, "EG4: discharge from -20 °C"),
    _flag("bms_forbids_charge",       _S.CHARGE_ALLOWED,        _LOW,  _B.BLOCK_CHARGE,    "Pylontech 0x35C bit 7"),
    _flag("bms_forbids_discharge",    _S.DISCHARGE_ALLOWED,     _LOW,  _B.BLOCK_DISCHARGE, "Pylontech 0x35C bit 6"),
    _flag("bms_protection",           _S.BMS_PROTECTION,        _HIGH, _B.RAMP_TO_ZERO,    "Pylontech 0x359: a protection of the pack has tripped"),
    _flag("bms_alarm",                _S.BMS_ALARM,             _HIGH, _B.LOG,             "Pylontech 0x359: the pack warns"),
    _flag("inverter_fault",           _S.INVERTER_FAULT,        _HIGH, _B.RAMP_TO_ZERO,    "the inverter says that it cannot"),
)

SITE_LIMITS: tuple[LimitRow, ...] = (
    _flag("watchdog_lost",            _S.WATCHDOG_ARMED,        _LOW,  _B.RAMP_TO_ZERO,    "no operation without the watchdog", hold_s=1.0),
)
# fmt: on


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A row for one owner, with its levels as values."""

    owner: str
    row: LimitRow
    levels: tuple[tuple[Level, float], ...]
    """The strongest first."""
    hysteresis: float

    @property
    def key(self) -> str:
        """``owner/row``."""
        return f"{self.owner}/{self.row.id}"

    @property
    def unit(self) -> str:
        """Unit of the levels."""
        return SIGNALS[self.row.signal].unit

    def level_of(self, value: float, inside_by: float = 0.0) -> Level:
        """How far ``value`` has gone; ``inside_by`` asks for that much distance. NaN trips."""
        side = self.row.side
        for level, threshold in self.levels:
            # The strongest level that is not clearly respected; NaN respects none.
            if not side * value < side * threshold - inside_by:
                return level
        return Level.NORMAL

    def margin(self, value: float) -> float:
        """Distance to the nearest level that acts, in the signal's unit; negative beyond it."""
        alarm = next(threshold for level, threshold in self.levels if level is Level.ALARM)
        return self.row.side * (alarm - value)


def build_limits(site: Site) -> tuple[Limit, ...]:
    """All rows with their values for ``site``.

    Raises ConfigError where ``limits:`` names no row, or loosens or disorders one.
    """
    limits = [_build(SITE, row, site.storage[0], LevelOverride(), "") for row in SITE_LIMITS]
    for index, unit in enumerate(site.storage):
        where = f"storage[{index}].limits"
        known = {row.id for row in UNIT_LIMITS}
        for name in unit.limits:
            if name not in known:
                raise ConfigError(
                    f"{where}.{name}: is no row of the limit table; rows are "
                    + ", ".join(sorted(known))
                )
        limits += [
            _build(unit.name, row, unit, unit.limits.get(row.id, LevelOverride()), where)
            for row in UNIT_LIMITS
        ]
    return tuple(limits)


def _build(
    owner: str, row: LimitRow, unit: StorageUnit, override: LevelOverride, where: str
) -> Limit:
    levels = []
    bound = row.bound(unit)
    scale = abs(bound) if row.of_bound else 1.0
    for level, distance, wanted in (
        (Level.TRIP, row.trip, override.trip),
        (Level.ALARM, row.alarm, override.alarm),
        (Level.WARNING, row.warning, override.warning),
    ):
        if distance is None:
            if wanted is not None:
                raise ConfigError(
                    f"{where}.{row.id}.{level.name.lower()}: this row has no such level"
                )
            continue
        default = bound - row.side * distance * scale
        if wanted is not None and row.side * wanted > row.side * default:
            raise ConfigError(
                f"{where}.{row.id}.{level.name.lower()}: {wanted:g} is looser than the "
                f"hardware's {default:g} {SIGNALS[row.signal].unit}"
            )
        levels.append((level, default if wanted is None else wanted))
    values = [row.side * value for _, value in levels]
    if values != sorted(values, reverse=True):
        raise ConfigError(
            f"{where}.{row.id}: warning, alarm and trip must come in this order, "
            f"not {[value for _, value in reversed(levels)]}"
        )
    return Limit(owner=owner, row=row, levels=tuple(levels), hysteresis=row.hysteresis * scale)


def _check_table(rows: tuple[LimitRow, ...]) -> None:
    for row in rows:
        distances = [d for d in (row.trip, row.alarm, row.warning) if d is not None]
        m, n = row.samples
        assert distances == sorted(distances), f"{row.id}: levels out of order"
        assert 1 <= m <= n, f"{row.id}: {m} of {n} samples"
        assert row.hold_s > 0, f"{row.id}: clears without a hold time"
        assert row.source, f"{row.id}: no source"
    assert len({row.id for row in rows}) == len(rows), "a row stands twice"


_check_table(UNIT_LIMITS + SITE_LIMITS)
