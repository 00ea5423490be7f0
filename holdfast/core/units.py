"""Units and signs follow one rule everywhere.

Every name carries its unit: ``_w _wh _v _a _c _hz _s _ms _ns _pct``, prices
``_eur_per_kwh`` (or the site's currency). Signs are the same everywhere, registers
included once decoded:

=================  ==========================================
battery_power_w    + charging, - discharging
battery_current_a  + charging, - discharging
grid_power_w       + import, - export
pv_power_w         >= 0
load_power_w       >= 0
=================  ==========================================

and therefore ``grid = load + battery - pv``.
"""

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000


def ns_from_s(seconds: float) -> int:
    """Converts seconds to whole nanoseconds.

    >>> ns_from_s(0.02)
    20000000
    """
    return round(seconds * NS_PER_S)


def s_from_ns(nanoseconds: int) -> float:
    """Converts nanoseconds to seconds.

    >>> s_from_ns(1_500_000_000)
    1.5
    """
    return nanoseconds / NS_PER_S
