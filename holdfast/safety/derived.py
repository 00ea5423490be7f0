"""Derived readings tell what several readings of one snapshot say together.

A derived reading is as old as the oldest that it rests on, so it counts as a new sample only
when that one is new.
"""

from collections.abc import Callable, Mapping

from holdfast.core.config import Site, StorageUnit
from holdfast.core.config.device import Without
from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Bad, Good, Reading
from holdfast.core.signals import SIGNALS, SITE, Internal, Signal
from holdfast.safety.pack_power import ac_power_w


def _spread(_unit: StorageUnit, low: float, high: float) -> float:
    """Returns highest less lowest; negative if they are swapped, which is a limit of its own."""
    return high - low


def _pack_mismatch_v(unit: StorageUnit, pack_v: float, low_v: float, high_v: float) -> float:
    """Returns how far the pack's voltage is from what its lowest and highest cell permit, in V."""
    cells = unit.battery.cells_in_series
    return max(cells * low_v - pack_v, pack_v - cells * high_v, 0.0)


def _power_mismatch_w(unit: StorageUnit, power_w: float, pack_v: float, current_a: float) -> float:
    """Compares the inverter's measured power with voltage times current and the losses, in W."""
    return abs(power_w - ac_power_w(unit, pack_v * current_a))


def _link_mismatch_v(
    _unit: StorageUnit, link_v: float, closed: float, pack_v: float
) -> float | None:
    """Compares two sensors behind one closed contactor: one may drift, or a joint between be bad.

    A pack that speaks once a second is compared with a link of now; a load that stepped meanwhile
    is a mismatch of one sample, which the limit's m of n passes over.
    """
    return abs(link_v - pack_v) if closed == 1.0 else None


_S = Signal

CELL_V = (0.8, 5.0)
"""What a cell of any chemistry can have, mean of a pack: 0.8 V is dead, and far beyond its trip."""

RESTS_ON: dict[Signal, tuple[Signal, ...]] = {
    _S.CELL_IMBALANCE_V: (_S.CELL_VOLTAGE_MIN_V, _S.CELL_VOLTAGE_MAX_V),
    _S.CELL_TEMPERATURE_SPREAD_K: (_S.CELL_TEMPERATURE_MIN_C, _S.CELL_TEMPERATURE_MAX_C),
    _S.PACK_MISMATCH_V: (_S.PACK_VOLTAGE_V, _S.CELL_VOLTAGE_MIN_V, _S.CELL_VOLTAGE_MAX_V),
    _S.POWER_MISMATCH_W: (_S.BATTERY_POWER_W, _S.PACK_VOLTAGE_V, _S.BATTERY_CURRENT_A),
    _S.LINK_MISMATCH_V: (_S.DC_LINK_VOLTAGE_V, _S.CONTACTOR_CLOSED, _S.PACK_VOLTAGE_V),
}
"""All the signals that a derived one rests on must be good."""
_VALUE: dict[Signal, Callable[..., float | None]] = {
    _S.CELL_IMBALANCE_V: _spread,
    _S.CELL_TEMPERATURE_SPREAD_K: _spread,
    _S.PACK_MISMATCH_V: _pack_mismatch_v,
    _S.POWER_MISMATCH_W: _power_mismatch_w,
    _S.LINK_MISMATCH_V: _link_mismatch_v,
}
"""Takes a unit and the values that it rests on, in that order; None: they say nothing together."""

_DERIVED = {signal for signal, row in SIGNALS.items() if row.producer is Internal.DERIVED}
assert RESTS_ON.keys() == _VALUE.keys() == _DERIVED, "every derived signal has exactly one row"


LEFT_OUT: Mapping[str, tuple[Signal, float]] = {
    "pv_meter": (_S.PV_POWER_W, 0.0),
    "emergency_input": (_S.EMERGENCY_LOOP_CLOSED, 1.0),
}
"""Tells what holds on a site without a device, by its key in site.yaml."""


def derive(site: Site, snapshot: Snapshot) -> Snapshot:
    """Returns ``snapshot`` with the derived readings of every unit added, and those that are so
    because the site does without a device.

    A pack voltage that its number of cells cannot have is bad: it is a wrong scale, not a trip.
    """
    readings = dict(snapshot.readings)
    for key, (signal, value) in LEFT_OUT.items():
        if isinstance(getattr(site, key), Without):
            constant = Good(value=value, time_ns=snapshot.time_ns)
            readings[SITE] = {**readings[SITE], signal: constant}
    for unit in site.storage:
        known = _with_true_voltage(unit, readings[unit.name])
        readings[unit.name] = {**known, **_derived(unit, known)}
    return Snapshot(time_ns=snapshot.time_ns, readings=readings)


def _with_true_voltage(
    unit: StorageUnit, known: Mapping[Signal, Reading]
) -> Mapping[Signal, Reading]:
    pack, cells = known.get(_S.PACK_VOLTAGE_V), unit.battery.cells_in_series
    low_v, high_v = CELL_V
    if not isinstance(pack, Good) or low_v * cells <= pack.value <= high_v * cells:
        return known
    reason = f"{pack.value:g} V is no voltage of {cells} cells: is its scale right?"
    return {**known, _S.PACK_VOLTAGE_V: Bad(reason=reason, time_ns=pack.time_ns)}


def _derived(unit: StorageUnit, known: Mapping[Signal, Reading]) -> dict[Signal, Reading]:
    derived: dict[Signal, Reading] = {}
    for signal, sources in RESTS_ON.items():
        found = [known.get(source) for source in sources]
        good = [reading for reading in found if isinstance(reading, Good)]
        if len(good) < len(found):
            continue
        value = _VALUE[signal](unit, *(reading.value for reading in good))
        if value is not None:
            oldest_ns = min(reading.time_ns for reading in good)
            derived[signal] = Good(value=value, time_ns=oldest_ns)
    return derived
