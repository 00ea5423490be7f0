"""Time of use goes by rule: it tells what to do with prices alone, without optimizer and forecasts.

It knows neither load nor sun to come, so it does little, and nothing that could cost much: it
keeps what is stored out of cheap slots while much dearer ones are to come, and follows the meter
everywhere else. It buys only where that is paid for, and has PV throttled where an export costs.
"""

from datetime import datetime, timedelta

from holdfast.core.abilities import SETPOINT_ONLY, Abilities
from holdfast.core.config import Site
from holdfast.core.errors import PriceDataError
from holdfast.core.plan import Plan, PlanSlot, PlanStatus
from holdfast.core.quarter_hours import QUARTER, quarter_of, start_of
from holdfast.core.slot_mode import SlotMode
from holdfast.markets.site_prices import SitePrices
from holdfast.scheduling.export_limit import export_limit_w
from holdfast.scheduling.plan_question import PLAN_LIFETIME
from holdfast.scheduling.reasons import price_text

AHEAD = timedelta(hours=4)
"""What is kept is used within as much; further away lies another sun."""
DEARER = 1.6
"""The later slot must be this many times as dear.

Losses and wear take a tenth to a fifth, and what is kept may find no load.
"""


def tou_plan(
    site: Site,
    *,
    now_utc: datetime,
    prices: SitePrices,
    note: str,
    abilities: Abilities = SETPOINT_ONLY,
) -> Plan:
    """Returns a plan by the rule, as far as prices are known. Raises PriceDataError if unknown."""
    until = prices.known_until(now_utc)
    if until is None:
        raise PriceDataError(f"no price is known for {now_utc:%FT%RZ}")
    until = min(until, now_utc + timedelta(hours=site.planner.horizon_h))
    slots: list[PlanSlot] = []
    start, end = now_utc, start_of(quarter_of(now_utc)) + QUARTER
    while end <= until:
        slots.append(_slot(site, abilities, prices, start, end))
        start, end = end, end + QUARTER
    if not slots:
        raise PriceDataError(f"prices end at {until:%FT%RZ}, within this slot")
    return Plan(
        plan_id=f"tou-{now_utc:%Y%m%d%H%M%S}",
        created=now_utc,
        expires=min(slots[-1].end, now_utc + PLAN_LIFETIME),
        status=PlanStatus.TIME_OF_USE,
        expected_cost=0.0,
        slots=tuple(slots),
        note=note,
    )


def _slot(
    site: Site, abilities: Abilities, prices: SitePrices, start: datetime, end: datetime
) -> PlanSlot:
    now = _known(prices.purchase.price_at(start))
    later = max(
        (slot.price_per_kwh for slot in prices.purchase.between(end, end + AHEAD)), default=now
    )
    text = price_text(now, site.currency)
    if now < 0.0:
        mode, power_w = SlotMode.POWER, site.charge_power_max_w
        reason = f"by rule: charges, {text} now is paid for"
    elif later > DEARER * now + site.planner.wear_cost_per_kwh:
        mode, power_w = SlotMode.HOLD, 0.0
        reason = f"by rule: keeps its energy, {text} now, {price_text(later, site.currency)} later"
    else:
        mode, power_w = SlotMode.SELF_CONSUMPTION, 0.0
        reason = f"by rule: follows load and PV, {text} now"
    if site.authority == "limited":
        power_w = min(power_w, site.limited_power_w)
    return PlanSlot(
        start=start,
        end=end,
        mode=mode,
        battery_power_w=power_w,
        grid_power_w=None,
        soc_end_pct=None,
        import_price_per_kwh=now,
        reason=reason,
        export_limit_w=_export_limit_w(site, abilities, prices.feed_in.price_at(start)),
    )


def _export_limit_w(site: Site, abilities: Abilities, earned: float | None) -> float | None:
    if earned is None or not abilities.throttles_pv:
        return None
    return export_limit_w(earned, site.grid.export_max_w)


def _known(price: float | None) -> float:
    if price is None:
        raise PriceDataError("a price that was known is not any more")
    return price
