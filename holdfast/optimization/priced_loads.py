"""With a price for their energy, loads that wait become part of each slot's curve, exactly.

What joins slots is then one battery alone (``dynamic_program.py``). A load sells in each slot, for
the price it has there, and buys what it needs: one that may be interrupted has one price and buys
its energy, one that runs through has a price in each slot and buys the cheapest way to run. Where
both agree that cancels out, so whatever the prices are the sum is a lower bound of the cost
(Lagrange). Losses, limits and either-or of a slot are exact in it; given up is only that a load may
get its energy as the mean of several answers.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from holdfast.optimization.dynamic_program import cheapest_course
from holdfast.optimization.flexible_program import begun_kwh, waiting_per_kwh, ways_to_run
from holdfast.optimization.problem import Array, Mask, PlanProblem
from holdfast.optimization.site_problem import ShiftableLoad, SiteProblem
from holdfast.optimization.slot_cost import exchange_at, exchange_costs, through_kwh
from holdfast.optimization.storage_limits import stored_limits
from holdfast.optimization.value_function import PiecewiseLinear, best_step, earlier, simplified


def can_be_priced(problem: SiteProblem) -> bool:
    """Says whether nothing joins slots but one battery and loads that wait, and limits can be kept.

    Where they cannot it is priced what gives way, the battery or the grid: no matter of a slot.
    """
    base, battery = problem.base, problem.batteries[0]
    surplus_w = np.zeros(base.slots) if base.pv_curtailable else -base.net_load_w
    within = (surplus_w <= base.export_max_w) & (base.net_load_w <= base.import_max_w)
    others = (problem.rooms, problem.demand, problem.batteries[1:])
    return (
        bool(problem.loads)
        and not any(others)
        and problem.modes is None
        and base.sells_stored
        and base.least_w is None
        and base.floor_wh is None
        and battery.deep_wear_cost_per_kwh == 0.0
        and battery.is_linear
        and battery.taper_per_h == 0.0
        and battery.hybrid_ac_max_w is None
        and battery.soc_final_min_wh <= battery.soc_min_wh <= battery.soc_now_wh
        and battery.soc_now_wh <= battery.soc_max_wh
        and bool(within.all())
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EitherOr:
    """Tells which of its either-or each slot does, shape (slots,)."""

    charges: Mask
    imports: Mask
    pv_off: Mask


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PricedAnswer:
    """Tells what is best at some prices."""

    bound: float
    """No answer to the problem costs less."""
    wanting_kwh: Array
    """It is what a load buys beyond what it sells, shape (loads, slots): its price is too low."""
    pattern: EitherOr


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Buyer:
    """A load buys what it needs; arrays have the length of its window."""

    slots: slice
    most_kwh: Array
    wanted_kwh: float
    ways: list[Array]
    """They are empty if it may be interrupted."""

    def buys(self, price: Array) -> tuple[float, Array]:
        """Returns what it pays, and what it buys in each slot (or in all, if interrupted)."""
        if not self.ways:
            return float(price[0]) * self.wanted_kwh, np.full(len(price), self.wanted_kwh)
        paid = [float(price[at : at + len(way)] @ way) for at, way in enumerate(self.ways)]
        first = int(np.argmin(paid))
        bought = np.zeros(len(price))
        bought[first : first + len(self.ways[first])] = self.ways[first]
        return paid[first], bought

    def sold(self, taken_kwh: Array) -> Array:
        """Returns what it sells in each slot (or in all) if it takes ``taken_kwh``."""
        return taken_kwh if self.ways else np.full(len(taken_kwh), taken_kwh.sum())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sale:
    """Tells what loads take in one slot, those first that pay most."""

    rows: NDArray[np.intp]
    most_kwh: Array
    line: PiecewiseLinear
    """It is what it costs that they take so much together."""

    def shares(self, taken_kwh: float) -> Array:
        """Returns what each takes if they take ``taken_kwh`` together."""
        before = np.cumsum(self.most_kwh) - self.most_kwh
        return np.clip(taken_kwh - before, 0.0, self.most_kwh)


class PricedLoads:
    """Answers one problem (``can_be_priced``) at any prices of its loads."""

    def __init__(self, problem: SiteProblem) -> None:
        self._base = base = replace(problem.base, battery=problem.batteries[0])
        hours = base.dt_h / 1e3
        self._least_kwh = -base.battery.discharge_max_w * hours
        self._most_kwh = base.battery.charge_max_w * hours
        self._buyers = [_buyer(base, load) for load in problem.loads]
        shape = (len(problem.loads), base.slots)
        self._load_kwh, self._waiting, self.share = np.zeros((3, *shape))
        for row, buyer in enumerate(self._buyers):
            count = len(buyer.most_kwh)
            self._load_kwh[row, buyer.slots] = buyer.most_kwh
            self._waiting[row, buyer.slots] = waiting_per_kwh(count)
            self.share[row, buyer.slots] = 1.0 if buyer.ways else 1.0 / count
        wanted_kwh = sum(load.energy_wh for load in problem.loads) / 1e3
        short_kwh = wanted_kwh - sum(buyer.wanted_kwh for buyer in self._buyers)
        self._short_cost = base.penalty_per_kwh * short_kwh
        self._limits = stored_limits(base)
        self._exchange = self._exchange_lines(
            sum((begun_kwh(base, load) for load in problem.loads), np.zeros(base.slots))
        )
        self._plain = [self._stored_line(*each) for each in enumerate(self._exchange)]

    def at(self, price: Array) -> PricedAnswer:
        """Returns what is best if a kWh of each load is worth ``price``, shape (loads, slots)."""
        sales = [self._sale(slot, price[:, slot]) for slot in range(self._base.slots)]
        lines = [self._with_sale(slot, sale) for slot, sale in enumerate(sales)]
        power_kwh, cost = self._followed(lines)
        taken = np.zeros_like(self._load_kwh)
        for slot, sale in enumerate(sales):
            if len(sale.rows):
                together = best_step(sale.line, self._exchange[slot], float(power_kwh[slot]))
                taken[sale.rows, slot] = sale.shares(together)
        wanting = np.zeros_like(taken)
        for row, buyer in enumerate(self._buyers):
            paid, bought = buyer.buys(price[row, buyer.slots])
            cost += paid
            wanting[row, buyer.slots] = bought - buyer.sold(taken[row, buyer.slots])
        return PricedAnswer(
            bound=cost + self._short_cost,
            wanting_kwh=wanting,
            pattern=self._pattern(power_kwh, taken.sum(0)),
        )

    def beside(self, taken_kwh: Array) -> EitherOr:
        """Returns what is best where loads take ``taken_kwh`` together, shape (slots,)."""
        lines = [
            self._stored_line(slot, PiecewiseLinear(x=line.x - taken, y=line.y))
            for slot, (line, taken) in enumerate(
                zip(self._exchange, taken_kwh.tolist(), strict=True)
            )
        ]
        return self._pattern(self._followed(lines)[0], taken_kwh)

    def _exchange_lines(self, begun_kwh: Array) -> list[PiecewiseLinear]:
        """Returns by slot what the grid exchange costs, against what battery and loads take."""
        base, hours = self._base, self._base.dt_h / 1e3
        room = (base.import_max_w - base.net_load_w) * hours
        most = np.maximum(np.minimum(room, self._most_kwh + self._load_kwh.sum(0)), begun_kwh)
        shed_w = np.where(base.may_switch_pv | base.pv_curtailable, base.pv_w, 0.0)
        out = (-base.export_max_w - base.net_load_w - shed_w) * hours
        corners, costs = exchange_costs(base, np.clip(out, self._least_kwh, 0.0), most)
        return [simplified(x, y) for x, y in zip(corners.T, costs.T, strict=True)]

    def _sale(self, slot: int, price: Array) -> _Sale:
        rows = np.flatnonzero(self._load_kwh[:, slot])
        cost = self._waiting[rows, slot] - price[rows]
        order = np.argsort(cost, kind="stable")
        most_kwh = self._load_kwh[rows[order], slot]
        corners = np.concatenate([[0.0], np.cumsum(most_kwh)])
        costs = np.concatenate([[0.0], np.cumsum(most_kwh * cost[order])])
        return _Sale(rows=rows[order], most_kwh=most_kwh, line=simplified(corners, costs))

    def _with_sale(self, slot: int, sale: _Sale) -> PiecewiseLinear:
        if not len(sale.rows):
            return self._plain[slot]
        reach = float(self._least_kwh[slot]), float(self._most_kwh[slot])
        return self._stored_line(slot, earlier(sale.line, self._exchange[slot], *reach))

    def _stored_line(self, slot: int, line: PiecewiseLinear) -> PiecewiseLinear:
        """Returns a slot's cost against the change in stored energy, for that against AC energy."""
        battery = self._base.battery
        least = max(float(self._least_kwh[slot]), float(line.x[0]))
        most = min(float(self._most_kwh[slot]), float(line.x[-1]))
        x = np.unique(np.clip(np.append(line.x, 0.0), least, most))
        factor = np.where(x > 0.0, battery.charge_efficiency, 1.0 / battery.discharge_efficiency)
        wear = battery.wear_cost_per_kwh * np.maximum(-x, 0.0)
        return PiecewiseLinear(x=x * factor, y=line.at(x) + wear)

    def _followed(self, lines: list[PiecewiseLinear]) -> tuple[Array, float]:
        """Returns the AC energy of the cheapest course, and what it costs."""
        now_kwh = self._base.battery.soc_now_wh / 1e3
        gained = cheapest_course(lines, self._limits, now_kwh).gained_kwh
        cost = self._limits.cost_of(now_kwh + np.cumsum(gained))
        cost += sum(float(line.at(step)) for line, step in zip(lines, gained, strict=True))
        return through_kwh(self._base, gained), cost

    def _pattern(self, power_kwh: Array, taken_kwh: Array) -> EitherOr:
        exchange = exchange_at(self._base, power_kwh + taken_kwh)
        return EitherOr(
            charges=power_kwh > 0.0, imports=exchange.grid_kwh > 0.0, pv_off=exchange.pv_off
        )


def _buyer(base: PlanProblem, load: ShiftableLoad) -> _Buyer:
    most_kwh = load.power_max_w * base.dt_h[load.slots] / 1e3
    return _Buyer(
        slots=load.slots,
        most_kwh=most_kwh,
        wanted_kwh=min(load.energy_wh / 1e3, float(most_kwh.sum())),
        ways=ways_to_run(load, most_kwh),
    )
