"""Price-driven export: sells in the dearest hours what it can buy again for less."""

import numpy as np

from holdfast.scheduling.strategies.outlook import Outlook
from holdfast.scheduling.strategies.step import StrategyStep, charges, follows, sells

AHEAD_H = 24.0
MARGIN = 0.10
"""A sale must bring a tenth more than it costs to buy the energy again."""


def price_driven_export(outlook: Outlook, slot: int, stored_wh: float) -> StrategyStep:
    """Returns what to do in ``slot``."""
    ahead = outlook.ahead(slot, AHEAD_H)
    later_bought, later_sold = outlook.bought[ahead], outlook.sold[ahead]
    if not later_bought.size:
        return follows("nothing is known of later: follows load and PV")
    again = outlook.worth_from(float(later_bought.min())) * (1.0 + MARGIN)
    sold = outlook.sold[slot]
    if sold > again and _is_among_dearest(outlook, slot, stored_wh):
        return sells(outlook, "sells: it can be bought again for less")
    pays_from = outlook.worth_from(outlook.bought[slot]) * (1.0 + MARGIN)
    if later_sold.max() > pays_from and outlook.bought[slot] <= later_bought.min():
        return charges(outlook, "the cheapest hour before a sale: charges")
    return follows("no sale pays now: follows load and PV")


def _is_among_dearest(outlook: Outlook, slot: int, stored_wh: float) -> bool:
    """Says whether no hours before the next purchase bring more for what is stored."""
    ahead = outlook.ahead(slot, AHEAD_H)
    until = ahead.start + int(np.argmin(outlook.bought[ahead]))
    battery = outlook.problem.battery
    left_wh = (stored_wh - battery.soc_min_wh) * battery.discharge_efficiency
    slots_it_takes = left_wh / (battery.discharge_max_w * 0.25)
    dearer = int((outlook.sold[slot + 1 : until] > outlook.sold[slot]).sum())
    return dearer < slots_it_takes
