"""The schedule asks in the words of a plan, and a bad calendar stops nobody."""

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from holdfast.core.asked_slot import AskedBy, AskedSlot, SlotTerms
from holdfast.core.slot_mode import SlotMode
from holdfast.runtime.askers import ScheduleAsker
from holdfast.scheduling.precedence import lay_over
from tests.calendars.scheduled import entries, scheduled
from tests.manual import slot
from tests.scheduling.test_precedence import asked_by_hand, plan

NOW = datetime(2026, 5, 8, 10, tzinfo=UTC)  # 12:00 in Berlin
UNTIL = NOW + timedelta(hours=48)


def asked(text: str, **more: str) -> AskedSlot:
    return ScheduleAsker(scheduled(entries(text), **more)).asked(NOW, UNTIL)[0]


@pytest.mark.parametrize(
    ("text", "mode", "power_w", "terms", "reason"),
    [
        (
            "mode: charge, power_w: 3000", SlotMode.POWER, 3_000.0, SlotTerms(),
            "charge, with 3000 W",
        ),
        (
            "mode: charge, power_w: 3000, soc_target_pct: 80", SlotMode.CHARGE_ONLY, 3_000.0,
            SlotTerms(soc_target_pct=80.0), "charge, with 3000 W, to 80 %",
        ),
        (
            "mode: discharge, power_w: 3000, soc_target_pct: 40", SlotMode.POWER, -3_000.0,
            SlotTerms(reserve_pct=40.0), "discharge, with 3000 W, to 40 %",
        ),
        (
            "mode: commercial, import_max_w: 4000", SlotMode.COMMERCIAL, 0.0,
            SlotTerms(import_max_w=4_000.0),
            ("keep the load profile's caps, and serve load with the rest, "
             "import no more than 4000 W"),
        ),
        ("reserve_pct: 50", None, 0.0, SlotTerms(reserve_pct=50.0), "keep 50 %"),
    ],
)  # fmt: skip
def test_an_entry_becomes_what_a_plan_has(
    text: str, mode: SlotMode | None, power_w: float, terms: SlotTerms, reason: str
) -> None:
    found = asked(f"{{name: each, from: '13:00', to: '14:00', {text}}}")
    assert found == AskedSlot(
        start=NOW + timedelta(hours=1),
        end=NOW + timedelta(hours=2),
        by=AskedBy.SCHEDULE,
        who="each",
        reason=reason,
        mode=mode,
        battery_power_w=power_w,
        terms=terms,
    )


def test_a_person_has_it_before_the_schedule_and_gives_it_back() -> None:
    site = scheduled(entries("{name: noon, from: '12:00', to: '13:00', mode: hold}"))
    wanted = [*ScheduleAsker(site).asked(NOW, UNTIL), asked_by_hand(slot(15, 30))]
    laid = lay_over(plan(), wanted, site=site, now_utc=NOW)
    assert [each.by for each in laid.plan.slots] == [
        AskedBy.SCHEDULE, AskedBy.OPERATOR, AskedBy.SCHEDULE, AskedBy.SCHEDULE
    ]  # fmt: skip
    assert laid.plan.slots[0].reason.startswith("schedule noon until 13:00: store surplus")


def test_it_says_the_same_until_something_changes() -> None:
    """Or the plan would be handed over every second."""
    asker = ScheduleAsker(
        scheduled(entries("{name: each, from: '22:00', to: '06:00', mode: hold}"))
    )
    first = asker.asked(NOW, UNTIL)
    for seconds in (1, 1_800, 3_601):
        later = timedelta(seconds=seconds)
        assert asker.asked(NOW + later, UNTIL + later) == first


def test_a_calendar_that_goes_bad_is_told_once_and_the_rest_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "mine.ics"
    path.write_text("BEGIN:VCALENDAR\nEND:VCALENDAR", encoding="utf-8")
    site = scheduled(
        entries(
            "{name: called, during: mine, mode: hold}",
            "{name: each, from: '13:00', to: '14:00', mode: passive}",
            calendars="{mine: {kind: ics, path: mine.ics}}",
        ),
        folder=tmp_path,
    )
    asker = ScheduleAsker(site)
    assert (len(asker.asked(NOW, UNTIL)), asker.problem) == (2, "")
    path.write_text("no calendar any more", encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert len(asker.asked(NOW, UNTIL)) == 2
    assert asker.problem.startswith("schedule.calendars.mine: mine.ics: ")
    assert len(caplog.records) == 1
