"""Scenes of the limits at the meter: days of quarter hours, and how soon a limit is there."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import yaml

from holdfast.control.connection.connection import GridConnection
from holdfast.core.asked_slot import NO_TERMS, AskedBy, SlotTerms
from holdfast.core.plan import Plan, PlanSlot, PlanStatus
from holdfast.core.slot_mode import SlotMode
from holdfast.simulation.accelerated import Simulation
from holdfast.simulation.demo_site import demo_content
from holdfast.simulation.plant import SitePlant
from holdfast.site.site_file import parse_site

START = datetime(2026, 1, 12, tzinfo=UTC)
LIMIT_W, BASE_W, STEP_W = 6000.0, 500.0, 9900.0
QUARTER_S = 900
AT_MINUTES = (0, 3, 10, 14)
ASKED = (
    (SlotMode.POWER, 8000.0, AskedBy.OPERATOR),
    (SlotMode.HOLD, 0.0, AskedBy.SCHEDULE),
    (SlotMode.PASSIVE, 0.0, AskedBy.RULE),
    (SlotMode.SELF_CONSUMPTION, 0.0, AskedBy.PLAN),
)
LASTS_S = 480
"""A load step lasts so long: what it takes of the battery is charged again by the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarterHours:
    """What the meter counted of each quarter hour, as a share of the limit."""

    shares: tuple[float, ...]

    @property
    def worst(self) -> float:
        """The highest of them."""
        return max(self.shares)

    @property
    def above(self) -> int:
        """Counts those that are more than 1 % over."""
        return sum(share > 1.01 for share in self.shares)


def quarter_hours(days: float = 30.0, seed: int = 14) -> QuarterHours:
    """Steps a load at 0, 3, 10 or 14 min of each quarter hour while somebody asks for something."""
    rng = random.Random(seed)
    simulation, plant = _site(mean_import_max_w=LIMIT_W, import_max_w=40_000)
    house = plant.household
    shares = []
    for _ in range(round(days * 96)):
        mode, power_w, by = rng.choice(ASKED)
        _ask(simulation, mode, power_w, by)
        begin_s = 60 * rng.choice(AT_MINUTES)
        before_wh = plant.energies.grid_import_wh
        for second in range(QUARTER_S):
            is_on = begin_s <= second < begin_s + LASTS_S
            house.load_override_w = BASE_W + STEP_W if is_on else BASE_W
            simulation.step()
        shares.append(4.0 * (plant.energies.grid_import_wh - before_wh) / LIMIT_W)
    return QuarterHours(shares=tuple(shares))


def narrowed_s() -> float:
    """Returns after how many seconds a cap that comes is what the inverter was told."""
    simulation, plant = _site(step_s=0.02)
    plant.household.load_override_w = BASE_W
    _ask(simulation, SlotMode.POWER, 8000.0, AskedBy.OPERATOR)
    for _ in range(500):
        simulation.step()
    _ask(simulation, SlotMode.POWER, 8000.0, AskedBy.OPERATOR, SlotTerms(import_max_w=2000.0))
    began = simulation.utc
    while plant.units["battery"].inverter.setpoint_w > 2000.0 - BASE_W + 50.0:
        simulation.step()
    return (simulation.utc - began).total_seconds()


def layer_us(rounds: int = 2000) -> float:
    """Returns what the layer takes of a cycle, µs."""
    simulation, plant = _site(mean_import_max_w=LIMIT_W, import_max_w=40_000)
    plant.household.load_override_w = BASE_W
    record = simulation.step()
    connection, memory = GridConnection(simulation.site), simulation.state.modes.connection
    utc_ns = round(simulation.utc.timestamp() * 1e9)
    return _median_us(rounds, lambda: connection.band(record.snapshot, NO_TERMS, utc_ns, memory))


def _median_us(rounds: int, work: Callable[[], object]) -> float:
    took = []
    for _ in range(rounds):
        began = perf_counter()
        work()
        took.append(1e6 * (perf_counter() - began))
    return sorted(took)[rounds // 2]


def _site(step_s: float = 1.0, **grid: Any) -> tuple[Simulation, SitePlant]:
    content = demo_content(Path("/nowhere"))
    content["grid"] |= grid
    (unit,) = content["storage"]
    unit["inverter_hardware"] |= {"charge_power_max_w": 8000, "discharge_power_max_w": 8000}
    unit["battery"] |= {
        "capacity_wh": 40_000, "charge_current_max_a": 400, "discharge_current_max_a": 400,
    }  # fmt: skip
    site = parse_site(yaml.safe_dump(content))
    plant = SitePlant.from_site(site)
    plant.household.pv_override_w, plant.household.load_override_w = 0.0, BASE_W
    simulation = Simulation(site, plant, start=START - timedelta(seconds=60), step_s=step_s)
    simulation.start()
    while simulation.utc.minute % 15 or simulation.utc.second:
        simulation.step()
    return simulation, plant


def _ask(
    simulation: Simulation,
    mode: SlotMode,
    power_w: float,
    by: AskedBy,
    terms: SlotTerms = NO_TERMS,
) -> None:
    now = simulation.utc
    slot = PlanSlot(
        start=now,
        end=now + timedelta(hours=1),
        mode=mode,
        battery_power_w=power_w,
        grid_power_w=None,
        soc_end_pct=None,
        import_price_per_kwh=0.3,
        reason="a scene",
        by=by,
        terms=terms,
    )
    simulation.take_plan(
        Plan(
            plan_id="scene",
            created=now,
            expires=now + timedelta(hours=1),
            status=PlanStatus.OPTIMAL,
            expected_cost=0.0,
            slots=(slot,),
        )
    )
