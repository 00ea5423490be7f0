"""A plan question holds what is known of a site at one moment."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from holdfast.core.asked_slot import AskedSlot
from holdfast.core.plan import Plan
from holdfast.forecasting.site_forecast import SiteForecast
from holdfast.markets.site_prices import SitePrices
from holdfast.scheduling.loads.progress import LoadsNow

PLAN_LIFETIME = timedelta(minutes=30)
"""A plan that was not renewed for this long rests on prices and a forecast gone stale."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanQuestion:
    """Tells what the optimizer is asked with; all of it can go to another process."""

    now_utc: datetime
    """It is aware; the plan begins now."""
    soc_pct: float
    """It is that of all storage units together."""
    prices: SitePrices
    """They are the owner's, tariffs applied."""
    forecast: SiteForecast
    previous: Plan | None = None
    """It is kept to, unless the change is worth ``planner.change_worth``."""
    peaks_w: Mapping[str, float] = field(default_factory=dict)
    """It is the highest import so far of the periods of demand charges, in W."""
    loads_now: LoadsNow = field(default_factory=LoadsNow)
    """It tells what loads had, and rooms have.

    By default nothing is known, and all is outstanding.
    """
    units_soc_pct: Sequence[float] = ()
    """It is that of each storage unit; if empty, all are as ``soc_pct``."""
    asked: Sequence[AskedSlot] = ()
    """It is what people, rules and schedules ask for: the plan is made around it."""
    rule_leads: str = ""
    """Tells why self-consumption leads in the place of the optimizer; empty: it does not."""


PlanMaker = Callable[[PlanQuestion], Plan]
"""Asks the optimizer, here or in another process. Raises PlanFailed, PriceDataError."""
