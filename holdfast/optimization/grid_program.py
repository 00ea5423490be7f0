"""The grid connection of a site's program: what is imported, exported, throttled, lost, or off."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from holdfast.optimization.flexible_program import begun_kwh
from holdfast.optimization.problem import Array
from holdfast.optimization.site_problem import SiteProblem
from holdfast.optimization.sparse import Block, Blocks

Flexible = list[tuple[slice, Block]]
"""Energy that waits has the slots in which it may be, and its columns there."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GridColumns:
    """Holds the columns of the grid connection."""

    imported: Block
    over: Block
    exported: Block
    curtailed: Block
    lost: Block
    cut_off: Block
    """Is PV for which a hybrid inverter has no room; empty of any where it is none."""
    imports: Block
    """At 1 it may import, at 0 export. It becomes a whole number only where it has to be."""
    pv_off: Block
    """At 1 PV is switched off. It becomes a whole number only where it has to be."""


def add_grid(
    blocks: Blocks,
    problem: SiteProblem,
    batteries: Sequence[tuple[Block, float]],
    flexible: Flexible,
) -> GridColumns:
    """Adds the grid connection; what ``batteries`` take, times the factor, comes out of it."""
    base = problem.base
    slots, hours, penalty = base.slots, base.dt_h / 1e3, base.penalty_per_kwh
    most_in, most_out = grid_reach(problem)
    imported = blocks.add_columns(slots, 0.0, most_in, base.import_price_per_kwh)
    over = blocks.add_columns(
        slots, 0.0, _unavoidable_kwh(problem), base.import_price_per_kwh + penalty
    )
    exported = blocks.add_columns(slots, 0.0, most_out, -base.export_price_per_kwh)
    curtailable = base.pv_w * hours if base.pv_curtailable else np.zeros(slots)
    curtailed = blocks.add_columns(slots, 0.0, curtailable)
    lost = blocks.add_columns(slots, 0.0, base.pv_w * hours - curtailable, penalty)
    beyond = np.maximum(base.pv_w * hours - _hybrid_kwh(problem), 0.0)
    cut_off = blocks.add_columns(slots, 0.0, beyond)
    imports = blocks.add_columns(slots, 0.0, 1.0)
    # An inverter that is led by modes is not told what its PV does.
    may_be_off = base.may_switch_pv & (problem.modes is None)
    pv_off = blocks.add_columns(slots, 0.0, may_be_off.astype(float))
    net = base.net_load_w * hours
    terms: list[tuple[Block, float]] = [
        (imported, 1.0), (over, 1.0), (exported, -1.0), (curtailed, -1.0), (lost, -1.0),
        (cut_off, -1.0),
    ]  # fmt: skip
    rows = blocks.add_rows(net, net, *terms, *batteries)
    for slots_of, column in flexible:
        blocks.add_entries(rows[slots_of], column, -1.0)
    blocks.add_rows(-np.inf, 0.0, (imported, 1.0), (imports, -most_in))
    blocks.add_rows(-np.inf, most_out, (exported, 1.0), (imports, most_out))
    if base.pv_curtailable:  # surplus only: not while it imports
        blocks.add_rows(-np.inf, curtailable, (curtailed, 1.0), (imports, curtailable))
    if may_be_off.any():
        pv = base.pv_w * hours
        blocks.add_entries(rows, pv_off, -pv)
        less_in = np.maximum(most_in - base.pv_off_import_max_w * hours, 0.0)
        blocks.add_rows(-np.inf, pv, (curtailed, 1.0), (lost, 1.0), (cut_off, 1.0), (pv_off, pv))
        blocks.add_rows(-np.inf, most_in, (imported, 1.0), (pv_off, less_in))
    if problem.batteries[0].hybrid_ac_max_w is not None:
        room, pv = _hybrid_kwh(problem), base.pv_w * hours
        let = [(column, -1.0) for column in (curtailed, lost, cut_off)]
        blocks.add_rows(-room - pv, room - pv, *let, (pv_off, -pv), *batteries)
    return GridColumns(
        imported=imported,
        over=over,
        exported=exported,
        curtailed=curtailed,
        lost=lost,
        cut_off=cut_off,
        imports=imports,
        pv_off=pv_off,
    )


def _hybrid_kwh(problem: SiteProblem) -> Array:
    """Returns what PV and battery behind one inverter may give or take in each slot, kWh."""
    most_w = problem.batteries[0].hybrid_ac_max_w
    return np.asarray((np.inf if most_w is None else most_w) * problem.base.dt_h / 1e3)


def _unavoidable_kwh(problem: SiteProblem) -> Array:
    """Returns what nobody can leave alone beyond the import limit, kWh: nothing of it is a wish.

    Whatever a battery, a room or a load that waits is worth, it is not worth the main fuse.
    """
    base = problem.base
    hours = base.dt_h / 1e3
    taken = base.net_load_w * hours
    for load in problem.loads:
        taken = taken + begun_kwh(base, load)
    return np.asarray(np.maximum(taken - base.import_max_w * hours, 0.0))


def grid_reach(problem: SiteProblem) -> tuple[Array, Array]:
    """Returns the most that can be imported and exported in each slot, kWh.

    The tighter these bounds are, the faster is the search.
    """
    base = problem.base
    hours = base.dt_h / 1e3
    charge_w = sum(battery.charge_max_w for battery in problem.batteries)
    discharge_w = sum(battery.discharge_max_w for battery in problem.batteries)
    flexible_w = np.full(base.slots, sum((room.power_max_w for room in problem.rooms), 0.0))
    for load in problem.loads:
        flexible_w[load.slots] += load.power_max_w
    most_in_w = np.clip(base.load_w + charge_w + flexible_w, 0.0, base.import_max_w)
    most_out_w = np.clip(base.pv_w + discharge_w, 0.0, base.export_max_w)
    return most_in_w * hours, most_out_w * hours
