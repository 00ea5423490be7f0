"""Rooms and loads that wait become columns and rows: kWh per slot, temperatures in °C."""

from dataclasses import dataclass

import numpy as np

from holdfast.optimization.problem import Array, PlanProblem
from holdfast.optimization.site_problem import Room, ShiftableLoad, SiteProblem
from holdfast.optimization.sparse import Block, Blocks

_SOONER_PER_KWH = 1e-6
"""It is charged for each slot that a load waits.

Among slots of equal price it runs in the first ones, at a stretch, and does not switch for
nothing.
"""


def add_room(blocks: Blocks, problem: SiteProblem, room: Room) -> Block:
    """Adds the electric energy of ``room``, with its temperatures, and the price of discomfort."""
    base = problem.base
    slots, dt_h = base.slots, base.dt_h
    heat = blocks.add_columns(slots, 0.0, room.power_max_w * dt_h / 1e3)
    _add_change(blocks, problem, room, heat)
    temperature = blocks.add_columns(slots, -np.inf, np.inf)
    discomfort = room.discomfort_cost_per_k_h * dt_h
    cold_cost = discomfort.copy()
    cold_cost[-1] += room.end_cost_per_k
    cold = blocks.add_columns(slots, 0.0, np.inf, cold_cost)
    hot = blocks.add_columns(slots, 0.0, np.inf, discomfort)
    kept, gained = room_response(room, dt_h)
    constant = (1.0 - kept) * (room.outdoor_c + room.gains_w / room.loss_w_per_k)
    constant[0] += kept[0] * room.temperature_now_c
    rows = blocks.add_rows(constant, constant, (temperature, 1.0), (heat, -gained))
    blocks.add_entries(rows[1:], temperature[:-1], -kept[1:])
    blocks.add_rows(room.low_c, np.inf, (temperature, 1.0), (cold, 1.0))
    blocks.add_rows(-np.inf, room.high_c, (temperature, 1.0), (hot, -1.0))
    return heat


def room_temperatures(room: Room, power_w: Array, dt_h: Array) -> Array:
    """Returns the temperatures in °C at the end of each slot, with ``power_w`` electric."""
    kept, gained = room_response(room, dt_h)
    ambient_c = room.outdoor_c + room.gains_w / room.loss_w_per_k
    temperatures = np.empty(len(dt_h))
    now_c = room.temperature_now_c
    for slot, energy_kwh in enumerate(power_w * dt_h / 1e3):
        now_c = (
            kept[slot] * now_c + (1.0 - kept[slot]) * ambient_c[slot] + gained[slot] * energy_kwh
        )
        temperatures[slot] = now_c
    return temperatures


def change_cost(problem: SiteProblem, part: Room | ShiftableLoad, first_w: float) -> float:
    """Returns what it costs that ``part`` takes ``first_w`` in the first slot.

    It costs nothing if that is what was planned.
    """
    if part.planned_w is None or not part.power_max_w:
        return 0.0
    return problem.change_cost * abs(first_w - part.planned_w) / part.power_max_w


def waiting_cost(problem: SiteProblem, load: ShiftableLoad, load_w: Array) -> float:
    """Returns what decides between slots of equal price."""
    energy_kwh = (load_w * problem.base.dt_h)[load.slots] / 1e3
    return float(waiting_per_kwh(len(energy_kwh)) @ energy_kwh)


def waiting_per_kwh(slots: int) -> Array:
    """Returns what it costs that a load waits, by the slots of its window."""
    return np.asarray(_SOONER_PER_KWH * np.arange(slots, dtype=np.float64))


def _add_change(
    blocks: Blocks, problem: SiteProblem, part: Room | ShiftableLoad, run: Block
) -> None:
    if part.planned_w is None or not part.power_max_w or not problem.change_cost:
        return
    hours = float(problem.base.dt_h[0]) / 1e3
    cost = problem.change_cost / (part.power_max_w * hours)
    more, less = (blocks.add_columns(1, 0.0, np.inf, cost) for _ in range(2))
    planned = part.planned_w * hours
    blocks.add_rows(planned, planned, (run[:1], 1.0), (more, -1.0), (less, 1.0))


def room_response(room: Room, dt_h: Array) -> tuple[Array, Array]:
    """Returns the share of its temperature that a room keeps over each slot, and K per electric
    kWh.

    This is the exact solution of the first-order equation for powers that are constant in a slot.
    """
    kept = np.exp(-room.loss_w_per_k * dt_h / room.capacity_wh_per_k)
    heat_w_per_kwh = 1e3 * room.heat_per_power / dt_h
    return kept, (1.0 - kept) / room.loss_w_per_k * heat_w_per_kwh


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoadColumns:
    """Holds the columns of a load that waits, in the slots of its window."""

    run: Block
    starts: Block
    """Whole numbers tell when one that runs through starts; empty for others."""
    total: Block
    """It is the row of its energy: its dual is what a kWh of it costs."""


def add_load(blocks: Blocks, problem: SiteProblem, load: ShiftableLoad) -> LoadColumns:
    """Adds the energy of ``load``, and when it starts."""
    base, wanted = problem.base, load.energy_wh / 1e3
    most = load.power_max_w * base.dt_h[load.slots] / 1e3
    run = blocks.add_columns(len(most), 0.0, most, waiting_per_kwh(len(most)))
    _add_change(blocks, problem, load, run)
    short = blocks.add_columns(1, 0.0, np.inf, base.penalty_per_kwh)
    total = blocks.add_rows(wanted, wanted, (short, 1.0))
    blocks.add_entries(np.repeat(total, len(run)), run, 1.0)
    runs = ways_to_run(load, most)
    if not runs:
        return LoadColumns(run=run, starts=np.empty(0, np.int32), total=total)
    starts = blocks.add_columns(len(runs), 0.0, 1.0)
    once = blocks.add_rows(-np.inf, 1.0, (starts[:1], 1.0))
    blocks.add_entries(np.repeat(once, len(starts) - 1), starts[1:], 1.0)
    rows = blocks.add_rows(0.0, 0.0, (run, 1.0))
    for first, (start, energies) in enumerate(zip(starts, runs, strict=True)):
        runs_in = rows[first : first + len(energies)]
        blocks.add_entries(runs_in, np.repeat(start, len(energies)), -energies)
    return LoadColumns(run=run, starts=starts, total=total)


def begun_kwh(base: PlanProblem, load: ShiftableLoad) -> Array:
    """Returns the energy that ``load`` takes in each slot because it has begun to run through."""
    taken = np.zeros(base.slots)
    if load.has_begun:
        most = load.power_max_w * base.dt_h[load.slots] / 1e3
        for way in ways_to_run(load, most)[:1]:
            taken[load.first_slot : load.first_slot + len(way)] = way
    return taken


def ways_to_run(load: ShiftableLoad, most: Array) -> list[Array]:
    """Returns for each slot in which it may start the kWh of the slots from there on.

    It runs at full power. The list is empty if it may be interrupted, or has no time to run to its
    end: it then runs as much as it can.
    """
    ways: list[Array] = []
    if not (load.runs_through and load.energy_wh > 0.0):
        return ways
    wanted = load.energy_wh / 1e3
    for first in range(1 if load.has_begun else len(most)):
        after = np.cumsum(most[first:])
        length = int(np.searchsorted(after, wanted * (1.0 - 1e-9))) + 1
        if length > len(after):
            break
        energies = most[first : first + length].copy()
        energies[-1] += wanted - after[length - 1]
        ways.append(energies)
    return ways
