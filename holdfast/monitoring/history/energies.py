"""Energies and money are counted second by second, from what was measured and the prices that held.

All that is kept of a quarter hour is a sum, so that hours and years are sums as well: energies,
money, and for how long each was known. What was not measured is not counted, and is seen by that
time. Costs are in the site's currency, + paid, - earned.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from holdfast.monitoring.history.site_power import SitePower

LONGEST_S = 2.5
"""A value stands for the time since the one before it, if that is no longer."""
_WS_PER_WH = 3600.0


class Sum(StrEnum):
    """Names the sums of a quarter hour; the values are columns of its table."""

    IMPORT_WH = "import_wh"
    EXPORT_WH = "export_wh"
    PV_WH = "pv_wh"
    LOAD_WH = "load_wh"
    CHARGE_WH = "charge_wh"
    DISCHARGE_WH = "discharge_wh"
    COST = "cost"
    """It is paid at the meter, while the prices were known."""
    COST_NO_BATTERY = "cost_no_battery"
    """It would have been paid without a battery, in the same time; where a battery's power is not
    known, as if it had been 0 W."""
    GRID_S = "grid_s"
    PV_S = "pv_s"
    LOAD_S = "load_s"
    """The load is known where all else is."""
    BATTERY_S = "battery_s"
    PRICED_S = "priced_s"
    """Both prices and the grid's power were known for so long."""
    PURCHASE_S = "purchase_s"
    """This is the sum of the price of a bought kWh, times the s for which it held."""
    FEED_IN_S = "feed_in_s"
    """This is the sum of the price of a sold kWh, times the s for which it held."""


Sums = Mapping[Sum, float]

KNOWN_FOR: Mapping[Sum, Sum] = {
    Sum.IMPORT_WH: Sum.GRID_S,
    Sum.EXPORT_WH: Sum.GRID_S,
    Sum.PV_WH: Sum.PV_S,
    Sum.LOAD_WH: Sum.LOAD_S,
    Sum.CHARGE_WH: Sum.BATTERY_S,
    Sum.DISCHARGE_WH: Sum.BATTERY_S,
    Sum.COST: Sum.PRICED_S,
    Sum.COST_NO_BATTERY: Sum.PRICED_S,
}
"""This tells by which time a sum is known: if that is 0 s, it is not."""
TOTALS = tuple(KNOWN_FOR)[:-1]
"""These are also counted through all time, for the metrics."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PricesNow:
    """Holds what a kWh costs and earns, per kWh. None: it is not known."""

    purchase: float | None = None
    feed_in: float | None = None


def counted(power: SitePower, prices: PricesNow, seconds: float) -> Iterator[tuple[Sum, float]]:
    """Yields what is to be added for a time in which ``power`` and ``prices`` held, in s."""
    hours = seconds / _WS_PER_WH
    if power.grid_w is not None:
        yield Sum.GRID_S, seconds
        yield from _both_ways(Sum.IMPORT_WH, Sum.EXPORT_WH, power.grid_w * hours)
    if power.pv_w is not None:
        yield Sum.PV_S, seconds
        yield Sum.PV_WH, power.pv_w * hours
    if power.battery_w is not None:
        yield Sum.BATTERY_S, seconds
        for battery_w in power.battery_w:
            yield from _both_ways(Sum.CHARGE_WH, Sum.DISCHARGE_WH, battery_w * hours)
    if power.load_w is not None:
        yield Sum.LOAD_S, seconds
        yield Sum.LOAD_WH, power.load_w * hours
    yield from _money(power, prices, seconds)


def _money(power: SitePower, prices: PricesNow, seconds: float) -> Iterator[tuple[Sum, float]]:
    bought, sold = prices.purchase, prices.feed_in
    if power.grid_w is None or bought is None or sold is None:
        return
    kwh = seconds / _WS_PER_WH / 1000.0
    without_w = power.grid_w if power.without_battery_w is None else power.without_battery_w
    for name, grid_w in ((Sum.COST, power.grid_w), (Sum.COST_NO_BATTERY, without_w)):
        yield name, grid_w * kwh * (bought if grid_w > 0.0 else sold)
    yield Sum.PRICED_S, seconds
    yield Sum.PURCHASE_S, bought * seconds
    yield Sum.FEED_IN_S, sold * seconds


def _both_ways(positive: Sum, negative: Sum, wh: float) -> Iterator[tuple[Sum, float]]:
    yield positive, max(wh, 0.0)
    yield negative, max(-wh, 0.0)
