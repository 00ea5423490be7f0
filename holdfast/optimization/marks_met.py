"""What a battery does by its marks in each slot, on each path, and what that costs."""

import numpy as np

from holdfast.optimization.problem import Array, PlanProblem, hybrid_room_w

_LEAST_SHARE = 0.01
"""Of less than so much of its power no efficiency of an inverter is told."""


class MarksMet:
    """Holds all paths through the slots, with PV on or off."""

    def __init__(
        self,
        base: PlanProblem,
        load_w: Array,
        pv_w: Array,
        low_kwh: Array,
        *,
        pv_on: bool = True,
    ) -> None:
        """Takes load and PV of shape (paths, slots), and the least that may be stored by slot."""
        battery, hours = base.battery, base.dt_h / 1e3
        self._battery, self._hours, self._low_kwh = battery, hours, low_kwh
        self._charge, self._discharge = battery.charge_efficiency, battery.discharge_efficiency
        self._wear = battery.wear_cost_per_kwh
        self._penalty = base.penalty_per_kwh
        pv_w = pv_w if pv_on else np.zeros_like(pv_w)
        net_w = load_w - pv_w
        self._net = (net_w * hours).T[:, :, None].copy()
        sheddable_w = pv_w if base.pv_curtailable else np.zeros_like(pv_w)
        least_w = np.clip(-base.export_max_w - net_w - sheddable_w, -battery.discharge_max_w, 0.0)
        import_max_w = base.import_max_w if pv_on else base.pv_off_import_max_w
        most_w = np.clip(import_max_w - net_w, 0.0, battery.charge_max_w)
        room_w = hybrid_room_w(battery, pv_w)
        least_w, most_w = np.maximum(least_w, room_w[0]), np.minimum(most_w, room_w[1])
        if not base.sells_stored:
            least_w = np.maximum(least_w, -np.maximum(net_w, 0.0))
        if base.least_w is not None:
            least_w = np.maximum(least_w, np.minimum(base.least_w, most_w))
        if base.most_w is not None:
            most_w = np.minimum(most_w, np.maximum(base.most_w, least_w))
        self._direct_w = np.where(base.may_switch_pv, 0.0, pv_w).T[:, :, None].copy()
        self._no_room = None
        if battery.hybrid_ac_max_w is not None:
            self._no_room = ((pv_w - battery.hybrid_ac_max_w) * hours).T[:, :, None].copy()
        self._least = (least_w * hours).T[:, :, None].copy()
        self._most = (most_w * hours).T[:, :, None].copy()
        self._import_max = np.broadcast_to(base.import_max_w, hours.shape) * hours
        self._export_max = base.export_max_w * hours
        self._bought = base.import_price_per_kwh
        sold = base.export_price_per_kwh
        self._sold = np.maximum(sold, 0.0) if base.pv_curtailable else sold

    def moved(self, slot: int, stored: Array, marks: Array) -> tuple[Array, Array]:
        """Returns the AC energy of the battery in ``slot`` (+ charging), and the change in what is
        stored: what ``marks`` make of it.

        The marks come as (4, paths, 1), what is ``stored`` as (paths or 1, levels).
        """
        through = self._through_kwh(slot, stored, marks)
        hours, battery, direct_w = self._hours[slot], self._battery, self._direct_w[slot]
        if battery.is_linear:
            gained = np.where(through > 0.0, through * self._charge, through / self._discharge)
        else:
            gained = battery.stored_w(through / hours, direct_w) * hours
        can = gained
        if battery.idle_w > 0.0:  # an empty battery is kept from falling below what is its least
            can = np.maximum(can, np.minimum(self._low_kwh[slot] - stored, 0.0))
        if battery.taper_per_h > 0.0:
            can = np.minimum(can, battery.most_stored_wh(1e3 * stored, 1e3 * hours) / 1e3)
        if can is gained:
            return through, gained
        return np.where(can == gained, through, battery.ac_w(can / hours, direct_w) * hours), can

    def _through_kwh(self, slot: int, stored: Array, marks: Array) -> Array:
        buy, store, serve, sell = marks
        net, least, most = self._net[slot], self._least[slot], self._most[slot]
        stores = self._filling(slot, np.maximum(store - stored, 0.0))
        serves = self._emptying(slot, np.maximum(stored - serve, 0.0))
        through = np.minimum(np.maximum(-net, -serves), stores)
        buys = self._filling(slot, np.maximum(buy - stored, 0.0))
        through = np.maximum(through, np.where(stored < buy, buys, -np.inf))
        sells = self._emptying(slot, np.maximum(stored - sell, 0.0))
        through = np.minimum(through, np.where(stored > sell, -sells, np.inf))
        return np.asarray(np.minimum(np.maximum(through, least), most))

    def _filling(self, slot: int, missing: Array) -> Array:
        """Returns the AC energy that stores what is ``missing``, >= 0; none if nothing is."""
        if self._battery.is_linear:
            return missing / self._charge
        hours = self._hours[slot]
        filling = self._battery.ac_w(missing / hours, self._direct_w[slot]) * hours
        return np.where(missing > 0.0, filling, 0.0)

    def _emptying(self, slot: int, above: Array) -> Array:
        """Returns the AC energy that what is ``above`` gives, >= 0."""
        if self._battery.is_linear:
            return above * self._discharge
        hours = self._hours[slot]
        return np.asarray(np.maximum(-self._battery.ac_w(-above / hours) * hours, 0.0))

    def cost(self, slot: int, through: Array) -> Array:
        """Returns what the slot costs at the meter and in wear."""
        grid = self._net[slot] + through
        if self._no_room is not None:  # what finds no room in a hybrid inverter is lost
            grid = grid + np.maximum(self._no_room[slot] - through, 0.0)
        bought = np.maximum(grid, 0.0)
        sold = np.minimum(np.maximum(-grid, 0.0), self._export_max[slot])
        over = np.maximum(bought - self._import_max[slot], 0.0)
        delivered = np.maximum(-through, 0.0)
        cost = self._bought[slot] * bought - self._sold[slot] * sold
        return np.asarray(cost + self._penalty * over + self._wear * delivered)


