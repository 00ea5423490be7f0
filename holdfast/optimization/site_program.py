"""A SiteProblem becomes columns and rows. Energies are in kWh per slot, temperatures in °C.

Per slot: load + charge - discharge + heat + shiftable - (PV - curtailed - lost - switched off)
= imported + over - exported. What cannot be kept is priced, so that there always is an answer:
``over`` and ``lost`` at the grid, ``below`` and ``above`` at the batteries, ``cold`` and ``hot``
in the rooms, ``short`` at the shiftable loads.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from holdfast.core.device_mode import MODES, DeviceMode
from holdfast.optimization.flexible_program import LoadColumns, add_load, add_room
from holdfast.optimization.grid_program import Flexible, GridColumns, add_grid, grid_reach
from holdfast.optimization.problem import Array, BatteryModel
from holdfast.optimization.site_problem import (
    ModeRules,
    PeakPrice,
    SiteProblem,
)
from holdfast.optimization.sparse import Block, Blocks


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UnitColumns:
    """Holds the columns of one storage unit."""

    charge: Block
    discharge: Block
    stored: Block
    rows: Block
    """They are those of the storage: their duals are what stored energy is worth."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SiteColumns:
    """Tells where everything is."""

    units: tuple[UnitColumns, ...]
    charges: Block
    """At 1 units may charge, at 0 they may discharge; never one the other.

    It becomes a whole number only where it has to be.
    """
    grid: GridColumns
    rooms: tuple[Block, ...]
    """It is the electric energy of each."""
    loads: tuple[LoadColumns, ...]
    modes: dict[DeviceMode, Block]


def build_site(problem: SiteProblem) -> tuple[Blocks, SiteColumns]:
    """Builds the program of ``problem`` and tells where to find things in it."""
    blocks = Blocks()
    charges = blocks.add_columns(problem.base.slots, 0.0, 1.0)
    units = tuple(_add_unit(blocks, problem, battery, charges) for battery in problem.batteries)
    rooms = tuple(add_room(blocks, problem, room) for room in problem.rooms)
    loads = tuple(add_load(blocks, problem, load) for load in problem.loads)
    every = slice(None)
    flexible = [(every, room) for room in rooms]
    flexible += [(load.slots, each.run) for load, each in zip(problem.loads, loads, strict=True)]
    batteries = [(unit.charge, -1.0) for unit in units]
    batteries += [(unit.discharge, 1.0) for unit in units]
    grid = add_grid(blocks, problem, batteries, flexible)
    _add_fixed(blocks, problem, units)
    if not problem.base.sells_stored:
        _add_own_use(blocks, problem, units, flexible)
    for charge in problem.demand:
        _add_demand(blocks, problem, grid, charge)
    modes: dict[DeviceMode, Block] = {}
    if problem.modes is not None:
        modes = _add_modes(blocks, problem, problem.modes, units, grid, flexible)
    return blocks, SiteColumns(
        units=units,
        charges=charges,
        grid=grid,
        rooms=rooms,
        loads=loads,
        modes=modes,
    )


def _add_unit(
    blocks: Blocks, problem: SiteProblem, battery: BatteryModel, charges: Block
) -> UnitColumns:
    base = problem.base
    slots, hours = base.slots, base.dt_h / 1e3
    most, least = battery.charge_max_w * hours, battery.discharge_max_w * hours
    charge = blocks.add_columns(slots, 0.0, most)
    discharge = blocks.add_columns(slots, 0.0, least, battery.wear_cost_per_kwh)
    worth = np.zeros(slots)
    worth[-1] = -battery.terminal_value_per_kwh
    stored = blocks.add_columns(slots, 0.0, battery.capacity_wh / 1e3, worth)
    penalty = base.penalty_per_kwh
    below = blocks.add_columns(slots, 0.0, np.inf, penalty)
    above = blocks.add_columns(slots, 0.0, np.inf, penalty)
    low = np.full(slots, battery.soc_min_wh / 1e3)
    low[-1] = max(battery.soc_min_wh, min(battery.soc_final_min_wh, battery.soc_max_wh)) / 1e3
    blocks.add_rows(low, np.inf, (stored, 1.0), (below, 1.0))
    blocks.add_rows(-np.inf, battery.soc_max_wh / 1e3, (stored, 1.0), (above, -1.0))
    if battery.ageing_cost_per_kwh_h > 0.0:
        cost = replace(base, battery=battery).ageing_cost_per_kwh
        aged = blocks.add_columns(slots, 0.0, np.inf, cost)
        blocks.add_rows(-np.inf, battery.ageing_above_wh / 1e3, (stored, 1.0), (aged, -1.0))
    now_kwh, drawn = battery.soc_now_wh / 1e3, battery.idle_w * hours
    rows = _add_balance(blocks, battery, now_kwh, stored, charge, discharge, drawn)
    blocks.add_rows(-np.inf, 0.0, (charge, 1.0), (charges, -most))
    blocks.add_rows(-np.inf, least, (discharge, 1.0), (charges, least))
    if battery.deep_wear_cost_per_kwh > 0.0:
        _add_deep_cycles(blocks, battery, charge, discharge, stored)
    return UnitColumns(charge=charge, discharge=discharge, stored=stored, rows=rows)


