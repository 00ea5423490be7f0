"""Cheapest four hours: buys evenly in the four cheapest hours of each local day."""

from holdfast.core.quarter_hours import QUARTER
from holdfast.scheduling.strategies.outlook import Outlook
from holdfast.scheduling.strategies.step import StrategyStep, charges, follows

QUARTERS = 16


def cheapest_four_hours(outlook: Outlook, slot: int, stored_wh: float) -> StrategyStep:
    """Returns what to do in ``slot``: it buys where the day's dearest hours pay for it."""
    chosen, prices = outlook.cheapest(slot, QUARTERS), outlook.day_prices(slot)
    now = outlook.quarter(slot)
    if now not in chosen:
        return follows("none of the four cheapest hours: follows load and PV")
    dearest = sorted(prices.values())[-QUARTERS:]
    if not sum(dearest) / len(dearest) > outlook.worth_from(prices[now]):
        return follows("no hour of this day pays for buying: follows load and PV")
    battery = outlook.problem.battery
    left_h = sum(start >= now for start in chosen) * QUARTER.total_seconds() / 3600.0
    room_wh = max(battery.soc_max_wh - stored_wh, 0.0)
    power_w = room_wh / battery.charge_efficiency / left_h
    return charges(outlook, "one of the four cheapest hours of the day: charges", power_w)
