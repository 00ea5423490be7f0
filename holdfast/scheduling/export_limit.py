"""Where an export costs: how much a slot may export, so that the inverters throttle PV to it."""

from holdfast.core.commands import Point
from holdfast.core.config import Site
from holdfast.devices.profile import load_profile

PROBE_W = 100.0
"""Left to be seen at the meter: a battery that follows it stores them, and the inverter lets as
much more PV through, step by step. Nothing would be seen at a limit of 0 W."""


def can_throttle(site: Site) -> bool:
    """True if an inverter takes an export limit; all PV is taken to stand behind such ones."""
    profiles = [load_profile(unit.inverter.profile) for unit in site.storage]
    return any(Point.EXPORT_LIMIT_W in profile.points for profile in profiles)


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
