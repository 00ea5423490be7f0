"""Nobody is told too much, too often, twice, or at night for nothing; nothing gets lost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from unittest import mock
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.config.local_window import lies_in
from holdfast.core.config.notifications import Recipient
from holdfast.core.units import NS_PER_S
from holdfast.monitoring.notices import (
    NoticeKind,
    NoticeMemory,
    TimedNotice,
    may_not_wait,
    notices,
)
from holdfast.monitoring.notification import ledger
from holdfast.monitoring.notification.ledger import (
    KEPT_FOR_STRONG,
    MAX_WAITING,
    MOST_AN_HOUR,
    UNREACHABLE_AFTER,
    Ledger,
    after_delivery,
    after_failure,
    due,
    escalate,
    take,
)
from holdfast.monitoring.status.schema import FindingStatus
from tests.monitoring.notification.people import NOON, notice, recipient

VIENNA = ZoneInfo("Europe/Vienna")
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
NIGHT = [{"from": "22:00", "to": "06:00"}]


@dataclass(kw_only=True)
class Reader:
    """Reads what is due at once; ``reachable`` says when the server is there."""

    who: Recipient
    reachable: Callable[[datetime], bool] = lambda _: True
    ledger: Ledger = field(default_factory=Ledger)
    read: list[tuple[datetime, Sequence[TimedNotice]]] = field(default_factory=list)
    left_out: int = 0

    def at(
        self, now: datetime, *told: TimedNotice, acknowledged: datetime | None = None
    ) -> Sequence[TimedNotice]:
        self.ledger = take(self.who, self.ledger, told)
        self.ledger = escalate(self.who, self.ledger, now, acknowledged)
        ready = due(self.who, self.ledger, now, VIENNA)
        if not ready:
            return ()
        if not self.reachable(now):
            self.ledger = after_failure(self.ledger, "nobody there", now, 40 * MINUTE)
            return ()
        self.read.append((now, ready))
        self.left_out += self.ledger.left_out
        self.ledger = after_delivery(self.ledger, ready, now)
        return ready

    @property
    def notices(self) -> list[TimedNotice]:
        return [one for _, ready in self.read for one in ready]


def test_each_notice_is_told_once_and_its_end_only_to_who_knows_of_it() -> None:
    all_of_it, trips = Reader(who=recipient()), Reader(who=recipient(least="trip"))
    for reader in (all_of_it, trips):
        for minute in range(3):
            reader.at(NOON + minute * MINUTE, notice())
        reader.at(NOON + HOUR, notice(kind=NoticeKind.OVER))
        reader.at(NOON + HOUR, notice(kind=NoticeKind.OVER))
    assert [one.notice.kind for one in all_of_it.notices] == ["new", "over"]
    assert trips.notices == []


def test_what_becomes_strong_enough_is_told() -> None:
    reader = Reader(who=recipient(least="trip"))
    assert reader.at(NOON, notice()) == ()
    (told,) = reader.at(NOON, notice(reaction="trip", kind=NoticeKind.WORSE))
    assert told.notice.reaction == "trip"


def test_kinds_that_are_not_wanted_are_left_out() -> None:
    reader = Reader(who=recipient(kinds=["new", "worse"]))
    reader.at(NOON, notice())
    reader.at(NOON + HOUR, notice(kind=NoticeKind.STILL))
    reader.at(NOON + HOUR, notice(kind=NoticeKind.OVER))
    assert [one.notice.kind for one in reader.notices] == ["new"]
    assert reader.at(NOON + 2 * HOUR, notice()), "it is over, and new once more"


def test_quiet_hours_are_by_the_clock_of_the_site_and_end_with_all_of_the_night() -> None:
    reader = Reader(who=recipient(quiet_hours=NIGHT))
    evening = datetime(2026, 7, 1, 19, 59, tzinfo=NOON.tzinfo)  # 21:59 in Vienna
    assert reader.at(evening, notice("a"))
    assert not reader.at(evening + MINUTE, notice("b"))
    assert not reader.at(evening + 2 * HOUR, notice("b", kind=NoticeKind.OVER))
    (trip,) = reader.at(evening + 3 * HOUR, notice("c", "trip"))
    assert trip.notice.row == "c"
    assert not reader.at(evening + 4 * HOUR, notice("c", "trip", NoticeKind.STILL))
    assert not reader.at(evening + 8 * HOUR)
    morning = reader.at(evening + 8 * HOUR + MINUTE)
    assert [one.notice.row for one in morning] == ["b", "b", "c"]


def test_an_alarm_goes_on_to_the_next_unless_somebody_acknowledges_it() -> None:
    trip = notice(reaction="trip")
    for acknowledged, told in ((None, 1), (NOON - MINUTE, 1), (NOON + MINUTE, 0)):
        reader = Reader(who=recipient(after_minutes=15))
        assert not reader.at(NOON, trip, notice("a", "ramp_to_zero"))
        assert not reader.at(NOON + 14 * MINUTE)
        assert len(reader.at(NOON + 15 * MINUTE, acknowledged=acknowledged)) == told
        assert not reader.at(NOON + 60 * MINUTE)
        over = reader.at(NOON + 90 * MINUTE, notice(reaction="trip", kind=NoticeKind.OVER))
        assert len(over) == told


def test_an_alarm_that_is_over_goes_on_to_nobody() -> None:
    reader = Reader(who=recipient(after_minutes=15))
    reader.at(NOON, notice(reaction="trip"))
    reader.at(NOON + 5 * MINUTE, notice(reaction="trip", kind=NoticeKind.OVER))
    assert not reader.at(NOON + HOUR)


def test_weak_notices_leave_room_for_the_strong() -> None:
    reader = Reader(who=recipient())
    for index in range(20):
        reader.at(NOON + index * MINUTE, notice(f"row_{index}"))
    assert len(reader.read) == MOST_AN_HOUR - KEPT_FOR_STRONG
    told = reader.at(NOON + 20 * MINUTE, notice("trips", "trip"))
    assert told[-1].notice.row == "trips"
    assert len(told) == 17, "what had waited comes along"


def test_a_finding_that_flaps_for_a_day_is_told_of_a_few_times_and_its_end_once() -> None:
    reader, memory = Reader(who=recipient(quiet_hours=NIGHT)), NoticeMemory()
    found = FindingStatus(
        owner="battery", row="bms_data_old", level="alarm", reaction="derate", for_s=0.0, text="old"
    )
    for second in range(0, 26 * 3600, 5):
        there = second < 86_400 and second // 20 % 2 == 0
        told, memory = notices(memory, [found] if there else [], (1000 + second) * NS_PER_S)
        now = NOON + timedelta(seconds=second)
        reader.at(now, *(TimedNotice(utc=now, notice=one) for one in told))
    kinds = [one.notice.kind for one in reader.notices]
    assert kinds.count(NoticeKind.OVER) == 1
    assert kinds[0] is NoticeKind.NEW
    assert kinds[-1] is NoticeKind.OVER
    assert len(kinds) <= 6


def test_after_days_without_the_server_all_comes_as_one_and_nothing_strong_is_lost() -> None:
    back = NOON + timedelta(days=3)
    reader = Reader(who=recipient(), reachable=lambda now: now >= back)
    many = 2 * MAX_WAITING
    for index in range(many):
        reader.at(
            NOON + index * 40 * MINUTE, notice(f"row_{index}", "trip" if index == 7 else "derate")
        )
    assert reader.ledger.unreachable(NOON + UNREACHABLE_AFTER)
    assert reader.ledger.failed <= 3 * 24 * 60 / 40 + 1
    reader.at(back)
    ((_, told),) = reader.read
    assert len(told) + reader.left_out == many
    assert len(told) == MAX_WAITING
    rows = [one.notice.row for one in told]
    assert rows[0] == "row_0"
    assert "row_7" in rows
    assert rows[-1] == f"row_{many - 1}"
    assert not reader.ledger.unreachable(back)


def many_at(reader: Reader, now: datetime, count: int) -> None:
    for index in range(count):
        reader.at(now, notice(f"other_{index}"))


@pytest.mark.parametrize("is_over_before", [True, False])
def test_that_something_is_over_is_not_told_if_it_found_no_room_itself(
    is_over_before: bool,
) -> None:
    back = NOON + 2 * HOUR
    reader = Reader(who=recipient(), reachable=lambda now: now >= back)
    reader.at(NOON, notice("first"), notice("lost"))
    over = notice("lost", kind=NoticeKind.OVER)
    if is_over_before:
        reader.at(NOON, over)
    many_at(reader, NOON, MAX_WAITING - 1 - is_over_before)
    if not is_over_before:
        reader.at(NOON, over)
    told = reader.at(back)
    assert "lost" not in [one.notice.row for one in told]
    assert len(told) + reader.left_out == MAX_WAITING + 1


def test_that_something_is_over_is_told_to_who_was_told_of_it_whatever_found_no_room() -> None:
    is_back = True
    reader = Reader(who=recipient(), reachable=lambda _: is_back)
    reader.at(NOON, notice("known"))
    is_back = False
    reader.at(NOON + MINUTE, notice("first"), notice("known", kind=NoticeKind.STILL))
    many_at(reader, NOON + 2 * MINUTE, MAX_WAITING - 1)
    assert reader.ledger.left_out == 1
    is_back = True
    (told,) = [
        one
        for one in reader.at(NOON + 2 * HOUR, notice("known", kind=NoticeKind.OVER))
        if one.notice.row == "known"
    ]
    assert told.notice.kind is NoticeKind.OVER


def test_a_clock_that_was_years_ahead_holds_nothing_up() -> None:
    reader = Reader(who=recipient())
    wrong = NOON.replace(year=2031)
    for index in range(10):
        reader.at(wrong, notice(f"row_{index}"))
    reader.ledger = after_failure(reader.ledger, "nobody there", wrong, 40 * MINUTE)
    assert reader.at(NOON, notice("now"))


EVENTS = st.lists(
    st.tuples(
        st.integers(0, 3600 * 4),
        st.sampled_from(["a", "b", "c", "d"]),
        st.sampled_from(["log", "hold", "derate", "ramp_to_zero", "trip", "emergency_stop"]),
        st.sampled_from(NoticeKind),
        st.booleans(),
    ),
    max_size=60,
)


@settings(max_examples=200, deadline=None)
@given(
    events=EVENTS,
    least=st.sampled_from(["log", "derate", "trip"]),
    after=st.sampled_from([0, 10]),
    quiet=st.booleans(),
    most=st.sampled_from([3, MAX_WAITING]),
)
def test_whatever_happens_the_bounds_hold(
    events: list[tuple[int, str, str, NoticeKind, bool]],
    least: str,
    after: int,
    quiet: bool,
    most: int,
) -> None:
    who = recipient(least=least, after_minutes=after, quiet_hours=NIGHT if quiet else [])
    gone = False
    reader = Reader(who=who, reachable=lambda _: not gone)
    now, acknowledged = NOON, None
    with mock.patch.object(ledger, "MAX_WAITING", most):  # so that there is no room, now and then
        for wait_s, row, reaction, kind, flag in events:
            now += timedelta(seconds=wait_s)
            gone = flag
            acknowledged = now if flag else acknowledged
            reader.at(now, notice(row, reaction, kind, now), acknowledged=acknowledged)
            assert len(reader.ledger.waiting) <= most
    times = [at for at, _ in reader.read]
    for at in times:
        assert sum(timedelta() <= at - other < HOUR for other in times) <= MOST_AN_HOUR
    open_rows: set[str] = set()
    for one in reader.notices:
        if one.notice.kind is NoticeKind.OVER:
            assert one.notice.row in open_rows, "told over once, and only of what he knows"
            open_rows.discard(one.notice.row)
        else:
            open_rows.add(one.notice.row)
    for at, ready in reader.read:
        if any(lies_in(window, at, VIENNA) for window in who.quiet_hours):
            assert all(may_not_wait(one.notice) for one in ready)
        if after:
            assert all(
                may_not_wait(one.notice) or one.notice.kind is NoticeKind.OVER for one in ready
            )


@pytest.mark.parametrize("minutes", [1, 30])
def test_after_an_acknowledgement_nobody_else_is_told(minutes: int) -> None:
    reader = Reader(who=recipient(after_minutes=minutes))
    reader.at(NOON, notice(reaction="emergency_stop"))
    reader.at(NOON, acknowledged=NOON)
    assert not reader.at(NOON + timedelta(days=1))
