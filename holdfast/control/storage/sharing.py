"""Sharing says which storage units take part in what the site asks, and with how much.

They end together: a charge is shared by the energy that is still missing, a discharge by what is
stored. A small power is done by one unit, since inverters waste much of it: another one starts only
when each gets as much as it is efficient from. What one unit may not take the others do.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace

from holdfast.control.storage.dispatch import divide, headroom_w
from holdfast.core.config import Site, StorageUnit
from holdfast.core.data_store import Snapshot
from holdfast.core.signals import Signal
from holdfast.safety.envelope import up_to
from holdfast.safety.permit import Permit

STOPS_AT_SHARE = 0.7
"""A unit that runs stops only below this share of what it starts at."""
RELIEVED_AT_SHARE = 0.1
"""A unit that runs is relieved by one that has so much more of its capacity to give."""


class Sharing:
    """Shares what is asked among the units of a site. Holds no state."""

    def __init__(self, site: Site) -> None:
        self._units = {unit.name: unit for unit in site.storage}

    def share(
        self,
        power_w: float,
        permits: Mapping[str, Permit],
        snapshot: Snapshot,
        last_w: Mapping[str, float],
    ) -> dict[str, float]:
        """Returns what each unit is asked, W; ``last_w`` is what it was set to before.

        None is ever asked for the other sign than the site, nor for more than it may.
        """
        if len(self._units) == 1:
            return divide(power_w, permits)
        energies_wh = {
            name: _energy_wh(unit, snapshot, charges=power_w > 0.0)
            for name, unit in self._units.items()
        }
        taking = self._taking(power_w, permits, energies_wh, last_w)
        total_wh = sum(energies_wh[name] for name in taking)
        fair = {}
        if total_wh > 0.0:
            fair = {name: abs(power_w) * energies_wh[name] / total_wh for name in taking}
        first = divide(
            power_w, {name: _up_to(fair.get(name, 0.0), permits[name]) for name in taking}
        )
        left_w = power_w - sum(first.values())
        left = {name: _without(first[name], permits[name]) for name in taking}
        # What rounding leaves has no direction.
        rest = divide(left_w if left_w * power_w > 0.0 else 0.0, left)
        return {name: first.get(name, 0.0) + rest.get(name, 0.0) for name in permits}

    def _taking(
        self,
        power_w: float,
        permits: Mapping[str, Permit],
        energies_wh: Mapping[str, float],
        last_w: Mapping[str, float],
    ) -> Collection[str]:
        """Returns who takes part: those that run first, then by what they have to give."""

        def rank(name: str) -> float:
            share = energies_wh[name] / self._units[name].battery.capacity_wh
            return share + (RELIEVED_AT_SHARE if last_w[name] * power_w > 0.0 else 0.0)

        able = [name for name in permits if headroom_w(power_w, permits[name]) > 0.0]
        taking: list[str] = []
        room_w = efficient_w = 0.0
        for name in sorted(able, key=rank, reverse=True):
            starts_w = self._units[name].efficient_from_w
            needed_w = efficient_w + starts_w
            if last_w[name] * power_w > 0.0:
                needed_w *= STOPS_AT_SHARE
            if taking and abs(power_w) <= room_w and abs(power_w) < needed_w:
                break
            taking.append(name)
            room_w += headroom_w(power_w, permits[name])
            efficient_w += starts_w
        return taking


def _energy_wh(unit: StorageUnit, snapshot: Snapshot, *, charges: bool) -> float:
    """Returns what may still be charged or discharged, Wh, > 0; as if half full if not known."""
    low_pct, high_pct = unit.operation.soc_min_pct, unit.operation.soc_max_pct
    soc_pct = snapshot.good(unit.name, Signal.SOC_PCT)
    if soc_pct is None:
        soc_pct = (low_pct + high_pct) / 2.0
    left_pct = high_pct - soc_pct if charges else soc_pct - low_pct
    return max(left_pct, 0.0) / 100.0 * unit.battery.capacity_wh


def _up_to(power_w: float, permit: Permit) -> Permit:
    part = up_to(charge_w=power_w, discharge_w=power_w, by=permit.envelope.max_by)
    return replace(permit, envelope=permit.envelope.intersect(part))


def _without(power_w: float, permit: Permit) -> Permit:
    """Returns what is left of a permit beside ``power_w``."""
    left = up_to(
        charge_w=permit.envelope.max_w - max(power_w, 0.0),
        discharge_w=-permit.envelope.min_w + min(power_w, 0.0),
        by=permit.envelope.max_by,
    )
    return replace(permit, envelope=permit.envelope.intersect(left))
