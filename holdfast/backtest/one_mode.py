"""One mode is kept through all days, whatever prices are: so it can be looked at by itself."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from holdfast.core.asked_slot import NO_TERMS, AskedBy, SlotTerms
from holdfast.core.plan import Plan, PlanSlot, PlanStatus
from holdfast.core.slot_mode import SlotMode

LASTS = timedelta(hours=1)
"""Each plan holds for so long; the next one is there before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeAsked:
    """Holds what is asked for all the time."""

    mode: SlotMode
    power_w: float = 0.0
    terms: SlotTerms = NO_TERMS


def plan_of_mode(asked: ModeAsked, now_utc: datetime, price_per_kwh: float) -> Plan:
    """Returns a plan of one slot with that mode."""
    slot = PlanSlot(
        start=now_utc,
        end=now_utc + LASTS,
        mode=asked.mode,
        battery_power_w=asked.power_w,
        grid_power_w=None,
        soc_end_pct=None,
        import_price_per_kwh=price_per_kwh,
        reason=f"{asked.mode} was asked for",
        by=AskedBy.OPERATOR,
        terms=asked.terms,
    )
    return Plan(
        plan_id=str(asked.mode),
        created=now_utc,
        expires=slot.end,
        status=PlanStatus.TIME_OF_USE,
        expected_cost=0.0,
        slots=(slot,),
    )
