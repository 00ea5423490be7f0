"""prove: a good box is proven, a bad one is told by name, and all end at 0 W, unharmed."""

import asyncio
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml

from holdfast.core.commands import Point
from holdfast.core.config import Site
from holdfast.core.role import Role
from holdfast.runtime.commissioning.prover import NextLine
from holdfast.runtime.commissioning.proving import ProofOutcome, prove
from holdfast.runtime.commissioning.steps import ProofTimes, steps_of
from holdfast.simulation.demo_site import with_table
from holdfast.simulation.plant import SitePlant
from holdfast.simulation.servers.protocol_faults import ProtocolFault
from holdfast.simulation.servers.site_server import SiteServer
from holdfast.site.proof import OutageFound, Proof, TimerFound
from holdfast.site.site_file import parse_site
from holdfast.testing.sites import example_content

UNIT = "battery"
LOAD_W = 600.0
POWER_W = 300.0
REVERT_S = 2.0
TIMES = ProofTimes(
    read_s=10.0, command_s=3.0, witness_s=1.0, zero_s=4.0, connect_s=8.0, grid_back_s=8.0
)
PLAIN, VERBS = "generic_integrated", "foxess_h3"


def content_of(folder: Path, table: str) -> dict[str, Any]:
    """A house with one box, a grid connection, and no contactor of ours."""
    content = with_table(example_content(folder), table)
    (unit,) = content["storage"]
    unit["relays"] = {"none": "the box has its own"}
    unit["inverter_hardware"] |= {"revert_timeout_s": REVERT_S}
    return content | {"authority": "observe"}


def content_with_contactor(folder: Path, relays: str) -> dict[str, Any]:
    """Plain devices, and between battery and inverter a contactor of ours."""
    content = example_content(folder)
    (unit,) = content["storage"]
    unit["relays"]["profile"] = relays
    unit["inverter_hardware"] |= {"revert_timeout_s": REVERT_S}
    return content | {"authority": "observe"}


class ProofBench:
    """A simulated house with one box, and the proof of it by the table that it is thought to be."""

    def __init__(
        self,
        folder: Path,
        table: str = PLAIN,
        thought_to_be: str | None = None,
        content: dict[str, Any] | None = None,
    ) -> None:
        content = self.content = content or content_of(folder, table)
        self.plant = SitePlant.from_site(self._site(content, folder), soc_pct=60)
        self.plant.household.load_override_w, self.plant.household.pv_override_w = LOAD_W, 0.0
        self.unit = self.plant.units[UNIT]
        self.server = SiteServer(
            self._site(content, folder),
            self.plant,
            on_write=self._on_write,
            control_socket=False,
        )
        self.on_write: Callable[[Point, float], object] = lambda point, value: None
        if thought_to_be is not None:
            content["devices"]["box"]["profile"] = thought_to_be
        self.site = self._site(content, folder)
        self.told: list[str] = []
        self.typed: NextLine | None = None
        self.times = TIMES

    def _on_write(self, _role: Role, _unit: str, point: Point, value: float, _time_ns: int) -> None:
        self.on_write(point, value)

    @staticmethod
    def _site(content: dict[str, Any], folder: Path) -> Site:
        return parse_site(yaml.safe_dump(content), folder=folder)

    async def prove(self) -> ProofOutcome:
        unit = self.site.storage[0]
        return await prove(
            self.site, unit, POWER_W, self.told.append, typed=self.typed, times=self.times
        )

    async def proof(self) -> Proof:
        async with self.server:
            return (await self.prove()).proof

    def check_unharmed(self) -> None:
        assert self.unit.inverter.power_w == 0.0
        assert not any(self.unit.damage.counts.values())


def table_scaled(folder: Path, factor: float, *rows: str) -> str:
    """Returns a table of one's own: the plain box's with another scale of ``rows``."""
    text = (resources.files("holdfast.devices") / "profiles" / f"{PLAIN}.yaml").read_text("utf-8")
    table = yaml.safe_load(text) | {"name": "own", "confirmed": None}
    for row in (*table["reads"], *table["writes"]):
        if row.get("signal") in rows or row.get("point") in rows:
            row["scale"] = factor
    path = folder / "own.yaml"
    path.write_text(yaml.safe_dump(table), encoding="utf-8")
    return str(path)


async def test_a_good_box_is_proven_with_its_times_and_its_timer(tmp_path: Path) -> None:
    bench = ProofBench(tmp_path)
    proof = await bench.proof()
    assert proof.proven, proof.reason
    assert proof.at_zero
    rows = steps_of(has_contactor=False, has_outage=False)
    assert [step.name for step in proof.steps] == [row.name for row in rows]
    assert proof.response_s is not None
    assert 0.0 < proof.response_s < 2.0
    assert proof.timer is TimerFound.ENDS
    assert proof.timer_s is not None
    assert REVERT_S * 0.9 <= proof.timer_s <= REVERT_S * 1.5
    charge = proof.steps[2]
    assert charge.figures["current_a"] > 3.0
    assert charge.figures["grid_moved_w"] == pytest.approx(POWER_W, abs=60.0)
    assert bench.told[4].startswith("3 of 6: +300 W is written: the battery has to charge")
    bench.check_unharmed()


