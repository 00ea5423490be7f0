"""Where an export costs: how much a slot may export, so that the inverters throttle PV to it."""

from holdfast.core.commands import Point
from holdfast.core.config import Site
from holdfast.devices.profile import load_profile

PROBE_W = 100.0
"""Left to be seen at the meter: a battery that follows it stores them, and the inverter lets as
much more PV through, step by step. Nothing would be seen at a limit of 0 W."""
_NEAR_W = 50.0
"""An export this near to its limit may be throttled PV."""


def can_throttle(site: Site) -> bool:
    """True if an inverter takes an export limit; all PV is taken to stand behind such ones."""
    profiles = [load_profile(unit.inverter.profile) for unit in site.storage]
    return any(Point.EXPORT_LIMIT_W in profile.points for profile in profiles)


def may_be_throttled(limit_w: float | None, grid_w: float | None) -> bool:
    """True if no more PV may be measured because no more of it may be exported: what the sun would
    give is then not known. ``limit_w`` is what the inverters hold, ``grid_w`` + import.

    At a limit of 0 W, that of a site which may export nothing, it cannot be told.
    """
    if limit_w is None or grid_w is None or not limit_w > 0.0:
        return False
    return -grid_w >= limit_w - min(_NEAR_W, limit_w / 2.0)


def export_limit_w(
    export_price_per_kwh: float, export_max_w: float, *, planned_w: float = 0.0
) -> float | None:
    """Of a slot with this price; None: what the grid connection permits.

    ``planned_w``: what is exported all the same, say to make room for import that is paid for.
    Whatever sun was forecast: more of it than expected must not be exported either.
    """
    if not export_price_per_kwh < 0.0:
        return None
    return min(max(PROBE_W, planned_w), export_max_w)
