"""The grid connection: what all batteries together may do without overloading it."""

from collections.abc import Iterable, Mapping

from holdfast.core.config import Site
from holdfast.core.data_store import Snapshot
from holdfast.core.signals import SITE, Signal
from holdfast.safety.envelope import Envelope, up_to
from holdfast.safety.island import is_islanded


def rest_of_site_w(units: Iterable[str], snapshot: Snapshot) -> float | None:
    """Load minus PV: what the grid would deliver if the batteries stood still.

    None if the meter or a battery cannot be read. Both are measured, so an inverter that lags
    behind its setpoint changes nothing: what it does not deliver yet, the meter shows.
    """
    grid_w = snapshot.good(SITE, Signal.GRID_POWER_W)
    if grid_w is None:
        return None
    battery_w = 0.0
    for unit in units:
        power_w = snapshot.good(unit, Signal.BATTERY_POWER_W)
        if power_w is None:
            return None
        battery_w += power_w
    return grid_w - battery_w


def within_grid_limits(
    site: Site, snapshot: Snapshot, envelopes: Mapping[str, Envelope]
) -> dict[str, Envelope]:
    """``envelopes`` narrowed so that all units at their ends keep within import and export.

    A connection that is overloaded without the batteries permits them nothing in that
    direction; it does not order them to help. Where the meter cannot be read nothing is
    narrowed here: that it cannot is a finding, and closes the envelopes. What an island
    discharges does not flow through the connection.
    """
    rest_w = rest_of_site_w(site.unit_names, snapshot)
    if rest_w is None:
        return dict(envelopes)
    charge_w = site.grid.import_max_w - rest_w
    discharge_w = site.grid.export_max_w + rest_w
    charge_share = _share(charge_w, sum(e.max_w for e in envelopes.values()))
    discharge_share = _share(discharge_w, -sum(e.min_w for e in envelopes.values()))
    if charge_share == discharge_share == 1.0:
        return dict(envelopes)
    narrowed = {}
    for unit, envelope in envelopes.items():
        part = up_to(
            charge_w=envelope.max_w * charge_share,
            discharge_w=-envelope.min_w * discharge_share,
            by="grid_connection",
        )
        islanded = is_islanded(unit, snapshot)
        narrowed[unit] = (envelope.intersect_charge if islanded else envelope.intersect)(part)
    return narrowed


def _share(permitted_w: float, wanted_w: float) -> float:
    """Share of ``wanted_w`` that is permitted, 0 to 1; none for NaN, or for less than nothing."""
    if not permitted_w >= 0.0:
        return 0.0
    return permitted_w / wanted_w if permitted_w < wanted_w else 1.0
