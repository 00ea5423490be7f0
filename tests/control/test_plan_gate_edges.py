"""The plan gate at the very edge of what it accepts."""

from datetime import timedelta

import pytest

from holdfast.control.plan_gate import MAX_HORIZON, MAX_LIFETIME, MAX_SLOTS
from holdfast.core.errors import PlanRefused
from holdfast.core.units import NS_PER_S
from tests.builders import T0
from tests.control.test_plan_gate import UTC_NOW, accept, plan, slot

MINUTE = timedelta(minutes=1)


def minutes(count, length=MINUTE):
    return [
        slot(0, start=UTC_NOW + index * length, end=UTC_NOW + (index + 1) * length)
        for index in range(count)
    ]


def test_the_limits_of_a_plan_are_these():
    assert MAX_SLOTS == 2000
    assert timedelta(days=8) == MAX_HORIZON
    assert timedelta(hours=2) == MAX_LIFETIME


def test_as_many_slots_as_are_permitted_are_accepted_and_one_more_is_not():
    assert accept(plan(*minutes(2000))).ends_ns == T0 + 2000 * 60 * NS_PER_S
    with pytest.raises(PlanRefused, match="2001 slots are more than 2000"):
        accept(plan(*minutes(2001)))


def test_a_plan_that_begins_when_it_expires_is_refused():
    expires = UTC_NOW + 3 * MINUTE
    with pytest.raises(PlanRefused, match="begins only after it has expired"):
        accept(plan(slot(0, start=expires, end=expires + MINUTE), expires=expires))
    assert accept(plan(slot(0, start=expires - MINUTE, end=expires), expires=expires))


def test_the_horizon_counts_to_the_end_of_the_last_slot_and_not_of_the_first():
    day = timedelta(days=1)
    assert accept(plan(*minutes(8, day))).ends_ns == T0 + 8 * 86_400 * NS_PER_S
    with pytest.raises(PlanRefused, match="further than 8 days"):
        accept(plan(*minutes(9, day)))


def test_a_plan_in_the_past_is_judged_by_the_end_of_its_last_slot():
    assert accept(plan(slot(-2), slot(-1), slot(0))).slot_at(T0).reason == "slot 0"
    with pytest.raises(PlanRefused, match="lies in the past"):
        accept(plan(slot(-2), slot(-1)))
