"""The ``planner`` section of site.yaml says how the planner works."""

from typing import Annotated

from pydantic import AfterValidator, Field

from holdfast.core.config.section import NotNegative, Section
from holdfast.core.device_mode import PLANNED, DeviceMode
from holdfast.core.strategy_name import StrategyName


def _planned(mode: DeviceMode) -> DeviceMode:
    if mode not in PLANNED:
        raise ValueError(f"what a battery does by {mode} nobody knows; may be {', '.join(PLANNED)}")
    return mode


PlannedMode = Annotated[DeviceMode, AfterValidator(_planned)]
LEAST_DAYS = 5
MOST_DAYS = 28


def _enough(days: int) -> int:
    if 0 < days < LEAST_DAYS:
        raise ValueError(f"of {days} days nothing is learned; {LEAST_DAYS} at least, or 0 for none")
    return days


ScenarioDays = Annotated[int, Field(ge=0, le=MOST_DAYS), AfterValidator(_enough)]
"""Of fewer than ``LEAST_DAYS`` nobody learns how a day may come."""


class PlannerOptions(Section):
    """How the planner works."""

    strategy: StrategyName = StrategyName.OPTIMIZER
    """Who plans; the others are simple rules (docs/strategies.md). optimizer: the least cost."""
    horizon_h: Annotated[float, Field(ge=2, le=168)] = 48.0
    """How far a plan looks ahead."""
    interval_s: Annotated[float, Field(ge=1, le=3600)] = 300.0
    """Time between two plans."""
    wear_cost_per_kwh: NotNegative = 0.02
    """What a kWh through the battery costs in life, in the site's currency."""
    ageing_cost_per_kwh_day: NotNegative = 0.0
    """What a day with a kWh stored above ``ageing_above_pct`` costs in life."""
    ageing_above_pct: Annotated[float, Field(ge=0, le=100)] = 80.0
    """From which state of charge on time costs life."""
    deep_wear_cost_per_kwh: NotNegative = 0.0
    """More wear, for what is used beyond ``deep_from_pct`` of the capacity in one cycle."""
    deep_from_pct: Annotated[float, Field(gt=0, le=100)] = 60.0
    """From which depth of discharge on wear costs more."""
    terminal_price_per_kwh: NotNegative | None = None
    """What a stored kWh is worth when a plan ends. None: what it saves in a cheap hour."""
    change_worth: NotNegative = 0.01
    """A new plan must earn this much more than the last one to be followed in its place."""
    load_quantile: Annotated[float, Field(ge=0.1, le=0.9)] = 0.5
    """Against which load to plan: above 0.5 for those who would rather have some left. Of PV the
    opposite quantile is taken."""
    scenario_days: ScenarioDays = MOST_DAYS
    """Plans are made against load and PV as far off the forecast as on so many days before, and the
    battery follows what stored energy is worth. 0: against the forecast alone, as
    while fewer than five days are known."""
    judged: bool = True
    """Plans are compared each day with self-consumption on what was measured; while that is surely
    better, it leads (docs/savings.md). false: plans lead, whatever they earn."""
    device_modes: tuple[PlannedMode, ...] = ()
    """Plans leave the inverter to one of these rules of its own at a time. Where its table has not
    that one, or not all that it may do in it is permitted, it gets the power of the slot."""
    device_mode_dwell_minutes: Annotated[int, Field(ge=15, le=1440)] = 60
    """A mode is kept at least as long: each change is written to a memory that wears."""