def worth_by_mark(base: PlanProblem, net_w: Array, counts: Array) -> Array:
    """Returns what a kWh in the battery costs or earns by each mark, (slots, marks)."""
    sold = base.export_price_per_kwh
    sold = np.maximum(sold, 0.0) if base.pv_curtailable else sold
    bought, wear = base.import_price_per_kwh, base.battery.wear_cost_per_kwh
    buys, stores, serves, sells = _efficiencies(base, net_w, counts)
    each = [bought / buys, sold / stores, (bought - wear) * serves, (sold - wear) * sells]
    return np.column_stack(each)


def _efficiencies(base: PlanProblem, net_w: Array, counts: Array) -> tuple[Array, ...]:
    """Returns what buying, storing, serving and selling leave of a kWh in each slot.

    Nothing is bought or sold but at full power; what is stored or served has the power that load
    and PV mostly have. What the inverter draws to be on it draws anyway.
    """
    battery = base.battery
    every = np.ones(base.slots)
    if battery.is_linear:
        each = (battery.charge_efficiency, battery.discharge_efficiency)
        return (every * each[0], every * each[0], every * each[1], every * each[1])

    def mean_w(power_w: Array, most_w: float) -> Array:
        """Returns the mean of the paths that have any; full power where none has."""
        weight = counts[:, None] * (power_w > 0.0)
        total = weight.sum(axis=0)
        mean_w = (weight * power_w).sum(axis=0) / np.where(total > 0.0, total, 1.0)
        return np.clip(np.where(total > 0.0, mean_w, most_w), _LEAST_SHARE * most_w, most_w)

    into_w, out_w = max(battery.charge_max_w, 1.0), max(battery.discharge_max_w, 1.0)
    surplus_w, deficit_w = mean_w(-net_w, into_w), mean_w(net_w, out_w)

    def into(power_w: Array, direct_w: Array | float) -> Array:
        return (battery.stored_w(power_w, direct_w) + battery.idle_w) / power_w

    def out_of(power_w: Array) -> Array:
        return power_w / -(battery.stored_w(-power_w) + battery.idle_w)

    return (
        into(into_w * every, 0.0),
        into(surplus_w, np.where(base.may_switch_pv, 0.0, surplus_w)),
        out_of(deficit_w),
        out_of(out_w * every),
    )
