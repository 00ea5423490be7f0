"""What the controller gets of plans and of what people ask for, and what is reported of it."""

import gzip
import json
import os
import socketserver
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from holdfast.client.forecast_report import read_forecast
from holdfast.client.manual_slots import ManualSlots
from holdfast.client.messages import PlanMessage, Reply, encode
from holdfast.client.plan_report import PlanReport, read_report
from holdfast.control.plan_gate import accept_plan
from holdfast.core.errors import PlanRefused
from holdfast.core.manual_slot import ManualMode, ManualSlot
from holdfast.core.plan import Plan
from holdfast.core.slot_mode import SlotMode
from holdfast.core.state_machine import State
from holdfast.runtime.askers import ManualAsker
from holdfast.runtime.incoming import decode_message
from holdfast.runtime.plan_handover import PlanHandover
from holdfast.scheduling.daily_scheduler import DailyScheduler
from holdfast.scheduling.plan_question import PlanQuestion
from holdfast.scheduling.precedence import is_alive
from holdfast.site.files import SiteFiles
from tests.scheduling.planning import forecast_of, site, site_prices

SITE = site()
HOUR = timedelta(hours=1)


class Gate(socketserver.ThreadingUnixStreamServer):
    """Takes plans as the controller does, and keeps them."""

    daemon_threads = True

    def __init__(self, path: Path) -> None:
        self.plans: list[Plan] = []
        self.why_not = ""
        super().__init__(str(path), Answer)


class Answer(socketserver.StreamRequestHandler):
    server: Gate

    def handle(self) -> None:
        message = decode_message(self.rfile.readline())
        assert isinstance(message, PlanMessage)
        why_not = self.server.why_not
        try:
            accept_plan(message.plan, now_ns=time.monotonic_ns(), utc=now(), site=SITE)
        except PlanRefused as error:
            why_not = str(error)
        self.server.plans.append(message.plan)
        reply = Reply(accepted=not why_not, reason=why_not, state=State.RUNNING)
        self.wfile.write(encode(reply))


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SiteFiles:
    monkeypatch.setattr(os, "fsync", lambda _: None)
    return SiteFiles(state_dir=tmp_path)


@pytest.fixture
def gate(files: SiteFiles) -> Iterator[Gate]:
    with Gate(files.control_socket) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def now() -> datetime:
    return datetime.now(UTC)


def question() -> PlanQuestion:
    """From now on, with cheap hours before dear ones."""
    begin = now()
    return PlanQuestion(
        now_utc=begin,
        soc_pct=50.0,
        prices=site_prices(
            *([0.1] * 3), *([0.5] * 6), start=begin.replace(minute=0, second=0, microsecond=0)
        ),
        forecast=forecast_of(1_000.0, now=begin),
    )


def handover_of(files: SiteFiles) -> PlanHandover:
    return PlanHandover(SITE, files, ManualAsker(SITE, files))


def take(handover: PlanHandover) -> bool:
    asked = question()
    return handover.take(DailyScheduler(SITE).make_plan(asked), asked)


def ask(files: SiteFiles, mode: ManualMode = ManualMode.CHARGE, start_h: float = 0.0) -> ManualSlot:
    power_w = 1_500.0 if mode is ManualMode.CHARGE else None
    return ManualSlots(files, SITE).add(
        start=now() + start_h * HOUR,
        end=now() + (start_h + 1) * HOUR,
        mode=mode,
        power_w=power_w,
        by="anna",
    )


def report(files: SiteFiles) -> PlanReport:
    found = read_report(files)
    assert found is not None
    return found


def power_now(plan: Plan) -> tuple[SlotMode, float]:
    """What it says now."""
    found = next(slot for slot in plan.slots if slot.start <= now() < slot.end)
    return found.mode, found.battery_power_w


CHARGES = (SlotMode.POWER, 1_500.0)


def test_a_plan_is_reported_with_what_was_rejected(files: SiteFiles, gate: Gate) -> None:
    assert take(handover_of(files))
    told = report(files)
    assert told.plan == gate.plans[0]
    assert (told.accepted, told.problem, told.manual_problem) == (True, "", "")
    assert set(told.manual) == {None}
    assert [each.name for each in told.alternatives] == ["no_battery", "self_consumption"]
    for each in told.alternatives:
        assert each.costs_more >= -1e-6
        assert each.why.startswith("the battery ")
    assert "EUR more than the plan" in told.alternatives[0].why
    assert len(told.slot_costs) == len(told.plan.slots)
    assert sum(each.cost for each in told.slot_costs) == pytest.approx(
        told.plan.expected_cost, abs=1e-3
    )


def test_the_forecast_that_it_rests_on_is_reported(files: SiteFiles, gate: Gate) -> None:
    assert read_forecast(files) is None
    take(handover_of(files))
    told = read_forecast(files)
    assert told is not None
    assert told.slots[0].load_w == pytest.approx(1_000.0)
    assert told.slots[0].start <= now() < told.slots[0].end
    assert told.slots[0].load_low_w is None
    assert told.slots[1].start == told.slots[0].end
    assert told.basis["load"] == "history"
    assert told.score == {"load": None, "pv": None}


