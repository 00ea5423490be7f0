"""A message says in its reader's language what is wrong, since when, and what to do first."""

from datetime import timedelta

import pytest

from holdfast.monitoring.language import Language
from holdfast.monitoring.notices import NoticeKind
from holdfast.monitoring.notification.conditions import CONDITIONS
from holdfast.monitoring.notification.message import (
    MOST_LINES,
    NoticeMessage,
    NoticeUrgency,
    compose,
)
from tests.builders import build_site
from tests.monitoring.notification.people import NOON, notice, recipient

SITE = build_site(name="My house", timezone="Europe/Vienna")


def told(*notices: object, left_out: int = 0, **changes: object) -> NoticeMessage:
    return compose(SITE, recipient(**changes), notices, left_out)  # type: ignore[arg-type]


def test_the_title_tells_the_worst_and_how_much_else_there_is() -> None:
    message = told(notice(), notice("bms_data_lost", "ramp_to_zero"), notice("a", "log"))
    title = "My house: Warning: BMS: it does not answer any more (and 2 more)"
    assert (message.title, message.urgency) == (title, NoticeUrgency.WARNING)


def test_times_are_those_of_the_site() -> None:
    assert "2026-03-02 13:00" in told(notice()).text


def test_that_it_is_over_is_no_alarm_and_tells_nobody_what_to_do() -> None:
    message = told(notice(reaction="trip", kind=NoticeKind.OVER))
    assert message.title.startswith("My house: Over: ")
    assert message.urgency is NoticeUrgency.INFORMATION
    assert "What to do" not in message.text


def test_who_is_told_because_nobody_else_came_learns_it() -> None:
    trip = notice("emergency_stop", "emergency_stop", owner="site")
    assert "for 15 minutes" in told(trip, after_minutes=15).text
    assert "minutes" not in told(trip).text
    assert "seit 15 Minuten" in told(trip, after_minutes=15, language="de").text


def test_of_many_the_first_the_last_and_the_strong_are_told() -> None:
    many = [notice(f"row_{index}", utc=NOON + timedelta(hours=index)) for index in range(14)]
    many[5] = notice("cell_temperature_high", "trip", utc=NOON + timedelta(hours=5))
    message = told(*many, left_out=3)
    assert "17 notices, the first of 2026-03-02 13:00, the last of 2026-03-03 02:00" in message.text
    assert "(14 more lie between them)" in message.text
    rows = ("row_0", "row_4", "cell_temperature_high", "row_13")
    shown = [row for row in rows if f"{row}: text" in message.text]
    assert shown == ["row_0", "cell_temperature_high", "row_13"]
    assert message.title.startswith("My house: ALARM")
    assert "lie between" not in told(*many[:MOST_LINES]).text


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("row", CONDITIONS)
def test_every_condition_has_words_and_steps(row: str, language: str) -> None:
    reaction = CONDITIONS[row].reaction.name.lower()
    message = told(notice(row, reaction, owner="site"), language=language)
    assert CONDITIONS[row].meaning.what.told(Language(language)) in message.title
    assert "\n- " in message.text


def test_the_same_has_the_same_id_and_nothing_else_has() -> None:
    same = {told(notice()).id, told(notice()).id}
    others = {told(notice("b")).id, told(notice(), name="bob").id}
    assert (len(same), len(same | others)) == (1, 3)
