"""Plans that the controller held are followed again: who led a day, and what came of it."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from holdfast.backtest.strategies import Adviser
from holdfast.core.asked_slot import AskedBy
from holdfast.core.plan import Plan, PlanStatus
from holdfast.monitoring.history.past_spells import PastPlan
from holdfast.monitoring.plan_judge import WhoLeads

LEAST_SHARE = 0.9
"""Whoever leads a day leads so much of it."""


class HeldPlans(Adviser):
    """Gives the plan that was held at each moment, without loads: what they took was measured."""

    def __init__(self, held: Sequence[PastPlan]) -> None:
        """``held`` is in order of time."""
        self._held = held

    def plan(self, now_utc: datetime, soc_pct: float) -> Plan | None:  # noqa: ARG002 - as all are called
        """Returns the plan of then; None if none was held."""
        index = bisect_right(self._held, now_utc, key=lambda past: past.start) - 1
        if index < 0:
            return None
        past = self._held[index]
        is_over = past.end is not None and past.end <= now_utc
        if past.plan is None or is_over or past.plan.expires <= now_utc:
            return None
        slots = tuple(replace(slot, loads=()) for slot in past.plan.slots)
        return replace(past.plan, slots=slots)


def who_led(held: Sequence[PastPlan], start: datetime, end: datetime) -> WhoLeads | None:
    """Returns who led nearly all of the time from ``start`` to ``end``; None: neither did."""
    led_s = dict.fromkeys(WhoLeads, 0.0)
    for leader, seconds in _led(held, start, end):
        led_s[leader] += seconds
    least_s = LEAST_SHARE * (end - start).total_seconds()
    return next((leader for leader, seconds in led_s.items() if seconds >= least_s), None)


def _led(
    held: Sequence[PastPlan], start: datetime, end: datetime
) -> Iterator[tuple[WhoLeads, float]]:
    for past in held:
        plan = past.plan
        if plan is None:
            continue
        leader = WhoLeads.RULE if plan.status is PlanStatus.STRATEGY else WhoLeads.PLANS
        until = min(end, plan.expires, past.end or end)
        since = max(start, past.start)
        for slot in plan.slots:
            seconds = (min(slot.end, until) - max(slot.start, since)).total_seconds()
            if slot.by is AskedBy.PLAN and seconds > 0.0:
                yield leader, seconds
