"""Negative price first: room is made for hours whose price is below zero, and used in them."""

from holdfast.scheduling.strategies.outlook import Outlook
from holdfast.scheduling.strategies.step import StrategyStep, charges, follows, rests

AHEAD_H = 12.0
"""So long before them room is made."""


def negative_price_first(outlook: Outlook, slot: int, stored_wh: float) -> StrategyStep:
    """Returns what to do in ``slot``."""
    if outlook.bought[slot] < 0.0:
        return charges(outlook, "importing is paid for: charges")
    if outlook.sold[slot] < 0.0:
        return follows("an export costs: stores what it can")
    room_wh = outlook.problem.battery.soc_max_wh - stored_wh
    if outlook.net_w[slot] < 0.0 and _wanted_wh(outlook, slot) > room_wh:
        return rests("exports PV: room is kept for hours below zero")
    return follows("follows load and PV")


def _wanted_wh(outlook: Outlook, slot: int) -> float:
    """Returns the room that the hours ahead whose price is below zero can use."""
    battery, ahead = outlook.problem.battery, outlook.ahead(slot, AHEAD_H)
    wanted_wh = 0.0
    for bought, sold, net_w, hours in zip(
        outlook.bought[ahead].tolist(),
        outlook.sold[ahead].tolist(),
        outlook.net_w[ahead].tolist(),
        outlook.problem.dt_h[ahead].tolist(),
        strict=True,
    ):
        power_w = battery.charge_max_w if bought < 0.0 else -net_w if sold < 0.0 else 0.0
        wanted_wh += min(max(power_w, 0.0), battery.charge_max_w) * hours
    return min(wanted_wh * battery.charge_efficiency, outlook.usable_wh)
