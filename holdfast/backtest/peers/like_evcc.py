"""evcc-like: self-consumption, and charging from the grid while the price is at or below a limit.

From its documentation and discussions: the home battery follows load and PV; an owner with a
moving tariff may set a price limit, at or below which the battery is charged from the grid with
full power, and held once it is full; a tariff with one price has none. The limit is a fixed price
that people change: a script of its users sets it every day to the price of the third cheapest hour
(evcc-io/evcc, discussion 17302), and so does this. Its lock while a car charges fast is left out:
no record has a car.
"""

from holdfast.scheduling.strategies.outlook import Outlook
from holdfast.scheduling.strategies.step import StrategyStep, charges, follows

QUARTERS = 12


def like_evcc(outlook: Outlook, slot: int, stored_wh: float) -> StrategyStep:  # noqa: ARG001 - as all
    """Returns what to do in ``slot``."""
    prices = outlook.day_prices(slot)
    limit = max(prices[start] for start in outlook.cheapest(slot, QUARTERS))
    if outlook.bought[slot] <= limit < max(prices.values()):
        return charges(outlook, "the price is at or below the day's limit: charges")
    return follows("the price is above the day's limit: follows load and PV")
