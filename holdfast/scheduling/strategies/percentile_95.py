"""95th percentile: gives all above it, buys below the 5th, and keeps what it will need for it."""

import numpy as np

from holdfast.scheduling.strategies.outlook import Outlook
from holdfast.scheduling.strategies.step import StrategyStep, charges, follows, holds, sells

LOW, HIGH = 0.05, 0.95
AHEAD_H = 12.0
"""Dear hours within it are kept for."""


def percentile_95(outlook: Outlook, slot: int, stored_wh: float) -> StrategyStep:
    """Returns what to do in ``slot``."""
    low, high = np.quantile(outlook.known, (LOW, HIGH)).tolist()
    pays_from = outlook.worth_from(low)
    price = outlook.bought[slot]
    if price >= high > low:
        if outlook.sold[slot] > pays_from:
            return sells(outlook, "above the 95th percentile, and a sale pays: discharges")
        return follows("above the 95th percentile: serves the load")
    if price <= low and high > pays_from:
        return charges(outlook, "below the 5th percentile: charges")
    ahead = outlook.ahead(slot, AHEAD_H)
    deficit_wh = np.maximum(outlook.net_w[ahead], 0.0) * outlook.problem.dt_h[ahead]
    battery = outlook.problem.battery
    kept_wh = float(deficit_wh[outlook.bought[ahead] >= high].sum()) / battery.discharge_efficiency
    if 0.0 < kept_wh >= stored_wh - battery.soc_min_wh:
        return holds("keeps its energy for hours above the 95th percentile")
    return follows("between the percentiles: follows load and PV")
