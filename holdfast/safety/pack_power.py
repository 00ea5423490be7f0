"""Pack power is what the BMS shows, behind the inverter's losses of what the inverter shows."""

from holdfast.core.config import StorageUnit
from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Good
from holdfast.core.signals import Signal


def pack_power(unit: str, snapshot: Snapshot) -> Good | None:
    """Returns voltage times current at the pack, W, + charging; None unless both are good.

    It is as old as the older of the two.
    """
    voltage = snapshot.read(unit, Signal.PACK_VOLTAGE_V)
    current = snapshot.read(unit, Signal.BATTERY_CURRENT_A)
    if not (isinstance(voltage, Good) and isinstance(current, Good)):
        return None
    time_ns = min(voltage.time_ns, current.time_ns)
    return Good(value=voltage.value * current.value, time_ns=time_ns)


def ac_power_w(unit: StorageUnit, pack_w: float) -> float:
    """Returns the power at the inverter's AC side, W, of what flows at the pack; + charging."""
    efficiency = _efficiency(unit)
    return max(pack_w * efficiency, pack_w / efficiency)  # more to charge, less to discharge


def pack_power_w(unit: StorageUnit, ac_w: float) -> float:
    """Returns the power at the pack, W, of what flows at the inverter's AC side; + charging."""
    efficiency = _efficiency(unit)
    return min(ac_w * efficiency, ac_w / efficiency)


def _efficiency(unit: StorageUnit) -> float:
    return unit.inverter_hardware.efficiency_pct / 100.0
