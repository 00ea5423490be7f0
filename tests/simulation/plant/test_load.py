"""Simulated loads: switches with their timers, rooms that warm and cool, and the meter above."""

import math
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from holdfast.core.commands import Point, Write
from holdfast.core.config import Site
from holdfast.core.config.device import ModbusTcp
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.simulation.accelerated import Simulation
from holdfast.simulation.plant import SitePlant
from holdfast.simulation.servers.protocol_faults import ProtocolFault
from holdfast.site.site_file import parse_site
from holdfast.testing.sites import example_content, example_loads
from tests.simulation.plant_bench import NOON
from tests.simulation.wire_bench import Served, ask, client_at, read_all

HOUSE_W = 500.0
AMBIENT_C = 5.0


@pytest.fixture
def site(tmp_path: Path) -> Site:
    content = example_content(tmp_path, bms_on_can=False) | example_loads()
    return parse_site(yaml.safe_dump(content), folder=tmp_path)


def gateway(site: Site) -> ModbusTcp:
    """What all switches are behind."""
    connection = site.switches["boiler"].connection
    assert isinstance(connection, ModbusTcp)
    return connection


class Bench:
    """The plant of a house with 500 W of other load, at 5 °C."""

    def __init__(self, site: Site) -> None:
        self.plant = SitePlant.from_site(site, ambient_c=AMBIENT_C)
        self.plant.household.load_override_w = HOUSE_W
        self.plant.household.pv_override_w = 0.0

    def write(self, name: str, point: Point, value: float) -> None:
        role = Role.LOAD_SWITCH
        self.plant.apply(Write(unit=name, role=role, point=point, value=value))

    def run(self, seconds: float, dt_s: float = 1.0) -> None:
        for _ in range(round(seconds / dt_s)):
            self.plant.step(dt_s, NOON + self.plant.time_s)


@pytest.fixture
def bench(site: Site) -> Bench:
    return Bench(site)


def test_a_load_takes_its_power_while_it_is_on_and_the_meter_sees_it(bench: Bench) -> None:
    plant, boiler = bench.plant, bench.plant.loads["boiler"]
    bench.run(60)
    assert (plant.load_power_w, plant.grid_power_w) == (HOUSE_W, HOUSE_W)
    bench.write("boiler", Point.LOAD_ON, 1)
    bench.run(1800)
    assert (boiler.power_w, plant.load_power_w, plant.grid_power_w) == (2000, 2500, 2500)
    assert boiler.energy_wh == pytest.approx(1000)
    assert plant.energies.load_wh == pytest.approx(1000 + HOUSE_W * 1860 / 3600)
    bench.write("boiler", Point.LOAD_ON, 0)
    bench.run(60)
    assert (boiler.power_w, plant.load_power_w) == (0, HOUSE_W)
    assert boiler.energy_wh == pytest.approx(1000)


@pytest.mark.parametrize("dt_s", [0.01, 0.1, 1.0])
def test_a_switch_that_nobody_commands_any_more_goes_off_by_itself(
    bench: Bench, dt_s: float
) -> None:
    boiler = bench.plant.loads["boiler"]
    bench.write("boiler", Point.LOAD_REVERT_S, 10)
    bench.write("boiler", Point.LOAD_ON, 1)
    bench.run(9, dt_s)
    bench.write("boiler", Point.LOAD_ON, 1)
    bench.run(9, dt_s)
    assert boiler.power_w == 2000
    bench.run(1, dt_s)
    assert (boiler.power_w, boiler.on) == (0, False)
    assert boiler.values()[Signal.LOAD_ON] == 0


def test_a_timer_of_zero_never_acts(bench: Bench) -> None:
    bench.write("boiler", Point.LOAD_ON, 1)
    bench.run(7200, 60)
    assert bench.plant.loads["boiler"].power_w == 2000


@pytest.mark.parametrize("dt_s", [1.0, 60.0, 600.0])
def test_a_room_warms_and_cools_as_its_configuration_says(bench: Bench, dt_s: float) -> None:
    room = bench.plant.loads["parlour"]
    assert room.temperature_c == 20.0
    bench.run(7200, dt_s)
    decay = math.exp(-2.0 * 40 / 300)
    cooled_c = AMBIENT_C + (20.0 - AMBIENT_C) * decay
    assert room.temperature_c == pytest.approx(cooled_c)
    bench.write("parlour", Point.LOAD_ON, 1)
    bench.run(7200, dt_s)
    settled_c = AMBIENT_C + 1500 / 40
    assert room.temperature_c == pytest.approx(settled_c + (cooled_c - settled_c) * decay)


def test_a_heat_pump_gives_more_heat_for_its_power(site: Site) -> None:
    rooms = tuple(room.model_copy(update={"heat_per_power": 3.0}) for room in site.rooms)
    bench = Bench(site.model_copy(update={"rooms": rooms}))
    bench.write("parlour", Point.LOAD_ON, 1)
    bench.run(200 * 3600, 600)
    parlour = bench.plant.loads["parlour"]
    assert parlour.temperature_c == pytest.approx(AMBIENT_C + 3 * 1500 / 40)
    assert parlour.power_w == 1500


def test_a_thermostat_keeps_its_setpoint_by_itself(bench: Bench) -> None:
    bath = bench.plant.loads["bath"]
    bench.run(600)
    assert bath.power_w == 0, "nobody has told it a temperature"
    bench.write("bath", Point.ROOM_SETPOINT_C, 21.5)
    seen_c, powers_w = [], set()
    for _ in range(600):
        bench.run(60, 10)
        seen_c.append(bath.temperature_c)
        powers_w.add(bath.power_w)
    assert min(seen_c[-300:]) == pytest.approx(21.3, abs=0.05)
    assert max(seen_c[-300:]) == pytest.approx(21.5, abs=0.05)
    assert powers_w == {0.0, 800.0}
    assert bath.values()[Signal.ROOM_SETPOINT_READBACK_C] == 21.5
    bench.write("bath", Point.ROOM_SETPOINT_C, 0.0)
    bench.run(600)
    assert bath.power_w == 0


