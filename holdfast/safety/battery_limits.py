"""The battery itself permits what its BMS's and our own limits of current leave, times voltage."""

import math

from holdfast.core.config import StorageUnit
from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Bad, Good, Missing, Reading, Stale
from holdfast.core.signals import Signal
from holdfast.safety.derating import PACK_VOLTAGE_CHARGE, derate, fraction
from holdfast.safety.envelope import Envelope, up_to, zero


def nameplate(unit: StorageUnit) -> Envelope:
    """Returns what site.yaml permits at most."""
    return up_to(
        charge_w=unit.charge_power_max_w, discharge_w=unit.discharge_power_max_w, by="site.yaml"
    )


def battery_limits(unit: StorageUnit, snapshot: Snapshot) -> Envelope:
    """Returns the envelope at the inverter's AC side that keeps the pack's current in its limits.

    Discharging, the inverter's losses come out of the battery on top; charging, they do not
    reach it, which stays as a margin.
    """
    voltage_v = snapshot.good(unit.name, Signal.PACK_VOLTAGE_V)
    if voltage_v is None:
        return zero("pack_voltage_unknown")
    battery, left = unit.battery, derate(unit, snapshot)
    charge_left, charge_left_by = left.charge, left.charge_by
    near_left = _left_near_charge_voltage(unit, snapshot, voltage_v)
    if near_left < charge_left:
        charge_left, charge_left_by = near_left, PACK_VOLTAGE_CHARGE.id
    charge_a, charge_by = _limit_a(
        snapshot.read(unit.name, Signal.CHARGE_CURRENT_LIMIT_A),
        battery.charge_current_max_a * charge_left,
        charge_left_by or "battery_current_max",
        Signal.CHARGE_CURRENT_LIMIT_A,
    )
    discharge_a, discharge_by = _limit_a(
        snapshot.read(unit.name, Signal.DISCHARGE_CURRENT_LIMIT_A),
        battery.discharge_current_max_a * left.discharge,
        left.discharge_by or "battery_current_max",
        Signal.DISCHARGE_CURRENT_LIMIT_A,
    )
    efficiency = unit.inverter_hardware.efficiency_pct / 100
    envelope = up_to(
        charge_w=charge_a * voltage_v,
        discharge_w=discharge_a * voltage_v * efficiency,
        by=charge_by,
    )
    return Envelope(
        min_w=envelope.min_w, max_w=envelope.max_w, min_by=discharge_by, max_by=charge_by
    )


def _left_near_charge_voltage(unit: StorageUnit, snapshot: Snapshot, voltage_v: float) -> float:
    """Returns the share of the charge current that the BMS's charge-voltage limit leaves, 0 to 1.

    Where it tells none, the cells' own voltage limits hold, as they always do.
    """
    match snapshot.read(unit.name, Signal.CHARGE_VOLTAGE_LIMIT_V):
        case Good(value=limit_v) | Stale(value=limit_v):
            pass
        case Bad():
            return 0.0
        case Missing():
            return 1.0
    row, cells = PACK_VOLTAGE_CHARGE, unit.battery.cells_in_series
    # Written so that NaN stays what it is, and then leaves nothing.
    return fraction(row, voltage_v / cells, min(limit_v / cells, row.bound(unit)))


def _limit_a(reading: Reading, own_a: float, own_by: str, signal: Signal) -> tuple[float, str]:
    """Returns the smaller of the BMS's limit and our own, in A, and tells which one it is."""
    match reading:
        # A stale limit still narrows: that it is stale is a finding, which closes the envelope.
        case Good(value=bms_a) | Stale(value=bms_a):
            pass
        case Bad():
            bms_a = 0.0
        case Missing():
            bms_a = math.inf
    # Written so that NaN is taken over, and then permits nothing.
    return (bms_a, str(signal)) if not bms_a >= own_a else (own_a, own_by)
