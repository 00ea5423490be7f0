"""What a person asked for has its deadline on disk: a restart neither forgets nor prolongs it.

Times are shortened: a minute of the case is a second or less.
"""

import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from holdfast.client.audit_reader import lines_backwards
from holdfast.client.manual_slots import ManualSlots
from holdfast.client.messages import Act
from holdfast.core.manual_slot import ManualMode, ManualSlot
from holdfast.monitoring.audit.events import OperatorActed
from holdfast.monitoring.audit.log_lines import event_of
from holdfast.runtime.plan_handover import NOTED_WITHIN
from holdfast.testing.rig import LOAD_W, Rig
from holdfast.testing.waiting import Stopwatch

CHARGE_W = 1_000.0
RELEASED_S = 5.0
TAKES_S = 30.0
"""So long a start may take on a busy computer, self-test and command to run included."""
ALL = ("watchdog", "controller", "planner")


@pytest.fixture
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with Rig(tmp_path_factory.mktemp("hil")) as rig:
        rig.start_plant()
        rig.start(*ALL)
        rig.until(rig.files.plan.exists, "what the planner did")
        rig.to_running()
        yield rig
        assert rig.damage() == {}


def ask(rig: Rig, for_s: float) -> ManualSlot:
    made = ManualSlots(rig.files, rig.site).add(
        start=None,
        end=datetime.now(UTC) + timedelta(seconds=for_s),
        mode=ManualMode.CHARGE,
        power_w=CHARGE_W,
        by="anna",
    )
    rig.until_power(CHARGE_W)
    return made


def kill(rig: Rig, *names: str) -> None:
    for name in names:
        rig.processes[name].signal(signal.SIGKILL)


def is_asked_by_hand(rig: Rig) -> bool:
    status = rig.status
    return status is None or "anna" in status.request_reason


def told(rig: Rig) -> list[str]:
    """What the audit log holds of overrides that ended while nobody could take them back."""
    events = (event_of(line) for line in lines_backwards(rig.files.audit))
    return [
        event.detail
        for event in events
        if isinstance(event, OperatorActed) and event.what == Act.OVERRIDE
    ]


@pytest.mark.parametrize("killed", [("controller",), ALL], ids=["controller", "all"])
def test_it_goes_on_after_a_restart_and_ends_in_time(running: Rig, killed: tuple[str, ...]) -> None:
    made = ask(running, for_s=2 * TAKES_S)
    kill(running, *killed)
    running.until_power(0.0)
    running.start(*killed)
    running.until_running(lambda: abs(running.power_w - CHARGE_W) <= 50.0, "it charges again")
    assert datetime.now(UTC) < made.end
    running.until(lambda: running.power_w < CHARGE_W / 2.0, "its end", within_s=3 * TAKES_S)
    assert timedelta(0) <= datetime.now(UTC) - made.end < timedelta(seconds=RELEASED_S)
    running.until_power(-LOAD_W, within_s=40.0)
    assert told(running) == []


@pytest.mark.parametrize("killed", [("controller",), ALL], ids=["controller", "all"])
def test_one_that_ended_meanwhile_is_released_and_told_once(
    running: Rig, killed: tuple[str, ...]
) -> None:
    made = ask(running, for_s=4.0)
    kill(running, *killed)
    running.until_power(0.0)
    over = made.end + NOTED_WITHIN
    running.until(lambda: datetime.now(UTC) >= over, "the end of it", within_s=60.0)
    running.start(*killed)
    charged: list[float] = []

    def follows_its_load() -> bool:
        charged.extend([running.power_w] if running.power_w > 50.0 else [])
        return abs(running.power_w + LOAD_W) <= 50.0

    running.until_running(lambda: True, "nothing else")
    with Stopwatch() as watch:
        running.until(lambda: not is_asked_by_hand(running), "nothing asked for by hand")
    assert watch.passed_s < RELEASED_S
    running.until(follows_its_load, "its load covered")
    running.until(lambda: told(running), "a line in the audit log")
    running.keeps(follows_its_load, "following its load", for_s=3.0)
    (detail,) = told(running)
    assert "ended while the site was down" in detail
    assert charged == [], "no charge was commanded"
