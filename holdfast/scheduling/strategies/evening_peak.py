"""Evening peak: full by 17:00, from sun and if need be from the cheapest hours before; then the
load is served."""

import numpy as np

from holdfast.scheduling.strategies.outlook import Outlook
from holdfast.scheduling.strategies.step import StrategyStep, charges, follows, holds

FROM_H, PEAK_H, END_H = 10, 17, 22
"""It fills from 10:00 to 17:00 and serves until 22:00, on the site's clock."""


def evening_peak(outlook: Outlook, slot: int, stored_wh: float) -> StrategyStep:
    """Returns what to do in ``slot``."""
    local = outlook.local[slot]
    if PEAK_H <= local.hour < END_H:
        return follows("the evening: serves the load")
    if not FROM_H <= local.hour < PEAK_H:
        return follows("follows load and PV")
    rest = [
        index
        for index in range(slot, len(outlook.intervals))
        if outlook.local[index].date() == local.date() and outlook.local[index].hour < PEAK_H
    ]
    if slot in _bought_in(outlook, rest, stored_wh):
        return charges(outlook, "not full by the evening otherwise: charges")
    return holds("keeps its energy for the evening")


def _bought_in(outlook: Outlook, rest: list[int], stored_wh: float) -> set[int]:
    """Returns which of the slots before the evening are bought in: the cheapest that it takes."""
    battery, hours = outlook.problem.battery, outlook.problem.dt_h
    surplus_w = np.clip(-outlook.net_w, 0.0, battery.charge_max_w)
    sun_wh = float((surplus_w[rest] * hours[rest]).sum()) * battery.charge_efficiency
    lacking_wh = battery.soc_max_wh - stored_wh - sun_wh
    dearest = max(_evening_prices(outlook, rest[0]), default=0.0)
    chosen: set[int] = set()
    for index in sorted(rest, key=lambda one: (outlook.bought[one], one)):
        if lacking_wh <= 0.0 or not dearest > outlook.worth_from(outlook.bought[index]):
            break
        chosen.add(index)
        more_w = battery.charge_max_w - surplus_w[index]
        lacking_wh -= float(more_w * hours[index]) * battery.charge_efficiency
    return chosen


def _evening_prices(outlook: Outlook, slot: int) -> list[float]:
    zone = outlook.zone
    return [
        price
        for start, price in outlook.day_prices(slot).items()
        if PEAK_H <= start.astimezone(zone).hour < END_H
    ]
