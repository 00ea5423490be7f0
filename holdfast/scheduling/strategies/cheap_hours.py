"""Cheap hours: buys in the cheapest quarter of the known prices, and serves the dear half."""

import numpy as np

from holdfast.scheduling.strategies.outlook import Outlook
from holdfast.scheduling.strategies.step import StrategyStep, charges, follows, holds

CHEAP, DEAR = 0.25, 0.5


def cheap_hours(outlook: Outlook, slot: int, stored_wh: float) -> StrategyStep:  # noqa: ARG001 - as all
    """Returns what to do in ``slot``."""
    cheap, dear = np.quantile(outlook.known, (CHEAP, DEAR)).tolist()
    price = outlook.bought[slot]
    if price <= cheap < dear:
        return charges(outlook, "in the cheapest quarter of the prices: charges")
    if price >= dear:
        return follows("in the dear half of the prices: serves the load")
    return holds("neither cheap nor dear: stores surplus")
