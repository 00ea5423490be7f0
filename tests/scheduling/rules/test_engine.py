"""When rules fire, how they end, and which of them is followed."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.asked_slot import AskedBy, SlotTerms
from holdfast.core.slot_mode import SlotMode
from holdfast.scheduling.rules.engine import ASKED_FOR
from tests.scheduling.rules.rule_bench import NOON, Days, book, one


def test_a_rule_asks_while_it_holds_and_tells_the_values() -> None:
    days = Days(one("soc_pct < 50", then="{mode: charge_only, power_w: 3000, soc_target_pct: 60}"))
    assert days.after(0, soc_pct=55.0).asked == []
    assert days.why == "soc_pct < 50 does not hold: soc_pct = 55"
    assert days.after(1, soc_pct=45.5).asked == ["it"]
    (slot,) = days.engine.asked(days.utc, days.utc + timedelta(hours=1))
    assert slot.by is AskedBy.RULE
    assert slot.mode is SlotMode.CHARGE_ONLY
    assert slot.battery_power_w == 3000.0
    assert slot.terms == SlotTerms(soc_target_pct=60.0)
    assert slot.reason == "soc_pct = 45.5"
    assert days.after(1, soc_pct=50.0).asked == []


def test_what_is_asked_ends_by_itself_when_nobody_looks_any_more() -> None:
    days = Days(one("soc_pct < 50")).after(0, soc_pct=10.0)
    assert days.engine.asked(days.utc + ASKED_FOR, days.utc + timedelta(days=1)) == []


def test_it_is_the_same_from_one_look_to_the_next_and_renewed_in_time() -> None:
    """Each change makes a plan be handed over."""
    days = Days(one("soc_pct < 50"))
    seen = set()
    for _ in range(60 * 60):
        days.after(1 / 60, soc_pct=10.0)
        (slot,) = days.engine.asked(days.utc, days.utc + timedelta(hours=1))
        assert slot.end - days.utc >= ASKED_FOR / 2
        seen.add(slot)
    assert len(seen) <= 13


def test_what_is_not_known_fires_nothing_and_ends_what_fires() -> None:
    days = Days(one("soc_pct < 50", "min_on_minutes: 60"))
    assert days.after(0).asked == []
    assert days.why == "not known: soc_pct"
    assert days.after(1, soc_pct=10.0).asked == ["it"]
    assert days.after(1).asked == []


def test_it_goes_on_until_its_end_holds() -> None:
    days = Days(one("soc_pct < 50", "ends_when: soc_pct >= 60"))
    assert days.after(0, soc_pct=55.0).asked == []
    assert days.after(1, soc_pct=49.0).asked == ["it"]
    assert days.after(1, soc_pct=59.0).asked == ["it"]
    assert days.after(1, soc_pct=60.0).asked == []
    assert days.why == "soc_pct >= 60 holds: soc_pct = 60"


def test_it_does_not_fire_where_its_end_holds_already() -> None:
    days = Days(one("hour < 24", "ends_when: soc_pct >= 60"))
    assert days.after(0, hour=12.0, soc_pct=70.0).asked == []
    assert days.after(1, hour=12.0).asked == []
    assert days.why == "not known: soc_pct"


def test_it_waits_until_it_has_held_for_long_enough() -> None:
    days = Days(one("soc_pct < 50", "for_minutes: 10"))
    assert days.after(0, soc_pct=40.0).asked == []
    assert days.after(9, soc_pct=40.0).asked == []
    assert days.after(0.5, soc_pct=60.0).asked == []
    assert days.after(9, soc_pct=40.0).asked == []
    assert days.after(10, soc_pct=40.0).asked == ["it"]


def test_it_neither_ends_nor_begins_again_too_soon() -> None:
    days = Days(
        one(
            "soc_pct < 50",
            "{min_on_minutes: 10, min_off_minutes: 20}"[1:-1].replace(", ", "\n    "),
        )
    )
    assert days.after(0, soc_pct=40.0).asked == ["it"]
    assert days.after(9, soc_pct=60.0).asked == ["it"]
    assert days.after(1, soc_pct=60.0).asked == []
    assert days.after(19, soc_pct=40.0).asked == []
    assert days.after(1, soc_pct=40.0).asked == ["it"]


def test_it_expires_after_its_last_local_day() -> None:
    days = Days(one("soc_pct < 50", "until: 2026-03-02"))
    midnight = datetime(2026, 3, 3, tzinfo=ZoneInfo("Europe/Berlin"))
    to_midnight = (midnight - NOON) / timedelta(minutes=1)
    assert days.after(to_midnight - 1, soc_pct=40.0).asked == ["it"]
    assert days.after(1, soc_pct=40.0).asked == []
    assert days.why == "its time was over after 2026-03-02"


def test_one_that_is_not_enabled_never_fires() -> None:
    assert Days(one("soc_pct < 50", "enabled: false")).after(0, soc_pct=1.0).asked == []


TWO = """
  - name: first
    when: soc_pct < 50
    then: {mode: hold}
  - name: second
    when: soc_pct < 60
    then: {mode: passive}
    priority: %d
"""


def test_the_higher_priority_is_followed_and_the_other_says_so() -> None:
    days = Days(book(TWO % 1)).after(0, soc_pct=40.0)
    assert days.asked == ["second", "first"]
    first, second = days.engine.states
    assert (first.follows, second.follows) == (False, True)
    assert first.why == "soc_pct = 40; but second comes first"


def test_of_equal_ones_the_first_in_the_file_is_followed() -> None:
    assert Days(book(TWO % 0)).after(0, soc_pct=40.0).asked == ["first", "second"]


def test_a_clock_that_is_set_back_leaves_nobody_stuck() -> None:
    days = Days(one("soc_pct < 50", "for_minutes: 10\n    min_on_minutes: 10"))
    days.after(600, soc_pct=40.0)
    days.after(-590, soc_pct=40.0)
    assert days.after(10, soc_pct=40.0).asked == ["it"]
    days.after(-10, soc_pct=40.0)
    assert days.asked == ["it"]
    assert days.after(0, soc_pct=60.0).asked == []


@given(
    st.lists(
        st.tuples(st.floats(0.02, 60.0), st.one_of(st.none(), st.floats(0.0, 100.0))), max_size=40
    ),
    st.sampled_from(["", "ends_when: soc_pct > 70"]),
    st.sampled_from([0, 10]),
)
def test_whatever_happens_what_is_asked_is_of_now_and_short(
    steps: list[tuple[float, float | None]], ends: str, on: int
) -> None:
    days = Days(one("soc_pct < 50", f"{ends}\n    min_on_minutes: {on}"))
    for minutes, soc_pct in steps:
        days.after(minutes, **({} if soc_pct is None else {"soc_pct": soc_pct}))
        for slot in days.engine.asked(days.utc, days.utc + timedelta(hours=1)):
            assert soc_pct is not None
            assert slot.start <= days.utc < slot.end <= days.utc + ASKED_FOR


@pytest.mark.parametrize("name", ["it"])
def test_a_reason_fits_into_a_plan(name: str) -> None:
    words = " && ".join(f"{fact} > -100000" for fact in ("soc_pct", "grid_w", "pv_w", "load_w"))
    days = Days(one(words)).after(0, soc_pct=1.0, grid_w=1.0, pv_w=1.0, load_w=1.0)
    (slot,) = days.engine.asked(days.utc, days.utc + timedelta(hours=1))
    assert slot.who == name
    assert slot.reason == "grid_w = 1, load_w = 1, pv_w = 1, soc_pct = 1"
