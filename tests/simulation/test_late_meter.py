"""What a meter that tells its values late does to the control: half of the power, and no swing."""

from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from holdfast.core.signals import Signal
from holdfast.core.units import ns_from_s
from holdfast.simulation.accelerated import Simulation
from holdfast.simulation.demo_site import demo_content, demo_prices
from holdfast.simulation.plant import SitePlant
from holdfast.site.site_file import parse_site

METER = frozenset({Signal.GRID_POWER_W, Signal.GRID_VOLTAGE_V, Signal.GRID_FREQUENCY_HZ})
HALF_W = 2500.0
"""Half of what the demonstration's inverter may do."""


class LateMeter:
    """Puts a value of the grid's power every ``period_s``, each ``delay_s`` old by its own time."""

    def __init__(self, simulation: Simulation, *, period_s: float, delay_s: float) -> None:
        self._put = simulation._store.put
        self._period_ns, self._delay_ns = ns_from_s(period_s), ns_from_s(delay_s)
        self._due_ns = 0
        self._past: deque[tuple[int, float]] = deque()
        simulation._store.put = self.put  # type: ignore[method-assign]

    def put(self, producer: Any, owner: str, signal: Signal, value: float, now_ns: int) -> None:
        if signal not in METER:
            self._put(producer, owner, signal, value, now_ns)
        elif signal is Signal.GRID_POWER_W:
            self._past.append((now_ns, value))
            if now_ns >= self._due_ns:
                self._due_ns = now_ns + self._period_ns
                while len(self._past) > 1 and self._past[1][0] <= now_ns - self._delay_ns:
                    self._past.popleft()
                time_ns, then = self._past[0]
                self._put(producer, owner, signal, float(round(then)), time_ns)


def run(profile: str, **late: float) -> tuple[list[list[float]], set[str]]:
    """What flows at the grid in the last half minute at each of some loads, and what was found."""
    connection = {"kind": "mqtt", "host": "broker", "topic": "meter"}
    content = demo_content(Path("/nowhere")) | {
        "prices": demo_prices("sample"),
        "meter": {"profile": profile, "connection": connection},
        "pv_meter": {"none": "no PV here"},
    }
    site = parse_site(yaml.safe_dump(content))
    plant = SitePlant.from_site(site, soc_pct=60)
    start = datetime(2026, 6, 1, 23, tzinfo=UTC)
    simulation = Simulation(site, plant, start=start, step_s=0.05)
    LateMeter(simulation, **late)
    plant.household.pv_override_w, plant.household.load_override_w = 0.0, 500.0
    simulation.start(60)
    found: set[str] = set()
    flows = []
    for load_w in (500.0, 900.0, 4000.0):
        plant.household.load_override_w = load_w
        flow = []
        for _ in range(round(60 / 0.05)):
            record = simulation.step()
            found |= {finding.row for finding in record.assessment.findings}
            flow.append(plant.grid_power_w)
        flows.append(flow[len(flow) // 2 :])
    return flows, found


@pytest.mark.parametrize(
    ("profile", "period_s", "delay_s"), [("mqtt_meter", 1.0, 0.5), ("tasmota_meter", 10.0, 2.0)]
)
def test_half_of_the_power_follows_the_load(profile: str, period_s: float, delay_s: float) -> None:
    flows, found = run(profile, period_s=period_s, delay_s=delay_s)
    assert "meter_data_old" in found
    assert not found & {"setpoint_oscillation", "meter_data_lost", "meter_sign_wrong"}
    for flow, grid_w in zip(flows, (0.0, 0.0, 4000.0 - HALF_W), strict=True):
        assert max(abs(each - grid_w) for each in flow) < 10.0


def test_a_swing_behind_one_whose_values_are_older_than_its_period_is_calmed() -> None:
    flows, _ = run("mqtt_meter", period_s=1.0, delay_s=1.5)
    assert max(max(flow) - min(flow) for flow in flows) < HALF_W
