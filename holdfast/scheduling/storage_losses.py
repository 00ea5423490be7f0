"""What site.yaml tells of losses becomes what the optimizer plans with, all storage units as one.

Units share a power by what each can do. That is not how the controller divides it, which starts a
second unit only when each gets enough; so what several units lose at little power is told too high.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from holdfast.core.config import PvPlant, Site, StorageUnit
from holdfast.core.config.losses import points_of
from holdfast.optimization.conversion import Conversion

_PCT = 100.0
_TYPICAL_SHARE = 0.5
"""Whoever asks for one efficiency is told that at half of the power."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Efficiencies:
    """Holds what is stored of a kWh (AC), and what is given of a stored one."""

    charge: float
    discharge: float


def conversion_of(units: Sequence[StorageUnit]) -> Conversion | None:
    """Returns the losses of ``units`` by power; None if one efficiency is all that is known."""
    if not any(unit.losses.are_known for unit in units):
        return None
    each = [_conversion(unit) for unit in units]
    # By share of the power, since of each unit the same share is asked.
    shares = np.unique(np.round(np.concatenate([_shares(one) for one in each]), 9))
    ends_w = np.array([(-one.ac_w[0], one.ac_w[-1]) for one in each]).T[:, :, None]
    ac_w = np.where(shares < 0.0, ends_w[0] * shares, ends_w[1] * shares)
    battery_w = sum(one.to_battery(row) for one, row in zip(each, ac_w, strict=True))
    return Conversion(
        ac_w=tuple(ac_w.sum(axis=0).tolist()), battery_w=tuple(np.asarray(battery_w).tolist())
    )


def efficiencies_of(units: Sequence[StorageUnit], conversion: Conversion | None) -> Efficiencies:
    """Returns one efficiency for each way: the mean of the units, or that at half of the power
    beside what they draw to be on."""
    if conversion is None:
        capacity_wh = sum(unit.battery.capacity_wh for unit in units)
        mean = (
            sum(u.battery.capacity_wh * u.inverter_hardware.efficiency_pct for u in units)
            / capacity_wh
            / _PCT
        )
        return Efficiencies(charge=mean, discharge=mean)
    powers_w = _TYPICAL_SHARE * np.array([conversion.ac_w[0], conversion.ac_w[-1]])
    out_w, into_w = conversion.to_battery(powers_w) + conversion.idle_w
    return Efficiencies(
        charge=min(float(into_w / powers_w[1]), 1.0),
        discharge=min(float(powers_w[0] / out_w), 1.0),
    )


def taper_of(units: Sequence[StorageUnit], conversion: Conversion | None) -> tuple[float, float]:
    """Returns how many times what is missing to how many Wh is the most that they take, in 1/h.

    It is (0, 0) unless all units take less when they are nearly full.
    """
    capacity_wh = sum(unit.battery.capacity_wh for unit in units)
    from_wh = taken = 0.0
    for unit in units:
        start_pct = unit.losses.taper_from_pct
        if start_pct is None:
            return 0.0, 0.0
        from_wh += start_pct / _PCT * unit.battery.capacity_wh
        taken += unit.losses.taper_to_pct / _PCT * unit.battery.capacity_wh / capacity_wh
    most_w = sum(unit.inverter_hardware.charge_power_max_w for unit in units)
    if conversion is None:
        most_w *= efficiencies_of(units, None).charge
    else:
        most_w = float(conversion.to_battery(np.array(most_w)))
    per_h = most_w * (1.0 - taken) / (capacity_wh - from_wh)
    return per_h, from_wh + (capacity_wh - from_wh) / (1.0 - taken)


def hybrid_of(site: Site) -> tuple[float | None, float]:
    """Returns what PV and battery may give to AC together, in W, and what is stored of a kWh of PV
    that does not pass AC; (None, 0) where PV has an inverter of its own."""
    hybrid = site.storage[0].hybrid
    if hybrid is None:
        return None, 0.0
    if hybrid.pv_to_battery_pct is None:
        return hybrid.ac_max_w, 0.0
    field = PvPlant.model_fields["inverter_efficiency_pct"].default
    to_ac_pct = float(field) if site.pv is None else site.pv.inverter_efficiency_pct
    return hybrid.ac_max_w, hybrid.pv_to_battery_pct / to_ac_pct


def _conversion(unit: StorageUnit) -> Conversion:
    hardware, losses = unit.inverter_hardware, unit.losses
    into = [
        (point.power_pct / _PCT * hardware.charge_power_max_w, point.efficiency_pct / _PCT)
        for point in points_of(losses.charge, hardware.efficiency_pct)
    ]
    out = [
        (point.power_pct / _PCT * hardware.discharge_power_max_w, point.efficiency_pct / _PCT)
        for point in points_of(losses.discharge, hardware.efficiency_pct)
    ]
    corners = [(-ac_w, -ac_w / share) for ac_w, share in reversed(out)]
    corners += [(0.0, -losses.standby_w), *((ac_w, ac_w * share) for ac_w, share in into)]
    return Conversion(
        ac_w=tuple(ac_w for ac_w, _ in corners),
        battery_w=tuple(battery_w for _, battery_w in corners),
    )


def _shares(one: Conversion) -> list[float]:
    return [w / (-one.ac_w[0] if w < 0.0 else one.ac_w[-1]) for w in one.ac_w]
