"""A simulated site whose load and sun a test decides: the same cycle as live, in simulated time."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from holdfast.core.asked_slot import AskedBy, SlotTerms
from holdfast.core.plan import Plan, PlanSlot, PlanStatus
from holdfast.core.signals import Signal
from holdfast.core.slot_mode import SlotMode
from holdfast.simulation.accelerated import Simulation
from holdfast.simulation.demo_site import demo_content
from holdfast.simulation.plant import SitePlant
from holdfast.site.site_file import parse_site

START = datetime(2026, 1, 12, 22, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a witness at the meter and at the batteries saw after a step."""

    at_s: float
    grid_w: float
    units_w: dict[str, float]
    reason: str

    @property
    def battery_w(self) -> float:
        """All batteries together."""
        return sum(self.units_w.values())


class Field:
    """Runs a site and remembers what was seen."""

    def __init__(self, content: dict[str, Any], *, step_s: float = 1.0, **socs_pct: float) -> None:
        self.site = parse_site(yaml.safe_dump(content))
        plant = SitePlant.from_site(self.site)
        for name, soc_pct in socs_pct.items():
            plant.units[name] = SitePlant.from_site(self.site, soc_pct=soc_pct).units[name]
        self.house = plant.household
        self.house.pv_override_w, self.house.load_override_w = 0.0, 0.0
        self.simulation = Simulation(self.site, plant, start=START, step_s=step_s)
        self.simulation.start()
        self.seen: list[Seen] = []

    @property
    def plant(self) -> SitePlant:
        return self.simulation.plant

    def run(self, span_s: float, *, load_w: float | None = None, pv_w: float | None = None) -> None:
        """Goes on for so long with this load and sun, or with those of before."""
        if load_w is not None:
            self.house.load_override_w = load_w
        if pv_w is not None:
            self.house.pv_override_w = pv_w
        until = self.simulation.utc + timedelta(seconds=span_s)
        while self.simulation.utc < until:
            record = self.simulation.step()
            self.seen.append(
                Seen(
                    at_s=(self.simulation.utc - START).total_seconds(),
                    grid_w=self.plant.grid_power_w,
                    units_w={
                        name: unit.inverter.power_w for name, unit in self.plant.units.items()
                    },
                    reason=record.request.reason,
                )
            )

    def ask(
        self,
        mode: SlotMode,
        power_w: float = 0.0,
        *,
        by: AskedBy = AskedBy.PLAN,
        minutes: float = 120.0,
        **terms: float,
    ) -> None:
        """Hands over a plan of one slot."""
        now = self.simulation.utc
        slot = PlanSlot(
            start=now,
            end=now + timedelta(minutes=minutes),
            mode=mode,
            battery_power_w=power_w,
            grid_power_w=None,
            soc_end_pct=None,
            import_price_per_kwh=0.3,
            reason=f"{by} asks",
            by=by,
            terms=SlotTerms(**terms),
        )
        plan = Plan(
            plan_id="field",
            created=now,
            expires=now + timedelta(hours=2),
            status=PlanStatus.OPTIMAL,
            expected_cost=0.0,
            slots=(slot,),
        )
        self.simulation.take_plan(plan)

    def soc_pct(self, unit: str = "battery") -> float:
        """As the BMS tells it."""
        return self.plant.units[unit].values()[Signal.SOC_PCT]

    def last(self, span_s: float) -> list[Seen]:
        """What was seen in the last seconds."""
        since_s = self.seen[-1].at_s - span_s
        return [each for each in self.seen if each.at_s > since_s]


def house(**changes: Any) -> dict[str, Any]:
    """The demonstration's house, as site.yaml has it."""

    return demo_content(Path("/nowhere")) | changes


def two_units(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """The same house with two batteries that are not alike."""
    content = house()
    (unit,) = content["storage"]
    return content | {"storage": [_like(unit, one), _elsewhere(_like(unit, other))]}


def _like(unit: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return unit | {
        key: unit[key] | value if isinstance(value, dict) else value
        for key, value in changes.items()
    }


def _elsewhere(unit: dict[str, Any]) -> dict[str, Any]:
    """The same unit behind addresses of its own."""
    moved = dict(unit)
    for key in ("bms", "inverter", "relays"):
        connection = dict(unit[key]["connection"])
        if "channel" in connection:
            connection["channel"] += "b"
        else:
            connection["device_id"] += 10
        moved[key] = unit[key] | {"connection": connection}
    return moved
