"""What a person asks of the batteries is done within seconds, and ends by itself."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from holdfast.client.manual_slots import ManualSlots
from holdfast.client.plan_report import read_report
from holdfast.core.manual_slot import ManualMode, ManualSlot
from holdfast.testing.rig import LOAD_W, Rig
from holdfast.testing.waiting import Stopwatch

FIXED = {"source": {"kind": "fixed", "price_per_kwh": 0.3}}
SITES: dict[str, dict[str, object]] = {
    "by a plan": {"prices": {"purchase": FIXED, "feed_in": FIXED}},
    "without prices": {},
}
TAKES_S = 2.0
"""A second until the planner looks, and what it takes to tell the controller."""


@pytest.fixture(scope="module", params=SITES.values(), ids=SITES)
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Rig]:
    with Rig(tmp_path_factory.mktemp("hil"), **request.param) as rig:
        rig.start_plant()
        rig.start("watchdog", "controller", "planner")
        rig.until(rig.files.plan.exists, "what the planner did")
        rig.to_running()
        yield rig
        assert rig.damage() == {}


def ask(rig: Rig, mode: ManualMode, power_w: float | None, for_s: float) -> ManualSlot:
    end = datetime.now(UTC) + timedelta(seconds=for_s)
    return ManualSlots(rig.files, rig.site).add(
        start=None, end=end, mode=mode, power_w=power_w, by="anna"
    )


def test_it_is_done_at_once_and_taken_back_at_once(running: Rig) -> None:
    with Stopwatch() as watch:
        made = ask(running, ManualMode.CHARGE, 1_000.0, for_s=600.0)
        running.until(lambda: asked_w(running) == 1_000.0, "the request")
    assert watch.passed_s < TAKES_S
    running.until_power(1_000.0)
    status = running.status
    assert status is not None
    assert status.request_reason.startswith("asked by anna until ")
    report = read_report(running.files)
    assert report is not None
    assert made.id in report.manual
    assert ManualSlots(running.files, running.site).remove(made.id)
    running.until_power(-LOAD_W)


def test_it_ends_by_itself_also_if_the_planner_is_gone(running: Rig) -> None:
    ask(running, ManualMode.REST, None, for_s=4.0)
    running.until_power(0.0)
    running.processes["planner"].end()
    running.until_power(-LOAD_W)
    running.start("planner")


def asked_w(rig: Rig) -> float | None:
    status = rig.status
    return None if status is None else status.request_w
