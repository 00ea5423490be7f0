"""What a planner does to a plan before it hands it over."""

from dataclasses import asdict, replace

from pydantic import TypeAdapter

from holdfast.control.plan_gate import accept_plan
from holdfast.core import plan as module
from holdfast.core.asked_slot import AskedBy
from holdfast.core.plan import PV_OFF_IMPORT_SHARE, PlanSlot, with_short_texts
from holdfast.core.texts import MAX_NOTE, MAX_REASON
from tests.builders import T0
from tests.control.test_plan_gate import SITE, UTC_NOW, plan, slot


def test_a_slot_that_says_nothing_of_pv_leaves_it_on():
    """As plans did that were made, sent or kept before it could be switched."""
    fields = asdict(slot(0))
    del fields["pv_on"]
    assert TypeAdapter(PlanSlot).validate_python(fields) == slot(0)
    assert slot(0).pv_on is True


def test_a_slot_that_does_not_say_who_asks_is_the_plan_s() -> None:
    """As those of a planner are, which were never asked for by anybody."""
    fields = asdict(slot(0))
    del fields["by"]
    assert TypeAdapter(PlanSlot).validate_python(fields).by is AskedBy.PLAN


def test_a_tenth_of_the_import_is_left_for_a_load_that_comes_on_while_pv_is_off():
    assert PV_OFF_IMPORT_SHARE == 0.9


def test_texts_of_a_plan_are_cut_to_what_the_gate_takes_and_nothing_else_is_changed():
    long = plan(slot(0, reason="r" * 1000), slot(1), note="a\nb" + "n" * 2000)
    short = with_short_texts(long)
    assert short.slots[0].reason == "r" * (MAX_REASON - 1) + "…"
    assert short.note == "a b" + "n" * (MAX_NOTE - 4) + "…"
    assert accept_plan(short, now_ns=T0, utc=UTC_NOW, site=SITE).plan == short
    restored = replace(short, note=long.note, slots=(long.slots[0], short.slots[1]))
    assert restored == long
    assert with_short_texts(plan()) == plan()


def test_no_load_is_switched_for_less_than_a_twentieth_of_a_slot():
    assert (module.SHARE_MIN, module.SHARE_MAX) == (0.05, 0.95)
