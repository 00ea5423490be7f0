"""The limit table says what a measured value may be, what happens beyond, and why.

Each row names the hardware's own bound (from site.yaml) or the owner's wish, and its levels
as distances from that bound, so that they follow what is installed. Only a current may exceed its
rating, for as long as a few samples take.
``limits:`` of a storage unit may tighten a level, never loosen it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from holdfast.core.config import LevelOverride, Site, StorageUnit
from holdfast.core.errors import ConfigError
from holdfast.core.signals import SIGNALS, SITE, Signal
from holdfast.safety.bounds import (
    CELL_COLD,
    CELL_HOT,
    CELL_MAX,
    CELL_MIN,
    CHARGE_COLD,
    CHARGE_HOT,
    CHARGE_RATED,
    GRID_FREQUENCY,
    GRID_VOLTAGE,
    IMPORT_MAX,
    SOC_MAX,
    SOC_MIN,
    Bound,
    discharge_rated,
    export_max,
    fixed,
    link_mismatch_max,
    pack_max,
    pack_min,
    rated_power,
)
from holdfast.safety.faults import Clearing
from holdfast.safety.finding import Level, Reaction

_R = Reaction


class Side(IntEnum):
    """Tells on which side of its levels a value is wrong; the sign makes both sides one rule."""

    HIGH = 1
    LOW = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRow:
    """A row has its levels as distances from the bound: inwards positive, beyond it negative."""

    id: str
    signal: Signal
    side: Side
    bound: Bound
    trip: float | None
    """None means that this row never trips."""
    alarm: float
    warning: float | None
    reaction: Reaction
    """Acts at the alarm level; a warning is logged, a trip trips."""
    samples: tuple[int, int]
    """m of the last n samples must be beyond a level (a counter up and down would never see
    an intermittent fault)."""
    hysteresis: float
    """This far inside the level the value must be,"""
    hold_s: float
    """for this long, before the finding clears by itself. A trip stays latched even then."""
    clearing: Clearing
    """Tells who clears its trip. BY_ITSELF: this row never trips."""
    source: str
    of_bound: bool
    """Says whether distances and hysteresis are fractions of the bound."""
    far: float | None
    """One sample this far beyond is enough for the reaction at alarm, and for 0 W at once; the trip,
    which latches, waits for its debounce. None: no single sample is."""
    far_source: str

    @property
    def of_battery(self) -> bool:
        """Says whether it is the battery's own protection: a bound of it, not the owner's wish."""
        return SIGNALS[self.signal].of_battery and self.bound not in _WISHES


_FLAG = fixed(0.5)  # between the 0 and the 1 of a flag
_WISHES = frozenset({SOC_MAX, SOC_MIN})

_HIGH, _LOW = Side.HIGH, Side.LOW
_ABSOLUTE, _OF_BOUND = False, True
_ITSELF, _OPERATOR, _SERVICE = Clearing

# Distances: in the signal's unit, or as a fraction of the bound; negative means beyond it.
# fmt: off
_UNIT_TABLE = (
    # id                          signal                     side   bound             distances  trip   alarm  warn   reaction at alarm   m  n  hyst   hold_s  clears     source
    ("cell_voltage_high",         Signal.CELL_VOLTAGE_MAX_V, _HIGH, CELL_MAX,         _ABSOLUTE, 0.0,   0.05,  0.10,  _R.BLOCK_CHARGE,    2, 3, 0.05,  10.0, _OPERATOR, "LFP 3.65 V protect: Seplos, Atlas"),
    ("cell_voltage_low",          Signal.CELL_VOLTAGE_MIN_V, _LOW,  CELL_MIN,         _ABSOLUTE, 0.0,   0.30,  0.40,  _R.BLOCK_DISCHARGE, 2, 3, 0.10,  10.0, _SERVICE,  "LFP 2.5 V absolute, 2.8 V protect: Atlas"),
    ("pack_voltage_high",         Signal.PACK_VOLTAGE_V,     _HIGH, pack_max,         _OF_BOUND, 0.0,   0.014, 0.028, _R.BLOCK_CHARGE,    2, 3, 0.014, 10.0, _OPERATOR, "the cells' limits, times the cells"),
    ("pack_voltage_low",          Signal.PACK_VOLTAGE_V,     _LOW,  pack_min,         _OF_BOUND, 0.0,   0.12,  0.16,  _R.BLOCK_DISCHARGE, 2, 3, 0.04,  10.0, _SERVICE,  "the cells' limits, times the cells"),
    ("charge_current_high",       Signal.BATTERY_CURRENT_A,  _HIGH, CHARGE_RATED,     _OF_BOUND, -0.20, -0.08, -0.02,  _R.RAMP_TO_ZERO,    2, 3, 0.05,   5.0, _OPERATOR, "over-current at 102 to 120 % of rated: EG4"),
    ("discharge_current_high",    Signal.BATTERY_CURRENT_A,  _LOW,  discharge_rated,  _OF_BOUND, -0.20, -0.08, -0.02,  _R.RAMP_TO_ZERO,    2, 3, 0.05,   5.0, _OPERATOR, "over-current at 102 to 150 % of rated: EG4"),
    ("soc_high",                  Signal.SOC_PCT,            _HIGH, SOC_MAX,          _ABSOLUTE, None,  0.0,   None,  _R.BLOCK_CHARGE,    1, 1, 1.0,    1.0, _ITSELF,   "the owner's wish"),
    ("soc_low",                   Signal.SOC_PCT,            _LOW,  SOC_MIN,          _ABSOLUTE, None,  0.0,   None,  _R.BLOCK_DISCHARGE, 1, 1, 1.0,    1.0, _ITSELF,   "the owner's wish; hysteresis: Pylontech"),
    ("cell_temperature_high",     Signal.CELL_TEMPERATURE_MAX_C, _HIGH, CELL_HOT,     _ABSOLUTE, 0.0,   5.0,   10.0,  _R.RAMP_TO_ZERO,    2, 3, 5.0,   60.0, _SERVICE,  "LFP 60 °C: EG4"),
    ("charge_temperature_high",   Signal.CELL_TEMPERATURE_MAX_C, _HIGH, CHARGE_HOT,   _ABSOLUTE, None,  5.0,   10.0,  _R.BLOCK_CHARGE,    2, 3, 3.0,   60.0, _ITSELF,   "no charging at 55 °C: dbus-serialbattery"),
    ("charge_temperature_low",    Signal.CELL_TEMPERATURE_MIN_C, _LOW,  CHARGE_COLD,  _ABSOLUTE, None,  1.0,   3.0,   _R.BLOCK_CHARGE,    2, 3, 2.0,   60.0, _ITSELF,   "no charging below 0 °C: lithium plating"),
    ("discharge_temperature_low", Signal.CELL_TEMPERATURE_MIN_C, _LOW,  CELL_COLD,    _ABSOLUTE, None,  1.0,   3.0,   _R.BLOCK_DISCHARGE, 2, 3, 2.0,   60.0, _ITSELF,   "discharge from -20 °C: EG4"),
    ("ambient_temperature_high",  Signal.AMBIENT_TEMPERATURE_C, _HIGH, fixed(50.0),   _ABSOLUTE, None,  0.0,   5.0,   _R.DERATE,          3, 5, 3.0,   60.0, _ITSELF,   "indoor batteries are rated to 50 °C"),
    ("ambient_temperature_low",   Signal.AMBIENT_TEMPERATURE_C, _LOW,  fixed(-20.0), _ABSOLUTE, None,  0.0,   5.0,   _R.DERATE,          3, 5, 3.0,   60.0, _ITSELF,   "indoor batteries are rated from -20 °C"),
    ("cell_imbalance_high",       Signal.CELL_IMBALANCE_V,   _HIGH, fixed(0.30),      _ABSOLUTE, None,  0.0,   0.10,  _R.DERATE,          3, 5, 0.05,  60.0, _ITSELF,   "230 to 300 mV: Battery-Emulator"),
    ("cell_temperature_spread",   Signal.CELL_TEMPERATURE_SPREAD_K, _HIGH, fixed(15.0),  _ABSOLUTE, None, 0.0, 5.0,   _R.DERATE,          3, 5, 2.0,   60.0, _ITSELF,   "10 K: foxBMS; 15 K: Battery-Emulator"),
    ("cell_voltages_swapped",     Signal.CELL_IMBALANCE_V,   _LOW,  fixed(0.0),      _ABSOLUTE, None,  -0.05, -0.02, _R.RAMP_TO_ZERO,    3, 5, 0.02,  10.0, _ITSELF,   "lowest above highest: a register map has moved"),
    ("cell_temperatures_swapped", Signal.CELL_TEMPERATURE_SPREAD_K, _LOW, fixed(0.0),  _ABSOLUTE, None, -3.0, -2.0, _R.RAMP_TO_ZERO,   3, 5, 1.0,   10.0, _ITSELF,   "lowest above highest: a register map has moved"),
    ("insulation_low",            Signal.INSULATION_KOHM,    _LOW,  fixed(500.0),    _ABSOLUTE, 0.0,   250.0, 500.0, _R.RAMP_TO_ZERO,    4, 8, 50.0,  60.0, _SERVICE,  "750 kΩ warns, 500 kΩ is an error: foxBMS"),
    ("inverter_temperature_high", Signal.INVERTER_TEMPERATURE_C, _HIGH, fixed(90.0),  _ABSOLUTE, None,  0.0,   10.0,  _R.RAMP_TO_ZERO,    2, 3, 5.0,   30.0, _ITSELF,   "5 °C above where derating reaches nothing"),
    ("pack_mismatch_high",        Signal.PACK_MISMATCH_V,    _HIGH, fixed(3.0),       _ABSOLUTE, None,  0.0,   1.5,   _R.RAMP_TO_ZERO,    5, 10, 0.5,  10.0, _ITSELF,   "sum of cells against pack, 3 V: foxBMS"),
    ("power_mismatch_high",       Signal.POWER_MISMATCH_W,   _HIGH, rated_power,      _OF_BOUND, None,  0.70,  0.85,  _R.RAMP_TO_ZERO,    6, 12, 0.05, 10.0, _ITSELF,   "30 %: a sign or a scale is wrong"),
    ("link_mismatch_high",        Signal.LINK_MISMATCH_V,    _HIGH, link_mismatch_max, _OF_BOUND, None, 0.0,   0.40,  _R.DERATE,          5, 10, 0.20, 10.0, _ITSELF,   "fault catalogue 7: derate; 5 % of the highest pack voltage (assumption)"),
    ("bms_forbids_charge",        Signal.CHARGE_ALLOWED,     _LOW,  _FLAG,            _ABSOLUTE, None,  0.0,   None,  _R.BLOCK_CHARGE,    1, 1, 0.0,    5.0, _ITSELF,   "Pylontech 0x35C bit 7"),
    ("bms_forbids_discharge",     Signal.DISCHARGE_ALLOWED,  _LOW,  _FLAG,            _ABSOLUTE, None,  0.0,   None,  _R.BLOCK_DISCHARGE, 1, 1, 0.0,    5.0, _ITSELF,   "Pylontech 0x35C bit 6"),
    ("bms_protection",            Signal.BMS_PROTECTION,     _HIGH, _FLAG,            _ABSOLUTE, None,  0.0,   None,  _R.RAMP_TO_ZERO,    1, 1, 0.0,    5.0, _ITSELF,   "Pylontech 0x359, 0x35A: the pack has tripped"),
    ("bms_alarm",                 Signal.BMS_ALARM,          _HIGH, _FLAG,            _ABSOLUTE, None,  0.0,   None,  _R.LOG,             1, 1, 0.0,    5.0, _ITSELF,   "Pylontech 0x359, 0x35A: the pack warns"),
    ("inverter_fault",            Signal.INVERTER_FAULT,     _HIGH, _FLAG,            _ABSOLUTE, None,  0.0,   None,  _R.RAMP_TO_ZERO,    1, 1, 0.0,    5.0, _ITSELF,   "the inverter says that it cannot"),
)
_SITE_TABLE = (
    ("grid_voltage_high",         Signal.GRID_VOLTAGE_V,     _HIGH, GRID_VOLTAGE,     _OF_BOUND, None,  -0.15, -0.10, _R.RAMP_TO_ZERO,    3, 5, 0.02,  60.0, _ITSELF,   "EN 50549-1: 1.15 Un; back after 60 s"),
    ("grid_voltage_low",          Signal.GRID_VOLTAGE_V,     _LOW,  GRID_VOLTAGE,     _OF_BOUND, None,  -0.15, -0.10, _R.RAMP_TO_ZERO,    3, 5, 0.02,  60.0, _ITSELF,   "EN 50549-1: 0.85 Un; back after 60 s"),
    ("grid_frequency_high",       Signal.GRID_FREQUENCY_HZ,  _HIGH, GRID_FREQUENCY,   _ABSOLUTE, None,  -1.5,  -1.0,  _R.RAMP_TO_ZERO,    3, 5, 0.05,  60.0, _ITSELF,   "EN 50549-1: 51.5 Hz; back after 60 s"),
    ("grid_frequency_low",        Signal.GRID_FREQUENCY_HZ,  _LOW,  GRID_FREQUENCY,   _ABSOLUTE, None,  -2.5,  -1.0,  _R.RAMP_TO_ZERO,    3, 5, 0.05,  60.0, _ITSELF,   "EN 50549-1: 47.5 Hz; back after 60 s"),
    ("grid_import_high",          Signal.GRID_POWER_W,       _HIGH, IMPORT_MAX,       _ABSOLUTE, None,  -500.0, 0.0,  _R.BLOCK_CHARGE,    4, 8, 200.0,  5.0, _ITSELF,   "the main fuse, beyond what the grid limit catches"),
    ("grid_export_high",          Signal.GRID_POWER_W,       _LOW,  export_max,       _ABSOLUTE, None,  -500.0, -100.0, _R.BLOCK_DISCHARGE, 4, 8, 200.0, 5.0, _ITSELF,   "the feed-in limit, beyond what the grid limit catches"),
    ("watchdog_lost",             Signal.WATCHDOG_ARMED,     _LOW,  _FLAG,            _ABSOLUTE, None,  0.0,   None,  _R.RAMP_TO_ZERO,    1, 1, 0.0,    1.0, _ITSELF,   "no operation without the watchdog"),
)
# fmt: on

_FAR: dict[str, tuple[float, str]] = {
    # id: distance, source
    "cell_voltage_high": (-0.15, "3.80 V: EG4 protects whatever it was set to"),
    "cell_voltage_low": (-0.20, "2.3 V: EG4 protects whatever it was set to"),
    "pack_voltage_high": (-0.041, "as the cells, times the cells"),
    "pack_voltage_low": (-0.08, "as the cells, times the cells"),
    "charge_current_high": (-0.50, "EG4's second level is at 150 %; Seplos's acts within 0.3 s"),
    "discharge_current_high": (-0.50, "EG4's second level is at 150 %; Seplos's acts within 0.3 s"),
}
"""A BMS that speaks once in a second or two would take as many of them for each sample more."""

_Cells = tuple[
    str,
    Signal,
    Side,
    Bound,
    bool,
    float | None,
    float,
    float | None,
    Reaction,
    int,
    int,
    float,
    float,
    Clearing,
    str,
]


def _rows(table: tuple[_Cells, ...]) -> tuple[LimitRow, ...]:
    return tuple(
        LimitRow(
            id=id_,
            signal=signal,
            side=side,
            bound=bound,
            of_bound=of_bound,
            trip=trip,
            alarm=alarm,
            warning=warning,
            reaction=reaction,
            samples=(m, n),
            hysteresis=hysteresis,
            hold_s=hold_s,
            clearing=clearing,
            source=source,
            far=far,
            far_source=far_source,
        )
        for (
            id_,
            signal,
            side,
            bound,
            of_bound,
            trip,
            alarm,
            warning,
            reaction,
            m,
            n,
            hysteresis,
            hold_s,
            clearing,
            source,
        ) in table
        for far, far_source in (_FAR.get(id_, (None, "")),)
    )


UNIT_LIMITS = _rows(_UNIT_TABLE)
SITE_LIMITS = _rows(_SITE_TABLE)
ALL_LIMITS = UNIT_LIMITS + SITE_LIMITS


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Holds a row for one owner, with its levels as values."""

    owner: str
    row: LimitRow
    levels: tuple[tuple[Level, float], ...]
    """Lists the levels, the strongest first."""
    hysteresis: float
    far: float | None
    """Tells from where on one sample is enough."""

    @property
    def key(self) -> str:
        """Returns ``owner/row``."""
        return f"{self.owner}/{self.row.id}"

    @property
    def unit(self) -> str:
        """Returns the unit of the levels."""
        return SIGNALS[self.row.signal].unit

    def level_of(self, value: float, inside_by: float = 0.0) -> Level:
        """Tells how far ``value`` has gone; ``inside_by`` asks for so much distance. NaN trips."""
        side = self.row.side
        for level, threshold in self.levels:
            # The strongest level that is not clearly respected; NaN respects none.
            if not side * value < side * threshold - inside_by:
                return level
        return Level.NORMAL

    def is_far(self, value: float) -> bool:
        """Says whether one sample of ``value`` is enough; NaN is far."""
        return self.far is not None and not self.row.side * value < self.row.side * self.far

    def margin(self, value: float) -> float:
        """Returns the distance to the nearest level that acts, in its unit; negative beyond it."""
        alarm = next(threshold for level, threshold in self.levels if level is Level.ALARM)
        return self.row.side * (alarm - value)