def test_what_is_asked_for_is_handed_over_without_a_new_plan(files: SiteFiles, gate: Gate) -> None:
    handover = handover_of(files)
    take(handover)
    assert not handover.look(50.0)
    made = ask(files)
    assert handover.look(50.0)
    assert not handover.look(50.0)
    assert power_now(gate.plans[-1]) == CHARGES
    told = report(files)
    assert made.id in told.manual
    assert told.plan is not None
    assert all(slot.grid_power_w is not None for slot in told.plan.slots)
    assert told.alternatives[-1].name == "without_override"
    assert ManualSlots(files, SITE).remove(made.id)
    assert handover.look(50.0)
    assert power_now(gate.plans[-1]) == power_now(gate.plans[0])
    assert set(report(files).manual) == {None}


def test_a_new_plan_has_it_too(files: SiteFiles, gate: Gate) -> None:
    ask(files)
    assert take(handover_of(files))
    assert power_now(gate.plans[-1]) == CHARGES


def test_where_there_is_no_plan_it_stands_alone(files: SiteFiles, gate: Gate) -> None:
    handover = handover_of(files)
    handover.fail("no plan: no prices", 50.0)
    assert report(files).plan is None
    assert report(files).problem == "no plan: no prices"
    made = ask(files)
    handover.look(None)
    assert power_now(gate.plans[-1]) == CHARGES
    told = report(files)
    assert (told.accepted, told.problem) == (True, "no plan: no prices")
    assert told.alternatives == ()
    handover.fail("no plan: no prices", 50.0)
    assert len(gate.plans) == 1, "what is still in force is not sent with each attempt"
    handover._renew_s = 0.0
    handover.look(50.0)
    assert len(gate.plans) == 2, "but before it expires"
    ManualSlots(files, SITE).remove(made.id)
    handover.look(50.0)
    assert power_now(gate.plans[-1]) == (SlotMode.SELF_CONSUMPTION, 0.0)
    handover._renew_s = 0.0
    assert not handover.look(50.0)


def test_what_begins_later_is_handed_over_in_time(files: SiteFiles, gate: Gate) -> None:
    handover = handover_of(files)
    ask(files, start_h=2.0)
    handover.look(50.0)
    assert gate.plans == []
    assert report(files).plan is None
    ask(files, start_h=0.4)
    handover.look(50.0)
    assert len(gate.plans) == 1


def test_what_was_taken_back_while_no_planner_ran_ends(files: SiteFiles, gate: Gate) -> None:
    made = ask(files)
    handover_of(files).look(50.0)
    ManualSlots(files, SITE).remove(made.id)
    handover_of(files).look(50.0)
    assert power_now(gate.plans[-1]) == (SlotMode.SELF_CONSUMPTION, 0.0)


def test_a_bad_file_is_told_and_the_plan_goes_on(
    files: SiteFiles, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    handover = handover_of(files)
    take(handover)
    ask(files)
    handover.look(50.0)
    files.manual.write_bytes(b"{")
    handover.look(50.0)
    assert report(files).manual_problem.startswith("manual.json does not count")
    assert "manual.json does not count" in caplog.text
    assert power_now(gate.plans[-1]) == power_now(gate.plans[0])


def test_what_the_controller_refuses_is_told(files: SiteFiles, gate: Gate) -> None:
    gate.why_not = "not today"
    handover = handover_of(files)
    assert not take(handover)
    assert (report(files).accepted, report(files).problem) == (False, "not today")


def test_a_controller_that_is_gone_is_told(files: SiteFiles) -> None:
    assert not take(handover_of(files))
    assert "no controller answers" in report(files).problem
    assert report(files).plan is not None


def test_a_plan_that_has_expired_is_not_laid_over(files: SiteFiles, gate: Gate) -> None:
    handover = handover_of(files)
    asked = question()
    old = replace(DailyScheduler(SITE).make_plan(asked), expires=now() + timedelta(seconds=0.2))
    handover.take(old, asked)
    while is_alive(old, now()):
        time.sleep(0.01)
    ask(files)
    handover.look(50.0)
    assert "there is no plan" in gate.plans[-1].note


def test_reports_are_json_in_gzip_that_anybody_reads(files: SiteFiles, gate: Gate) -> None:
    take(handover_of(files))
    plan, forecast = (
        json.loads(gzip.decompress(path.read_bytes())) for path in (files.plan, files.forecast)
    )
    assert plan["alternatives"][0]["name"] == "no_battery"
    assert forecast["slots"][0]["load_low_w"] is None


def test_a_full_disk_does_not_keep_plans_from_the_controller(
    files: SiteFiles, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    files.plan.mkdir()
    assert take(handover_of(files))
    assert "the report is not on disk" in caplog.text


def test_the_same_words_with_other_figures_are_no_news(
    files: SiteFiles, caplog: pytest.LogCaptureFixture
) -> None:
    handover = handover_of(files)
    texts = ("the load, 590 W, is taken", "the load, 612 W, is taken", "no prices", "", "")
    for text in texts:
        handover._tell(text)
    told = ["the load, 590 W, is taken", "no prices", "plans are accepted again"]
    assert [record.getMessage() for record in caplog.records] == told
