"""Derived readings: what several readings of one snapshot say together.

A derived reading is as old as the oldest that it rests on, so it counts as a new sample only
when that one is new.
"""

from collections.abc import Mapping

from holdfast.core.config import Site, StorageUnit
from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Good, Reading
from holdfast.core.signals import Signal


def derive(site: Site, snapshot: Snapshot) -> Snapshot:
    """``snapshot`` with the derived readings of every unit added."""
    readings = dict(snapshot.readings)
    for unit in site.storage:
        readings[unit.name] = {**readings[unit.name], **_derived(unit, readings[unit.name])}
    return Snapshot(time_ns=snapshot.time_ns, readings=readings)


def _derived(unit: StorageUnit, known: Mapping[Signal, Reading]) -> dict[Signal, Reading]:
    derived = {
        Signal.CELL_IMBALANCE_V: _spread(
            known, Signal.CELL_VOLTAGE_MIN_V, Signal.CELL_VOLTAGE_MAX_V
        ),
        Signal.CELL_TEMPERATURE_SPREAD_K: _spread(
            known, Signal.CELL_TEMPERATURE_MIN_C, Signal.CELL_TEMPERATURE_MAX_C
        ),
        Signal.PACK_MISMATCH_V: _pack_mismatch(unit, known),
        Signal.POWER_MISMATCH_W: _power_mismatch(unit, known),
        Signal.LINK_MISMATCH_V: _link_mismatch(known),
    }
    return {signal: reading for signal, reading in derived.items() if reading is not None}


def _spread(known: Mapping[Signal, Reading], lowest: Signal, highest: Signal) -> Good | None:
    """Highest less lowest; negative if they are swapped, which is a limit of its own."""
    low, high = known.get(lowest), known.get(highest)
    if not (isinstance(low, Good) and isinstance(high, Good)):
        return None
    return Good(value=high.value - low.value, time_ns=min(low.time_ns, high.time_ns))


def _pack_mismatch(unit: StorageUnit, known: Mapping[Signal, Reading]) -> Good | None:
    """Distance of the pack's voltage from the range that its lowest and highest cell permit."""
    pack = known.get(Signal.PACK_VOLTAGE_V)
    low, high = known.get(Signal.CELL_VOLTAGE_MIN_V), known.get(Signal.CELL_VOLTAGE_MAX_V)
    if not (isinstance(pack, Good) and isinstance(low, Good) and isinstance(high, Good)):
        return None
    cells = unit.battery.cells_in_series
    outside_v = max(cells * low.value - pack.value, pack.value - cells * high.value, 0.0)
    return Good(value=outside_v, time_ns=min(pack.time_ns, low.time_ns, high.time_ns))


def _power_mismatch(unit: StorageUnit, known: Mapping[Signal, Reading]) -> Good | None:
    """The inverter's measured power against voltage times current, with its losses between."""
    power = known.get(Signal.BATTERY_POWER_W)
    voltage, current = known.get(Signal.PACK_VOLTAGE_V), known.get(Signal.BATTERY_CURRENT_A)
    if not (isinstance(power, Good) and isinstance(voltage, Good) and isinstance(current, Good)):
        return None
    efficiency = unit.inverter_hardware.efficiency_pct / 100
    battery_w = voltage.value * current.value
    expected_w = battery_w / efficiency if battery_w > 0.0 else battery_w * efficiency
    return Good(
        value=abs(power.value - expected_w),
        time_ns=min(power.time_ns, voltage.time_ns, current.time_ns),
    )


def _link_mismatch(known: Mapping[Signal, Reading]) -> Good | None:
    """Two sensors behind the same closed contactor: a drift of one, or a bad joint between them.

    A pack that speaks once a second is compared with a link of now; a load that stepped meanwhile
    is a mismatch of one sample, which the limit's m of n passes over.
    """
    link, closed = known.get(Signal.DC_LINK_VOLTAGE_V), known.get(Signal.CONTACTOR_CLOSED)
    if not (isinstance(link, Good) and isinstance(closed, Good) and closed.value == 1.0):
        return None
    pack = known.get(Signal.PACK_VOLTAGE_V)
    if not isinstance(pack, Good):
        return None
    return Good(
        value=abs(link.value - pack.value),
        time_ns=min(link.time_ns, closed.time_ns, pack.time_ns),
    )
