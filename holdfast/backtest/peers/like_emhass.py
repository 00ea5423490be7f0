"""EMHASS-like: the plan of least cost on one forecast, whose powers the battery is given.

From its documentation (config.md, forecasts.md): a linear program over the coming day; load as a
day before ("naive"); 60 % stored at the end. Read from excerpts of its code, and not from those
pages: no weight on what goes through the battery; charging from the grid is allowed, discharging to
it is not. Home Assistant then gives the battery the planned power, whatever the meter says. Left to
the site: the battery's limits and efficiency,
and PV, which it takes from a weather service. It plans each time it is asked, in quarter hours, to
the end of the known prices; its own default is every half hour.
"""

from dataclasses import replace
from functools import lru_cache

from holdfast.core.slot_mode import SlotMode
from holdfast.optimization.model import PlanModels
from holdfast.scheduling.strategies.outlook import Outlook
from holdfast.scheduling.strategies.step import StrategyStep

STORED_AT_END = 0.6


def like_emhass(outlook: Outlook, slot: int, stored_wh: float) -> StrategyStep:  # noqa: ARG001 - as all
    """Returns what to do in ``slot``. Raises PlanFailed."""
    power_w = _powers_w(outlook)[slot]
    return StrategyStep(
        mode=SlotMode.POWER, battery_power_w=power_w, reason="as the linear program says"
    )


@lru_cache(maxsize=1)
def _powers_w(outlook: Outlook) -> list[float]:
    """Returns the planned power of each slot; an outlook is asked slot by slot."""
    battery = outlook.problem.battery
    wanted_wh = STORED_AT_END * battery.capacity_wh
    problem = replace(
        outlook.problem,
        sells_stored=False,
        battery=replace(
            battery,
            wear_cost_per_kwh=0.0,
            terminal_value_per_kwh=0.0,
            ageing_cost_per_kwh_h=0.0,
            soc_final_min_wh=min(max(wanted_wh, battery.soc_min_wh), battery.soc_max_wh),
        ),
    )
    powers_w: list[float] = PlanModels().of(problem.slots).solve(problem).battery_w.tolist()
    return powers_w
