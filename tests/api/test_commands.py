"""Commands: the controller's answer is handed on, and what is offered is not refused."""

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest

from holdfast.core.commands import Command
from holdfast.core.signals import SITE, Signal
from holdfast.core.state_machine import State
from tests.api.bench import ApiBench
from tests.builders import UNIT

_NUMBERS = itertools.count(1)


def asked() -> dict[str, Any]:
    """What a page sends with a command that lets power flow."""
    number = next(_NUMBERS)
    return {
        "nonce": f"nonce-{number:08}",
        "sequence": number,
        "seen": datetime.now(UTC).isoformat(),
    }


async def test_what_the_controller_says_is_handed_on(bench: ApiBench) -> None:
    answer = await bench.ask("POST", "/commands/start", asked())
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"accepted": True, "reason": "start done", "state": "running"}
    answer = await bench.ask("POST", "/commands/start", asked())
    assert answer.status_code == 409
    assert answer.json()["detail"] == "start changes nothing in RUNNING; the site is in RUNNING"


async def test_an_emergency_stop_takes_no_body_and_works_in_each_state(bench: ApiBench) -> None:
    for _ in range(2):
        answer = await bench.ask("POST", "/commands/estop")
        assert answer.status_code == 200, answer.text
        assert answer.json()["state"] == "stopped"


async def test_without_a_controller_the_answer_says_so(bench: ApiBench) -> None:
    bench.files.control_socket.unlink()
    bench.files.stop_socket.unlink()
    for command in ("stop", "estop"):
        answer = await bench.ask("POST", f"/commands/{command}")
        assert answer.status_code == 503
        assert "no controller answers" in answer.json()["detail"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"nonce": "n" * 8, "sequence": 1},
        {"nonce": "n" * 8, "sequence": 1.0, "seen": "2026-11-30T12:00:00Z"},
        {"nonce": "n" * 8, "sequence": True, "seen": "2026-11-30T12:00:00Z"},
        {"nonce": "n" * 8, "sequence": 1, "seen": "2026-11-30T12:00:00"},
        {"nonce": "n" * 8, "sequence": 1, "seen": 1_700_000_000},
        {"nonce": 8, "sequence": 1, "seen": "2026-11-30T12:00:00Z"},
        {"nonce": "n" * 8, "sequence": 1, "seen": "2026-11-30T12:00:00Z", "more": 1},
        [],
        "start",
    ],
)
async def test_a_start_that_is_not_whole_is_refused(bench: ApiBench, body: Any) -> None:
    answer = await bench.ask("POST", "/commands/start", body)
    assert answer.status_code == 422
    assert isinstance(answer.json()["detail"], str)
    assert bench.state is State.IDLE


async def _offered(bench: ApiBench) -> dict[str, dict[str, Any]]:
    return {one["command"]: one for one in (await bench.get("/state"))["commands"]}


async def _in(bench: ApiBench, situation: str) -> None:
    """Takes the site where the controls are to be pressed."""
    match situation:
        case "boot":
            bench.values[SITE, Signal.WATCHDOG_ARMED] = 0.0
            await bench.to(State.IDLE)
            await bench.ask("POST", "/commands/estop")
            await bench.ask("POST", "/commands/reset", asked())
        case "idle":
            pass
        case "idle, not ready":
            bench.values[UNIT, Signal.INVERTER_FAULT] = 0.0
            bench.values[SITE, Signal.WATCHDOG_ARMED] = 0.0
        case "running":
            await bench.ask("POST", "/commands/start", asked())
        case "stopped":
            await bench.ask("POST", "/commands/estop")
        case "stopped, button pressed":
            bench.values[SITE, Signal.EMERGENCY_LOOP_CLOSED] = 0.0
        case "error, cause there" | "error, cause gone":
            bench.values[UNIT, Signal.CELL_VOLTAGE_MAX_V] = 3.9
            await bench.to(State.ERROR)
            if situation.endswith("gone"):
                bench.values[UNIT, Signal.CELL_VOLTAGE_MAX_V] = 3.31
        case "error, for service":
            bench.values[UNIT, Signal.CELL_TEMPERATURE_MAX_C] = 90.0
            await bench.to(State.ERROR)
            bench.values[UNIT, Signal.CELL_TEMPERATURE_MAX_C] = 25.0
    await bench.show(3)


SITUATIONS = (
    "boot", "idle", "idle, not ready", "running", "stopped", "stopped, button pressed",
    "error, cause there", "error, cause gone", "error, for service",
)  # fmt: skip


@pytest.mark.parametrize("command", list(Command))
@pytest.mark.parametrize("situation", SITUATIONS)
async def test_what_is_offered_is_done_and_what_is_not_says_why(
    bench: ApiBench, situation: str, command: Command
) -> None:
    await _in(bench, situation)
    offer = (await _offered(bench))[command]
    body = None if command in {Command.STOP, Command.EMERGENCY_STOP} else asked()
    answer = await bench.ask("POST", f"/commands/{command}", body)
    assert (answer.status_code == 200) is offer["enabled"], (offer, answer.text)
    assert bool(offer["why_not"]) is not offer["enabled"]


async def test_what_is_latched_tells_who_clears_it(bench: ApiBench) -> None:
    await _in(bench, "error, for service")
    told = await bench.get("/state")
    assert told["latched"][0]["row"] == f"{UNIT}/cell_temperature_high"
    assert told["latched"][0]["cleared_by"] == "service"
