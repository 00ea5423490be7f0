"""The learner looks for regularities in measured days, and proposes rules with its evidence.

It enables none: a rule is what an owner decides. What a proposal would have earned is told by a
trial on days that the learner has not seen (:mod:`holdfast.backtest.rule_lessons`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from holdfast.core.config import Site
from holdfast.core.quarter_hours import QUARTERS_PER_DAY, start_of

LEAST_DAYS = 7
"""Less is no habit."""
_REGULAR = 0.6
"""What was so on this share of the days is regular."""
_SOME = 0.05
"""What was so on fewer days is not worth a rule."""
_SURPLUS_W = 500.0
_FULL_PCT = 90.0
_MOST_HOURS = 6

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LearnedDays:
    """Holds whole local days of 24 hours: one row a day, one column a quarter hour."""

    buy: Floats
    sell: Floats
    surplus_w: Floats
    """It is PV less load."""

    @property
    def count(self) -> int:
        """Returns the number of days."""
        return len(self.buy)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleProposal:
    """Holds a rule that is proposed, and why."""

    name: str
    when: str
    then: str
    """It is written as in YAML."""
    evidence: str
    of_days: int
    """So many were looked at,"""
    days: int = 0
    """and on so many of them it was so."""

    @property
    def yaml(self) -> str:
        """Returns the entry of a rule file; it is not enabled."""
        return (
            f"  - name: {self.name}\n"
            f"    when: {self.when}\n"
            f"    then: {self.then}\n"
            "    enabled: false\n"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Battery:
    charge_w: float
    discharge_w: float
    capacity_wh: float
    efficiency: float
    """It is that of a whole cycle."""
    wear_per_kwh: float


def whole_days(
    quarters: Sequence[tuple[int, float, float, float]], zone: ZoneInfo
) -> LearnedDays | None:
    """Puts quarter hours together: their number since 1970, prices to buy and sell, surplus in W.

    Days with a hole, and those on which clocks change, are left out. None if no day is whole.
    """
    days: dict[int, list[tuple[float, float, float]]] = {}
    for number, buy, sell, surplus_w in quarters:
        local = start_of(number).astimezone(zone)
        days.setdefault(local.date().toordinal(), []).append((buy, sell, surplus_w))
    whole = [day for day in days.values() if len(day) == QUARTERS_PER_DAY]
    if not whole:
        return None
    values = np.array(whole)
    return LearnedDays(buy=values[:, :, 0], sell=values[:, :, 1], surplus_w=values[:, :, 2])


def propose(days: LearnedDays, site: Site) -> tuple[RuleProposal, ...]:
    """Returns rules for what was found; none for less than a week."""
    if days.count < LEAST_DAYS:
        return ()
    battery = _battery(site)
    found = (look(days, battery) for look in _LOOKS)
    return tuple(proposal for proposal in found if proposal is not None)


def _negative(days: LearnedDays, battery: _Battery) -> RuleProposal | None:
    below = days.buy < 0.0
    hours = float(below.sum()) / 4.0
    return _if_often(
        days,
        np.asarray(below.any(axis=1)),
        RuleProposal(
            name="negative_price",
            when="price_per_kwh < 0",
            then=f"{{mode: charge_only, power_w: {battery.charge_w:.0f}}}",
            evidence=f"importing was paid for in {hours:g} h",
            of_days=days.count,
        ),
        least=_SOME,
    )


def _cheap_hours(days: LearnedDays, battery: _Battery) -> RuleProposal | None:
    """Buys in the cheapest hours what is served in the dearest, as many as earn the most."""
    ordered = np.sort(days.buy, axis=1)
    best: tuple[float, int, Floats] | None = None
    for hours in range(1, _MOST_HOURS + 1):
        cheap = ordered[:, : 4 * hours].mean(axis=1)
        dear = ordered[:, -4 * hours :].mean(axis=1)
        stored_kwh = min(battery.charge_w * hours, battery.capacity_wh) / 1000.0
        gain = stored_kwh * (dear * battery.efficiency - cheap - battery.wear_per_kwh)
        gained = float(np.maximum(gain, 0.0).mean())
        if best is None or gained > best[0]:
            best = (gained, hours, gain)
    assert best is not None
    gained, hours, gain = best
    limit = f"price_per_kwh + {battery.wear_per_kwh:g} < {battery.efficiency:.2f} * price_p75"
    return _if_often(
        days,
        np.asarray(gain > 0.0),
        RuleProposal(
            name="cheap_hours",
            when=f"cheaper_hours_today < {hours} && {limit}",
            then=f"{{mode: charge_only, power_w: {battery.charge_w:.0f}, "
            f"soc_target_pct: {_FULL_PCT:g}}}",
            evidence=f"the cheapest {hours} h and the dearest {hours} h were far enough apart to "
            f"pay for losses and wear, by {gained:.2f} a day on average",
            of_days=days.count,
        ),
    )


def _evening_peak(days: LearnedDays, battery: _Battery) -> RuleProposal | None:
    """Keeps what is stored for the regular hours that are dearest."""
    hourly = days.buy.reshape(days.count, 24, 4).mean(axis=2)
    dearest = hourly.mean(axis=0)
    begin = int(np.argmax([dearest[h : h + 4].mean() for h in range(10, 21)])) + 10
    before = slice(max(begin - 6, 0), begin)
    peak, quiet = hourly[:, begin : begin + 4].mean(axis=1), hourly[:, before].mean(axis=1)
    dear = peak * battery.efficiency > quiet + battery.wear_per_kwh
    short = days.surplus_w.reshape(days.count, 24, 4).mean(axis=2)[:, begin : begin + 4] < 0.0
    return _if_often(
        days,
        dear & short.all(axis=1),
        RuleProposal(
            name="keep_for_peak",
            when=f"hour >= {before.start} && hour < {begin} && "
            f"price_per_kwh + {battery.wear_per_kwh:g} < {battery.efficiency:.2f} * "
            "price_max_today",
            then="{mode: hold}",
            evidence=f"from {begin}:00 to {begin + 4}:00 there was load and no sun, at a price of "
            f"{peak.mean():.3f} instead of {quiet.mean():.3f} in the hours before",
            of_days=days.count,
        ),
    )


def _sunny_noon(days: LearnedDays, battery: _Battery) -> RuleProposal | None:
    """Sells the first half of a regular surplus, and stores the second, where that is paid less."""
    surplus = days.surplus_w.reshape(days.count, 24, 4).mean(axis=2) > _SURPLUS_W
    regular = np.flatnonzero(surplus.mean(axis=0) >= _REGULAR)
    if len(regular) < 2:
        return None
    first, last = int(regular[0]), int(regular[-1]) + 1
    middle = (first + last) // 2
    sell = days.sell.reshape(days.count, 24, 4).mean(axis=2)
    early, late = sell[:, first:middle].mean(axis=1), sell[:, middle:last].mean(axis=1)
    energy_wh = np.maximum(days.surplus_w, 0.0)[:, 4 * middle : 4 * last].sum(axis=1) / 4.0
    return _if_often(
        days,
        (early > late) & (energy_wh > battery.capacity_wh / 2.0),
        RuleProposal(
            name="sell_before_noon",
            when=f"hour >= {first} && hour < {middle} && "
            f"pv_rest_of_today_wh > {1.5 * battery.capacity_wh:.0f}",
            then="{mode: pv_optimizer, soc_ceiling_pct: 50}",
            evidence=f"there was a surplus from {first}:00 to {last}:00, of which the first half "
            f"was paid {early.mean():.3f} and the second {late.mean():.3f}",
            of_days=days.count,
        ),
    )


def _sell_dear(days: LearnedDays, battery: _Battery) -> RuleProposal | None:
    """Sells what is stored where that earns more than it cost to store."""
    best = days.sell.max(axis=1)
    cost = np.sort(days.buy, axis=1)[:, :8].mean(axis=1)
    return _if_often(
        days,
        best * battery.efficiency > cost + battery.wear_per_kwh,
        RuleProposal(
            name="sell_dear",
            when=f"{battery.efficiency:.2f} * feed_in_per_kwh > price_p05 + "
            f"{battery.wear_per_kwh:g} && dearer_hours_today < 2 && soc_pct > 30",
            then=f"{{mode: power, power_w: {-battery.discharge_w:.0f}}}",
            evidence=f"the best export price, {best.mean():.3f}, was above what the cheapest two "
            f"hours cost, {cost.mean():.3f}, losses and wear counted",
            of_days=days.count,
        ),
    )


_LOOKS: tuple[Callable[[LearnedDays, _Battery], RuleProposal | None], ...] = (
    _negative,
    _cheap_hours,
    _evening_peak,
    _sunny_noon,
    _sell_dear,
)


def _if_often(
    days: LearnedDays,
    was_so: npt.NDArray[np.bool_],
    proposal: RuleProposal,
    least: float = _REGULAR,
) -> RuleProposal | None:
    count = int(was_so.sum())
    if count < max(least * days.count, 1.0):
        return None
    return replace(proposal, days=count)


def _battery(site: Site) -> _Battery:
    capacity_wh = sum(unit.battery.capacity_wh for unit in site.storage)
    efficiency = sum(
        (unit.inverter_hardware.efficiency_pct / 100.0) ** 2 * unit.battery.capacity_wh
        for unit in site.storage
    )
    return _Battery(
        charge_w=site.charge_power_max_w,
        discharge_w=site.discharge_power_max_w,
        capacity_wh=capacity_wh,
        efficiency=efficiency / capacity_wh,
        wear_per_kwh=site.planner.wear_cost_per_kwh,
    )