def build_limits(site: Site) -> tuple[Limit, ...]:
    """Returns all rows with their values for ``site``.

    Raises ConfigError where ``limits:`` names no row, or loosens or disorders one.
    """
    limits = _build_all(SITE, SITE_LIMITS, site, site.limits, "limits")
    for index, unit in enumerate(site.storage):
        where = f"storage[{index}].limits"
        limits += _build_all(unit.name, UNIT_LIMITS, unit, unit.limits, where)
    return tuple(limits)


def _build_all(
    owner: str,
    rows: tuple[LimitRow, ...],
    subject: StorageUnit | Site,
    overrides: Mapping[str, LevelOverride],
    where: str,
) -> list[Limit]:
    known = {row.id for row in rows}
    for name in overrides:
        if name not in known:
            raise ConfigError(
                f"{where}.{name}: is no row of the limit table; rows are "
                + ", ".join(sorted(known))
            )
    return [
        _build(owner, row, subject, overrides.get(row.id, LevelOverride()), where) for row in rows
    ]


def _build(
    owner: str, row: LimitRow, subject: StorageUnit | Site, override: LevelOverride, where: str
) -> Limit:
    levels = []
    bound = row.bound(subject)
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
    far = None if row.far is None else bound - row.side * row.far * scale
    return Limit(
        owner=owner, row=row, levels=tuple(levels), hysteresis=row.hysteresis * scale, far=far
    )


def _check_table(rows: tuple[LimitRow, ...]) -> None:
    for row in rows:
        distances = [d for d in (row.trip, row.alarm, row.warning) if d is not None]
        m, n = row.samples
        assert distances == sorted(distances), f"{row.id}: levels out of order"
        assert 1 <= m <= n, f"{row.id}: {m} of {n} samples"
        assert row.hold_s > 0, f"{row.id}: clears without a hold time"
        trips = row.trip is not None
        assert trips == (row.clearing is not Clearing.BY_ITSELF), f"{row.id}: who clears it?"
        assert row.source, f"{row.id}: no source"
        assert row.far is None or (row.trip is not None and row.far < row.trip), (
            f"{row.id}: far is not beyond its trip"
        )
        assert (row.far is None) == (not row.far_source), f"{row.id}: where is far from?"
    assert len({row.id for row in rows}) == len(rows), "a row stands twice"


def _check_far(rows: tuple[LimitRow, ...]) -> None:
    unknown = _FAR.keys() - {row.id for row in rows}
    assert not unknown, f"{', '.join(sorted(unknown))}: far of no row"


_check_table(ALL_LIMITS)
_check_far(ALL_LIMITS)
