"""Where an export costs, this module tells how much a slot may export.

The inverters throttle PV to it.
"""

PROBE_W = 100.0
"""It is left to be seen at the meter.

A battery that follows it stores it, and the inverter lets as much more PV through, step by step.
Nothing would be seen at a limit of 0 W.
"""
_NEAR_W = 50.0
"""An export this near to its limit may be throttled PV."""


def may_be_throttled(limit_w: float | None, grid_w: float | None) -> bool:
    """Says whether no more PV may be measured because no more of it may be exported.

    What the sun would give is then not known. ``limit_w`` is what the inverters hold, ``grid_w``
    + import.

    At a limit of 0 W, that of a site which may export nothing, it cannot be told.
    """
    if limit_w is None or grid_w is None or not limit_w > 0.0:
        return False
    return -grid_w >= limit_w - min(_NEAR_W, limit_w / 2.0)


def export_limit_w(
    export_price_per_kwh: float, export_max_w: float, *, planned_w: float = 0.0
) -> float | None:
    """Returns the export limit, in W, of a slot with this price.

    It is None for what the grid connection permits. ``planned_w`` is exported all the same, say to
    make room for import that is paid for. Whatever sun was forecast: more of it than expected must
    not be exported either.
    """
    if not export_price_per_kwh < 0.0:
        return None
    return min(max(PROBE_W, planned_w), export_max_w)