async def test_a_box_that_is_told_in_verbs_and_has_a_rule_of_its_own(tmp_path: Path) -> None:
    bench = ProofBench(tmp_path, VERBS)
    proof = await bench.proof()
    assert proof.proven, proof.reason
    assert proof.at_zero
    assert proof.timer is TimerFound.ENDS
    assert not any(bench.unit.damage.counts.values())


async def test_a_box_behind_a_stick_is_proven_at_its_pace(tmp_path: Path) -> None:
    pytest.importorskip("aiomqtt")
    content = with_table(example_content(tmp_path), "growatt_sph", over_mqtt=True)
    content["storage"][0]["relays"] = {"none": "the box has its own"}
    bench = ProofBench(tmp_path, content=content | {"authority": "observe"})
    bench.times = ProofTimes()
    proof = await bench.proof()
    assert proof.proven, proof.reason
    assert proof.at_zero
    assert proof.timer is TimerFound.NONE
    bench.check_unharmed()


@pytest.mark.parametrize(
    ("factor", "step", "told"),
    [
        (-1.0, "charge", "the wrong way, so its table has a wrong sign"),
        (0.1, "charge", "times the power that is tried: its table has a wrong scale"),
        (10.0, "charge", "0.1 times as much: a wrong scale"),
    ],
)
async def test_a_wrong_sign_and_a_wrong_scale_are_told_by_name(
    tmp_path: Path, factor: float, step: str, told: str
) -> None:
    table = table_scaled(tmp_path, factor, "setpoint_w", "setpoint_readback_w")
    bench = ProofBench(tmp_path, thought_to_be=table)
    proof = await bench.proof()
    assert proof.reason.startswith(f"{step}: ")
    assert told in proof.reason
    assert proof.at_zero
    bench.check_unharmed()


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (
            ("setpoint_w", "setpoint_readback_w", "battery_power_w"),
            "charge: the inverter tells +300 W and the BMS -5.",
        ),
        (("grid_power_w",), "charge: the battery moved by +300 W and the grid meter by -300 W"),
    ],
)
async def test_a_wrong_sign_of_what_is_measured_is_found_by_another_witness(
    tmp_path: Path, rows: tuple[str, ...], told: str
) -> None:
    bench = ProofBench(tmp_path, thought_to_be=table_scaled(tmp_path, -1.0, *rows))
    proof = await bench.proof()
    assert proof.reason.startswith(told)
    assert proof.at_zero
    bench.check_unharmed()


