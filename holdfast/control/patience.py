"""How long a cycle may take is told here, beside the cycle: the watchdog loads nothing of that."""

from holdfast.core.config import Site
from holdfast.core.units import NS_PER_MS, NS_PER_S


def watchdog_timeout_ns(site: Site) -> int:
    """Returns how long the watchdog waits for a completed cycle, and the longest gap between two.

    400 ms leave 100 ms of the 500 ms budget to notice and to write; five periods keep a slow
    cycle from being taken for a dead one.
    """
    return max(4 * NS_PER_S // 10, 5 * site.cycle.period_ms * NS_PER_MS)
