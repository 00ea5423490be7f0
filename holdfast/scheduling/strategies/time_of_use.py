"""Time of use: keeps what is stored out of cheap hours while much dearer ones are to come."""

from holdfast.scheduling.strategies.outlook import Outlook
from holdfast.scheduling.strategies.step import StrategyStep, charges, follows, holds
from holdfast.scheduling.tou_optimizer import AHEAD, DEARER

_AHEAD_H = AHEAD.total_seconds() / 3600.0


def time_of_use(outlook: Outlook, slot: int, stored_wh: float) -> StrategyStep:  # noqa: ARG001 - as all
    """Returns what to do in ``slot``, by the rule that the planner's ladder has, too."""
    now = outlook.bought[slot]
    if now < 0.0:
        return charges(outlook, "importing is paid for: charges")
    later = float(outlook.bought[outlook.ahead(slot, _AHEAD_H)].max(initial=now))
    if later > DEARER * now + outlook.problem.battery.wear_cost_per_kwh:
        return holds("keeps its energy: much dearer hours are near")
    return follows("follows load and PV")