def test_loads_of_a_dark_house_take_nothing(bench: Bench) -> None:
    boiler = bench.plant.loads["boiler"]
    bench.write("boiler", Point.LOAD_ON, 1)
    bench.plant.islanded = True
    bench.run(60)
    assert (boiler.power_w, boiler.energy_wh, bench.plant.load_power_w) == (0, 0, 0)
    bench.plant.islanded = False
    bench.run(1)
    assert boiler.power_w == 2000


def test_a_switch_tells_what_its_profile_says_and_refuses_what_it_does_not_have(
    bench: Bench,
) -> None:
    told: dict[str, set[Signal]] = {}
    for role, owner, signal, _ in bench.plant.samples():
        if role is Role.LOAD_SWITCH:
            told.setdefault(owner, set()).add(signal)
    revert = Signal.LOAD_REVERT_READBACK_S
    assert told == {
        "boiler": {Signal.LOAD_ON, revert},
        "parlour": {Signal.LOAD_ON, revert, Signal.ROOM_TEMPERATURE_C},
        "bath": {
            Signal.LOAD_ON,
            Signal.ROOM_TEMPERATURE_C,
            Signal.ROOM_SETPOINT_READBACK_C,
        },
    }
    with pytest.raises(ValueError, match="boiler/load_switch has no point room_setpoint_c"):
        bench.write("boiler", Point.ROOM_SETPOINT_C, 20)
    with pytest.raises(ValueError, match="boiler/bms has no point load_on"):
        bench.plant.apply(Write(unit="boiler", role=Role.BMS, point=Point.LOAD_ON, value=1.0))
    with pytest.raises(ValueError, match="neither 0 nor 1"):
        bench.write("boiler", Point.LOAD_ON, 0.5)


def test_a_load_that_somebody_else_switches_has_no_plant(site: Site) -> None:
    loads = tuple(load.model_copy(update={"switch": None}) for load in site.loads)
    plant = SitePlant.from_site(site.model_copy(update={"loads": loads}))
    assert plant.loads.keys() == {"parlour", "bath"}


def test_in_simulated_time_rooms_are_kept_by_their_local_rule_and_the_boiler_rests(
    site: Site,
) -> None:
    plant = SitePlant.from_site(site, ambient_c=0.0)
    simulation = Simulation(site, plant, start=datetime(2026, 1, 10, tzinfo=UTC))
    simulation.start()
    low_c = {"parlour": 20.0, "bath": 20.0}
    for _ in range(5400):
        simulation.step()
        low_c = {name: min(low_c[name], plant.loads[name].temperature_c) for name in low_c}
    parlour, bath, boiler = (plant.loads[name] for name in ("parlour", "bath", "boiler"))
    assert low_c["parlour"] > 19.8
    assert 20.0 < parlour.temperature_c < 20.6
    assert parlour.energy_wh == pytest.approx(1.5 * 800, rel=0.3), "what the room loses"
    # 800 W are just what the bath loses: it is heated all the time, and cools a little at first.
    assert 19.7 < low_c["bath"] < 20.0
    assert bath.energy_wh == pytest.approx(1.5 * 800, rel=0.1)
    assert boiler.energy_wh == 0.0


async def test_a_real_client_switches_a_load_and_reads_it_back(site: Site) -> None:
    served = Served(site)
    async with served.server, client_at(gateway(site)) as client:
        await client.write_register(0, 60, device_id=3)
        await client.write_coil(0, True, device_id=3)
        read = await read_all(client, "generic_load_switch", 3)
        assert read == {Signal.LOAD_ON: 1, Signal.LOAD_REVERT_READBACK_S: 60}
        assert (await client.read_coils(0, count=1, device_id=3)).bits[0]
        room = await read_all(client, "generic_room_switch", 4)
        status = (await ask(Path(site.state_dir) / "plant.sock", {"get": "status"}))["status"]
    assert room[Signal.ROOM_TEMPERATURE_C] == pytest.approx(20.0, abs=0.05)
    assert status["loads"]["boiler"]["load_on"] == 1
    assert status["loads"]["boiler"].keys() >= {"power_w", "energy_wh", "load_revert_readback_s"}
    assert [event[:4] for event in served.written] == [
        (Role.LOAD_SWITCH, "boiler", Point.LOAD_REVERT_S, 60),
        (Role.LOAD_SWITCH, "boiler", Point.LOAD_ON, 1),
    ]


async def test_faults_of_a_load_switch_are_its_own(site: Site) -> None:
    served = Served(site)
    async with served.server, client_at(gateway(site)) as client:
        fault = ProtocolFault.IGNORE_SETPOINT
        await served.server.set_fault("boiler", Role.LOAD_SWITCH, fault)
        assert not (await client.write_coil(0, True, device_id=3)).isError()
        assert not served.plant.loads["boiler"].on
        await client.write_coil(0, True, device_id=4)
        assert served.plant.loads["parlour"].on
        await served.server.clear_fault("boiler", Role.LOAD_SWITCH)
        await client.write_coil(0, True, device_id=3)
        assert served.plant.loads["boiler"].on
        path = Path(site.state_dir) / "plant.sock"
        assert (await ask(path, {"set": {"room_temperature_c": 17.0}}))["ok"]
        assert served.plant.loads["bath"].temperature_c == pytest.approx(17.0, abs=0.1)