async def test_a_timer_that_does_not_end_the_power_is_told_and_the_rest_is_proven(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = ProofBench(tmp_path)
    monkeypatch.setattr(bench.unit.inverter, "_expire", lambda end_s: None)
    proof = await bench.proof()
    assert proof.proven, proof.reason
    assert proof.timer is TimerFound.LATE
    assert proof.timer_s is None
    assert "after 3 s the power was still there" in proof.steps[-1].told
    bench.check_unharmed()


async def test_a_box_that_ignores_what_is_written(tmp_path: Path) -> None:
    bench = ProofBench(tmp_path)
    async with bench.server:
        await bench.server.set_fault(UNIT, Role.INVERTER, ProtocolFault.IGNORE_SETPOINT)
        proof = (await bench.prove()).proof
    assert proof.reason.startswith("charge: +300 W were written; measured are +0 W")
    assert "it shows +0 W: it does not store what is written" in proof.reason
    bench.check_unharmed()


async def test_a_box_that_dies_in_the_middle_is_told_and_its_timer_ends_it(tmp_path: Path) -> None:
    bench = ProofBench(tmp_path)
    async with bench.server:

        async def die() -> None:
            await asyncio.sleep(0.2)
            await bench.server.set_fault(UNIT, Role.INVERTER, ProtocolFault.ABSENT)

        deaths: list[asyncio.Task[None]] = []

        def on_write(point: Point, value: float) -> None:
            if point is Point.SETPOINT_W and value > 0.0 and not deaths:
                deaths.append(asyncio.get_running_loop().create_task(die()))

        bench.on_write = on_write
        proof = (await bench.prove()).proof
    assert proof.reason.startswith("charge: ")
    assert "no longer told" in proof.reason or "cannot be told anything" in proof.reason
    assert "box: connection refused" in proof.reason or "not connected" in proof.reason
    assert not proof.at_zero
    bench.check_unharmed()


async def test_whoever_ends_it_leaves_the_box_at_0_w(tmp_path: Path) -> None:
    bench = ProofBench(tmp_path)
    async with bench.server:
        task = asyncio.create_task(bench.prove())
        discharges = asyncio.Event()

        def on_write(point: Point, value: float) -> None:
            if point is Point.SETPOINT_W and value < 0.0:
                discharges.set()

        bench.on_write = on_write
        await discharges.wait()
        task.cancel()
        outcome = await task
    assert outcome.interrupted
    assert outcome.proof.at_zero
    bench.check_unharmed()


async def test_it_stops_at_once_where_the_battery_leaves_its_bounds(tmp_path: Path) -> None:
    bench = ProofBench(tmp_path)
    async with bench.server:

        def on_write(point: Point, value: float) -> None:
            if point is Point.SETPOINT_W and value < 0.0:
                bench.unit.cells.set_temperature(57.0)

        bench.on_write = on_write
        proof = (await bench.prove()).proof
    assert proof.reason.startswith("discharge: cell_temperature_high: cell_temperature_max_c is 57")
    assert proof.at_zero
    bench.check_unharmed()


# ---------------------------------------------------------------------- a contactor of ours


@pytest.mark.parametrize("relays", ["generic_relays", "precharge_relays"])
async def test_a_contactor_of_ours_is_closed_for_it_and_open_in_the_end(
    tmp_path: Path, relays: str
) -> None:
    bench = ProofBench(tmp_path, content=content_with_contactor(tmp_path, relays))
    onto: list[bool] = []

    def note(point: Point, value: float) -> None:
        if point is Point.CONTACTOR and value == 1.0:
            onto.append(bench.unit.inverter.enabled)

    bench.on_write = note
    proof = await bench.proof()
    assert proof.proven, proof.reason
    assert proof.at_zero
    rows = steps_of(has_contactor=True, has_outage=False)
    assert [step.name for step in proof.steps] == [row.name for row in rows]
    assert set(onto) == {False}, "it closes onto a power stage that is off"
    assert not bench.unit.contactor.closed
    assert not bench.unit.inverter.enabled
    bench.check_unharmed()


async def test_a_contactor_that_does_not_close_is_told(tmp_path: Path) -> None:
    bench = ProofBench(tmp_path, content=content_with_contactor(tmp_path, "generic_relays"))
    bench.unit.contactor.stuck_open = True
    proof = await bench.proof()
    assert proof.reason.startswith("connect: "), proof.reason
    assert "contactor" in proof.reason
    assert proof.at_zero
    bench.check_unharmed()


async def test_a_contactor_that_falls_out_under_way_ends_the_proof(tmp_path: Path) -> None:
    bench = ProofBench(tmp_path, content=content_with_contactor(tmp_path, "generic_relays"))

    def fall_out(point: Point, value: float) -> None:
        if point is Point.SETPOINT_W and value == POWER_W:
            bench.unit.contactor.stuck_open, bench.unit.contactor.closed = True, False

    bench.on_write = fall_out
    proof = await bench.proof()
    assert proof.reason.startswith("charge: "), proof.reason
    assert proof.at_zero
    assert bench.unit.inverter.power_w == 0.0


async def test_a_contactor_that_is_welded_is_told_in_the_end(tmp_path: Path) -> None:
    bench = ProofBench(tmp_path, content=content_with_contactor(tmp_path, "generic_relays"))

    def weld(point: Point, value: float) -> None:
        if point is Point.SETPOINT_W and value == -POWER_W:
            bench.unit.contactor.welded = True

    bench.on_write = weld
    proof = await bench.proof()
    assert proof.reason == "the contactor was not seen open in the end"
    assert proof.at_zero
    assert not proof.proven


# ---------------------------------------------------------------------- while the grid is away


def typist(bench: ProofBench, *lines: str) -> NextLine:
    """Somebody who switches the grid off before the first line, and on before the last."""
    left = list(lines)

    async def line() -> str:
        bench.plant.islanded = len(left) > 1
        await asyncio.sleep(1.0)
        if not left:
            raise EOFError
        return left.pop(0)

    return line


@pytest.mark.parametrize("found", OutageFound)
async def test_what_somebody_sees_while_the_grid_is_away_is_on_the_report(
    tmp_path: Path, found: OutageFound
) -> None:
    bench = ProofBench(tmp_path)
    bench.typed = typist(bench, "what?", found, "on")
    proof = await bench.proof()
    assert proof.proven, proof.reason
    assert proof.outage is found
    rows = steps_of(has_contactor=False, has_outage=True)
    assert [step.name for step in proof.steps] == [row.name for row in rows]
    (step,) = (step for step in proof.steps if step.name == "outage")
    assert step.figures["power_w"] == pytest.approx(-LOAD_W, abs=60.0)
    assert f"told 0 W the house was {found}, the battery at -600 W" in step.told
    assert "   'what?': type served or dark" in bench.told
    bench.check_unharmed()


async def test_nobody_who_can_answer_ends_it_at_zero(tmp_path: Path) -> None:
    bench = ProofBench(tmp_path)
    bench.typed = typist(bench)
    proof = await bench.proof()
    assert proof.reason == "outage: nobody can answer any more"
    assert proof.outage is None
    assert proof.at_zero
    bench.check_unharmed()


async def test_a_grid_that_does_not_come_back_is_told(tmp_path: Path) -> None:
    bench = ProofBench(tmp_path)

    answers = iter((OutageFound.SERVED, "on"))

    async def typed() -> str:
        bench.plant.islanded = True
        await asyncio.sleep(1.0)
        return next(answers)

    bench.typed = typed
    proof = await bench.proof()
    assert proof.reason.startswith("outage: after 8 s with the grid: ")