def _add_balance(
    blocks: Blocks,
    battery: BatteryModel,
    now_kwh: float,
    stored: Block,
    into: Block,
    out: Block,
    drawn: Array | float = 0.0,
) -> Block:
    """Balances what is stored after a slot with what was before, went in and out, and was lost.

    ``drawn`` is what the inverter takes to be on, in each slot.
    """
    start = np.zeros(len(stored)) - drawn
    start[0] += now_kwh
    rows = blocks.add_rows(
        start,
        start,
        (stored, 1.0),
        (into, -battery.charge_efficiency),
        (out, 1.0 / battery.discharge_efficiency),
    )
    blocks.add_entries(rows[1:], stored[:-1], -1.0)
    return rows


def _add_deep_cycles(
    blocks: Blocks, battery: BatteryModel, charge: Block, discharge: Block, stored: Block
) -> None:
    """Splits what is stored: the shallow part of a cycle is used, and filled, first.

    Nothing has to say so: it is cheaper to use, and there is nothing to choose in filling.
    """
    slots, shallow_kwh = len(stored), battery.deep_from_wh / 1e3
    most_kwh = max(battery.capacity_wh / 1e3 - shallow_kwh, 0.0)
    into = blocks.add_columns(slots, 0.0, np.inf)
    out = blocks.add_columns(slots, 0.0, np.inf, battery.deep_wear_cost_per_kwh)
    deep = blocks.add_columns(slots, 0.0, most_kwh)
    now_kwh = max(battery.soc_now_wh / 1e3 - shallow_kwh, 0.0)
    _add_balance(blocks, battery, now_kwh, deep, into, out)
    blocks.add_rows(0.0, np.inf, (charge, 1.0), (into, -1.0))
    blocks.add_rows(0.0, np.inf, (discharge, 1.0), (out, -1.0))
    blocks.add_rows(0.0, shallow_kwh, (stored, 1.0), (deep, -1.0))


def _add_fixed(blocks: Blocks, problem: SiteProblem, units: tuple[UnitColumns, ...]) -> None:
    """What is fixed, or to be kept, holds for all units together."""
    base = problem.base
    if base.least_w is not None and base.most_w is not None:
        hours = base.dt_h / 1e3
        powers = [(unit.charge, 1.0) for unit in units]
        powers += [(unit.discharge, -1.0) for unit in units]
        blocks.add_rows(base.least_w * hours, base.most_w * hours, *powers)
    if base.floor_wh is not None and base.ceiling_wh is not None:
        stored = [(unit.stored, 1.0) for unit in units]
        blocks.add_rows(base.floor_wh / 1e3, base.ceiling_wh / 1e3, *stored)


def _add_own_use(
    blocks: Blocks, problem: SiteProblem, units: tuple[UnitColumns, ...], flexible: Flexible
) -> None:
    """The batteries serve what is on, and export nothing."""
    deficit = problem.base.deficit_w * problem.base.dt_h / 1e3
    rows = blocks.add_rows(-np.inf, deficit, *((unit.discharge, 1.0) for unit in units))
    for slots_of, column in flexible:
        blocks.add_entries(rows[slots_of], column, -1.0)


def _add_demand(blocks: Blocks, problem: SiteProblem, grid: GridColumns, charge: PeakPrice) -> None:
    slots, hours = problem.base.slots, problem.base.dt_h
    counts = np.ones(slots, dtype=bool)
    if charge.hours_only is not None:
        counts = np.array(charge.hours_only)
    if not counts.any():
        return
    peak_kw = blocks.add_columns(1, 0.0, np.inf, charge.cost_per_kw)
    per_kwh = 1.0 / hours[counts]
    blocks.add_rows(
        -np.inf,
        charge.peak_so_far_w / 1e3,
        (grid.imported[counts], per_kwh),
        (grid.over[counts], per_kwh),
        (np.repeat(peak_kw, int(counts.sum())), -1.0),
    )


