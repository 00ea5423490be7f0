"""Rules come on the days that a library known for them says."""

from datetime import date, datetime, time, timedelta

import pytest
from dateutil import rrule
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.calendars.recurrence import Recurrence, days_of, work

NAMES = (rrule.MO, rrule.TU, rrule.WE, rrule.TH, rrule.FR, rrule.SA, rrule.SU)
FREQUENCIES = {
    "DAILY": rrule.DAILY, "WEEKLY": rrule.WEEKLY, "MONTHLY": rrule.MONTHLY, "YEARLY": rrule.YEARLY
}  # fmt: skip
FIRST = st.dates(date(2020, 1, 1), date(2026, 12, 31))


@st.composite
def rules(draw: st.DrawFn) -> Recurrence:
    """Rules that come at some time: for others the library looks until the year 9999.

    Nor does it take the first Monday beside each Tuesday for both of them, as RFC 5545 does.
    """
    frequency = draw(st.sampled_from(sorted(FREQUENCIES)))
    is_long = frequency in ("MONTHLY", "YEARLY")
    has_ordinals = is_long and draw(st.booleans())
    ordinals = st.sampled_from([1, 2, -1]) if has_ordinals else st.just(0)
    weekdays = tuple(draw(st.lists(st.tuples(ordinals, st.integers(0, 6)), max_size=3)))
    month_days = tuple(draw(st.lists(st.sampled_from([1, 13, 28, -1, -3]), max_size=2)))
    if frequency == "WEEKLY" or has_ordinals:
        month_days = ()
    months = tuple(draw(st.lists(st.integers(1, 12), max_size=3, unique=True)))
    positions = tuple(draw(st.lists(st.sampled_from([1, -1]), max_size=1)))
    return Recurrence(
        frequency=frequency,
        interval=1 if months else draw(st.integers(1, 4)),
        count=draw(st.none() | st.integers(1, 20)),
        weekdays=weekdays,
        month_days=month_days,
        months=months,
        positions=positions if is_long and (weekdays or month_days) else (),
        week_start=draw(st.sampled_from([0, 6])),
    )


@settings(max_examples=60)
@given(rule=rules(), first=FIRST, skip=st.integers(0, 400))
def test_rules_come_as_the_library_says(rule: Recurrence, first: date, skip: int) -> None:
    start, since = datetime.combine(first, time()), first + timedelta(days=skip)
    until = since + timedelta(days=400)
    by_library = rrule.rrule(
        FREQUENCIES[rule.frequency],
        dtstart=start,
        interval=rule.interval,
        wkst=rule.week_start,
        until=datetime.combine(until, time()),
        byweekday=[NAMES[day](n) if n else NAMES[day] for n, day in rule.weekdays] or None,
        bymonthday=rule.month_days or None,
        bymonth=rule.months or None,
        bysetpos=rule.positions or None,
    )
    expected = [each.date() for each in by_library]
    if first not in expected:
        expected.insert(0, first)  # the first one always counts
    expected = expected[: rule.count]
    found = list(days_of(rule, first, since, until))
    assert found == [each for each in expected if each >= since]


def test_no_rule_takes_longer_than_its_days() -> None:
    never = Recurrence(frequency="DAILY", months=(2,), month_days=(30,))
    first, until = date(1900, 1, 1), date(2026, 1, 1)
    assert list(days_of(never, first, date(2025, 1, 1), until)) == []
    assert work(never, first, date(2025, 1, 1), until) == 366


@pytest.mark.parametrize("until", [date(2026, 1, 5), date(2026, 1, 11)])
def test_it_ends_with_the_last_day(until: date) -> None:
    weekly = Recurrence(frequency="WEEKLY", until=until)
    first = date(2025, 12, 29)
    assert list(days_of(weekly, first, first, date(2026, 12, 31))) == [first, date(2026, 1, 5)]
