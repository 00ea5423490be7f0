"""The export limit outside: in the status, the metrics, the audit log, and in words."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from holdfast.control.plan_gate import AcceptedPlan
from holdfast.core.commands import Command, Point
from holdfast.core.signals import Signal
from holdfast.monitoring.audit_events import MAX_TEXT, decode_event, encode_event
from holdfast.monitoring.audit_export_limits import LINES, WITHIN_NS
from holdfast.monitoring.audit_text import describe
from holdfast.monitoring.explain import explain
from holdfast.monitoring.export_limit import (
    ExportLimited,
    ExportLimitStatus,
    ExportSituation,
    export_sentence,
)
from holdfast.monitoring.situation import situation_at, situation_now
from holdfast.monitoring.status import decode_status, encode_status
from tests.builders import UNIT, Bench, build_site, device, unit_content
from tests.cli.test_view import shown
from tests.monitoring.test_audit_observer import AuditBench, a_plan
from tests.monitoring.test_explain import lines_of, status_of
from tests.monitoring.test_metrics import scrape

WHY = "throttles PV: export costs 3.0 ct now"
GRID_W = 10_000.0
BERLIN = ZoneInfo("Europe/Berlin")


def hybrid() -> AuditBench:
    """In RUNNING, with nothing but the grid connection to limit the export."""
    bench = AuditBench(build_site(unit_content(inverter=device("generic_hybrid"))))
    bench.start()
    bench.run(1.0)
    return bench


def limiting(bench: Bench, limit_w: float | None, reason: str = WHY) -> AcceptedPlan:
    accepted = a_plan(bench, 0.0, reason)
    slots = tuple(replace(slot, export_limit_w=limit_w) for slot in accepted.plan.slots)
    return replace(accepted, plan=replace(accepted.plan, slots=slots))


def limited(bench: AuditBench) -> list[ExportLimited]:
    return bench.of(ExportLimited)


# Now. ---------------------------------------------------------------------------------------------


def test_what_is_asked_written_and_read_back_is_in_the_status_with_its_reason() -> None:
    bench = hybrid()
    plain = ExportLimitStatus(
        asked_w=GRID_W, by_plan=False, reason="the grid connection permits no more",
        written_w=GRID_W, read_back_w=GRID_W,
    )  # fmt: skip
    assert status_of(bench).export_limits == {UNIT: plain}
    bench.run(1.0, plan=limiting(bench, 100.0))
    status = status_of(bench)
    assert status.export_limits == {
        UNIT: ExportLimitStatus(
            asked_w=100.0, by_plan=True, reason=WHY, written_w=100.0, read_back_w=100.0
        )
    }
    assert decode_status(encode_status(status)) == status
    bench.set(Signal.EXPORT_LIMIT_READBACK_W, None)
    bench.run(2.0, plan=limiting(bench, None))
    lost = status_of(bench).export_limits[UNIT]
    assert (lost.by_plan, lost.asked_w, lost.read_back_w) == (False, GRID_W, None)


def test_a_plan_that_is_not_followed_limits_nothing() -> None:
    bench = hybrid()
    bench.step(Command.STOP, plan=limiting(bench, 100.0))
    found = status_of(bench).export_limits[UNIT]
    assert (found.by_plan, found.asked_w) == (False, GRID_W)


def test_where_no_inverter_takes_a_limit_nothing_is_told() -> None:
    bench = AuditBench()
    bench.start()
    bench.run(0.5, plan=limiting(bench, 100.0))
    status = status_of(bench)
    assert status.export_limits == {}
    assert "export limit" not in shown(status)
    assert "holdfast_export_limit_watts" not in scrape(status)[0]
    assert limited(bench) == []


def test_view_and_metrics_tell_it_where_there_is_one() -> None:
    bench = hybrid()
    assert "export limit of battery: 10000 W, read back 10000 W " in shown(status_of(bench))
    bench.run(0.5, plan=limiting(bench, 100.0))
    status = status_of(bench)
    assert f"export limit of battery: 100 W, read back 100 W (plan: {WHY})" in shown(status)
    deaf = replace(status.export_limits[UNIT], asked_w=90.0, read_back_w=None)
    families, samples = scrape(replace(status, export_limits={UNIT: deaf}))
    assert "holdfast_export_limit_watts" in families
    told = {
        dict(labels)["stage"]: value
        for (name, labels), value in samples.items()
        if name == "holdfast_export_limit_watts"
    }
    assert told == {"asked": 90.0, "written": 100.0}


# On record. ---------------------------------------------------------------------------------------


def test_a_change_gets_a_line_with_its_reason_and_a_refresh_none() -> None:
    bench = hybrid()
    (first,) = limited(bench)
    # The inverter's own limit, as delivered, was another one.
    assert first == ExportLimited(
        unit=UNIT, limit_w=GRID_W, by_plan=False, reason="the grid connection permits no more"
    )
    bench.run(130.0, plan=limiting(bench, 100.0), dt_s=0.2)
    refreshed = [w for r in bench.records for w in r.writes if w.point is Point.EXPORT_LIMIT_W]
    assert len(refreshed) > 3
    bench.run(1.0)
    told = limited(bench)[1:]
    assert told == [
        ExportLimited(unit=UNIT, limit_w=100.0, by_plan=True, reason=WHY),
        replace(first),
    ]
    assert describe(told[0]) == f"export limit battery 100 W: {WHY}"
    assert decode_event(encode_event(told[0])) == told[0]


def test_an_inverter_that_shows_the_limit_already_is_told_nothing_new() -> None:
    bench = AuditBench(build_site(unit_content(inverter=device("generic_hybrid"))))
    bench.values[UNIT, Signal.EXPORT_LIMIT_READBACK_W] = GRID_W
    bench.start()
    assert limited(bench) == []


def test_a_plan_gone_mad_gets_few_lines_and_they_count_the_others() -> None:
    bench = hybrid()
    assert (LINES, WITHIN_NS) == (4, 3600 * 10**9)
    bench.events.clear()
    for number in range(40):
        bench.run(0.2, plan=limiting(bench, 100.0 + 50.0 * (number % 2), "mad " * 200))
    # One of the four was that of the start.
    assert [event.changes for event in limited(bench)] == [1] * (LINES - 1)
    assert all(len(event.reason) == MAX_TEXT for event in limited(bench))
    bench.now_ns += WITHIN_NS - 60 * 10**9
    bench.state = replace(bench.state, time_ns=bench.now_ns)
    bench.run(70.0, dt_s=0.2)
    late = limited(bench)[LINES - 1 :]
    assert late[0].changes == 38
    assert late[0].limit_w == GRID_W
    assert describe(late[0]).endswith("(37 more before)")


# In words. ----------------------------------------------------------------------------------------


def test_holdfast_explain_tells_of_a_limit_that_a_plan_has_set() -> None:
    bench = hybrid()

    def said() -> tuple[str, ...]:
        return explain(situation_now(status_of(bench)), BERLIN)

    def recorded() -> tuple[str, ...]:
        situation = situation_at(lines_of(*bench.events))
        assert situation is not None
        return explain(situation, BERLIN)

    assert not any("export" in text for text in (*said(), *recorded()))
    bench.run(1.0, plan=limiting(bench, 100.0))
    sentence = (
        f"The inverter of battery was told to let the site export 100 W at most, by throttling "
        f"PV: {WHY}."
    )
    assert sentence in said()
    assert sentence in recorded()
    bench.run(1.0)
    assert sentence not in (*said(), *recorded())


@pytest.mark.parametrize(
    ("shown_w", "told"), [(None, ""), (10_010.0, ""), (10_010.1, "and shows 10,010 W.")]
)
def test_an_inverter_that_shows_another_limit_is_told_of(shown_w: float | None, told: str) -> None:
    situation = ExportSituation(
        unit=UNIT, limit_w=GRID_W, by_plan=False, reason="", shown_w=shown_w
    )
    assert export_sentence(situation).endswith(told)
    assert bool(export_sentence(situation)) is bool(told)