def _add_modes(
    blocks: Blocks,
    problem: SiteProblem,
    rules: ModeRules,
    units: tuple[UnitColumns, ...],
    grid: GridColumns,
    flexible: Flexible,
) -> dict[DeviceMode, Block]:
    base, slots = problem.base, problem.base.slots
    modes = {mode: blocks.add_columns(slots, 0.0, 1.0) for mode in rules.allowed}
    blocks.add_rows(1.0, 1.0, *((column, 1.0) for column in modes.values()))
    unserved = blocks.add_columns(slots, 0.0, np.inf, base.penalty_per_kwh)
    discharge = [(unit.discharge, 1.0) for unit in units]
    terms: tuple[list[tuple[Block, float]], ...] = (
        [(unit.charge, 1.0) for unit in units],
        discharge,
        discharge,
        [(grid.imported, 1.0), (unserved, -1.0)],
    )
    most = {mode: mode_limits(problem, mode) for mode in modes}
    rows = [
        blocks.add_rows(-np.inf, 0.0, *term, *((modes[mode], -most[mode][row]) for mode in modes))
        for row, term in enumerate(terms)
    ]
    for slots_of, column in flexible:  # serving them is no export
        blocks.add_entries(rows[2][slots_of], column, -1.0)
    for mode, column in modes.items():
        ends = dwell_ends(base.dt_h, rules.dwell_slots)
        _add_dwell(blocks, column, ends, problem.change_cost, is_now=mode is rules.now)
    if rules.now is not None and rules.kept_slots:
        blocks.add_rows(1.0, 1.0, (modes[rules.now][: rules.kept_slots], 1.0))
    return modes


def mode_limits(problem: SiteProblem, mode: DeviceMode) -> Array:
    """Returns the kWh that ``mode`` permits in each slot, shape (4, slots).

    They are of charging, of discharging, of discharging beyond what rooms and loads that wait take,
    and of importing.
    """
    base, row = problem.base, MODES[mode]
    hours, nothing = base.dt_h / 1e3, np.zeros(base.slots)
    charge = sum(battery.charge_max_w for battery in problem.batteries) * hours
    discharge = sum(battery.discharge_max_w for battery in problem.batteries) * hours
    surplus = np.maximum(-base.net_load_w, 0.0) * hours
    from_pv = nothing if row.exports else np.minimum(charge, surplus)
    served = np.minimum(discharge, base.deficit_w * hours)
    return np.stack(
        [
            charge if row.charges_from_grid else from_pv,
            discharge if row.serves_load else nothing,
            discharge if row.exports else served,
            _bought_beside(problem) if row.must_serve else grid_reach(problem)[0],
        ]
    )


def _bought_beside(problem: SiteProblem) -> Array:
    """Returns the kWh that a slot may import while the batteries serve the load at full power."""
    most_in, _ = grid_reach(problem)
    power_w = sum(unit.charge_max_w + unit.discharge_max_w for unit in problem.batteries)
    return np.asarray(np.maximum(most_in - power_w * problem.base.dt_h / 1e3, 0.0))


def unserved_kwh(problem: SiteProblem, modes: tuple[DeviceMode, ...], grid_w: Array) -> float:
    """Returns the kWh imported in modes that serve the load first, as the batteries are empty."""
    most_in, _ = grid_reach(problem)
    bought = np.minimum(grid_w * problem.base.dt_h / 1e3, most_in)
    serves = np.array([MODES[mode].must_serve for mode in modes])
    return float(np.maximum(bought - _bought_beside(problem), 0.0) @ serves)


def dwell_ends(dt_h: Array, dwell_slots: int) -> list[int]:
    """Returns for each slot in which a mode may begin the slot after the last in which it is kept.

    The first slot may be the rest of one, and then does not count as a whole one.
    """
    starts_h = np.concatenate([[0.0], np.cumsum(dt_h)[:-1]])
    until_h = starts_h + dwell_slots * float(dt_h.max()) - 1e-9
    return [int(end) for end in np.searchsorted(starts_h, until_h)]


def _add_dwell(blocks: Blocks, mode: Block, ends: list[int], cost: float, *, is_now: bool) -> None:
    """A mode that begins in a slot lasts until its end, or to the end of the plan."""
    begins = blocks.add_columns(len(mode), 0.0, 1.0, cost)
    blocks.add_rows(-np.inf, float(is_now), (mode[:1], 1.0), (begins[:1], -1.0))
    pairs = np.array(list(pairwise(mode)), dtype=np.int32).reshape(-1, 2)
    blocks.add_rows(-np.inf, 0.0, (pairs[:, 1], 1.0), (pairs[:, 0], -1.0), (begins[1:], -1.0))
    rows = blocks.add_rows(-np.inf, 0.0, (begins, 1.0), (mode, -1.0))
    for slot, end in enumerate(ends):
        later = rows[slot + 1 : end]
        blocks.add_entries(later, np.repeat(begins[slot], len(later)), 1.0)
