"""Self-consumption: keep the grid connection at 0 W."""

from holdfast.core.config import Site
from holdfast.core.data_store import Snapshot
from holdfast.core.signals import SITE, Signal


def rest_of_site_w(site: Site, snapshot: Snapshot) -> float | None:
    """Load minus PV: what the grid would deliver if the batteries stood still.

    None if the meter or a battery cannot be read. Both are measured, so an inverter that lags
    behind its setpoint changes nothing: what it does not deliver yet, the meter shows.
    """
    grid_w = snapshot.good(SITE, Signal.GRID_POWER_W)
    if grid_w is None:
        return None
    battery_w = 0.0
    for unit in site.unit_names:
        power_w = snapshot.good(unit, Signal.BATTERY_POWER_W)
        if power_w is None:
            return None
        battery_w += power_w
    return grid_w - battery_w


def self_consumption_w(rest_w: float) -> float:
    """Battery power that leaves nothing for the grid to do."""
    return -rest_w


def hold_w(rest_w: float) -> float:
    """Battery power that stores surplus, but serves no load."""
    return max(-rest_w, 0.0)
