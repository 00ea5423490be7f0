"""The ladder tells what the site does if the best cannot be had.

=================  ==================================  =======================================
rung               needs                               made by
=================  ==================================  =======================================
optimal, relaxed   prices, forecast, optimizer         daily_scheduler
last good          a plan not older than four hours    what was optimal then
time of use        prices                              tou_optimizer
self-consumption   the meter                           the controller, without a plan
passive            nothing                             the controller
=================  ==================================  =======================================
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from holdfast.core.abilities import SETPOINT_ONLY, Abilities
from holdfast.core.config import Site
from holdfast.core.errors import PlanFailed
from holdfast.core.plan import Plan, PlanStatus
from holdfast.markets.site_prices import SitePrices
from holdfast.scheduling.plan_question import PLAN_LIFETIME
from holdfast.scheduling.tou_optimizer import tou_plan

LAST_GOOD_FOR = timedelta(hours=4)
"""Load and sun have changed by then, and what is stored with them."""


class Ladder:
    """Takes the best rung that holds; remembers the last good plan."""

    def __init__(self, site: Site, abilities: Abilities = SETPOINT_ONLY) -> None:
        self._site = site
        self._abilities = abilities
        self._last: Plan | None = None

    @property
    def last_good(self) -> Plan | None:
        """Returns the last plan of the optimizer."""
        return self._last

    def plan(self, now_utc: datetime, prices: SitePrices, make: Callable[[], Plan]) -> Plan:
        """Returns the plan of the best rung; ``make`` asks the optimizer.

        Raises PriceDataError if no price is known for now: the controller's own rungs are left.
        """
        try:
            self._last = make()
        except PlanFailed as error:
            note = f"the optimizer gave no plan: {error}"
            return self._continued(now_utc, note) or tou_plan(
                self._site, now_utc=now_utc, prices=prices, note=note, abilities=self._abilities
            )
        return self._last

    def _continued(self, now_utc: datetime, note: str) -> Plan | None:
        last = self._last
        if last is None or not now_utc < last.created + LAST_GOOD_FOR:
            return None
        slots = tuple(slot for slot in last.slots if slot.end > now_utc)
        if not slots:
            return None
        expires = min(slots[-1].end, now_utc + PLAN_LIFETIME, last.created + LAST_GOOD_FOR)
        return replace(last, expires=expires, status=PlanStatus.LAST_GOOD, slots=slots, note=note)
