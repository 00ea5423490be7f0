"""What people ask for takes the place of what was planned, and the controller takes the plan."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.control.plan_gate import MAX_SLOTS, accept_plan
from holdfast.core.asked_slot import AskedBy, SlotTerms
from holdfast.core.manual_slot import ManualMode, ManualSlot
from holdfast.core.plan import Plan, PlannedLoad, PlanSlot, PlanStatus
from holdfast.core.quarter_hours import QUARTER
from holdfast.core.slot_mode import SlotMode
from holdfast.scheduling.manual_asker import asked_by_hand
from holdfast.scheduling.plan_question import PLAN_LIFETIME
from holdfast.scheduling.precedence import Overlaid, lay_over
from tests.manual import NOW, slot
from tests.scheduling.planning import BOILER, site

SITE = site(loads=BOILER)
MINUTE = timedelta(minutes=1)


def planned(start: datetime, end: datetime) -> PlanSlot:
    """A slot of the optimizer, with all that a slot may have."""
    return PlanSlot(
        start=start,
        end=end,
        mode=SlotMode.SELF_CONSUMPTION,
        battery_power_w=-700.0,
        grid_power_w=0.0,
        soc_end_pct=40.0,
        import_price_per_kwh=0.3,
        reason="serves the load",
        export_limit_w=100.0,
        pv_on=False,
        loads=(PlannedLoad(name="boiler", power_w=2_000.0),),
    )


def plan(quarters: int = 4, *, start: datetime = NOW, length: timedelta = QUARTER) -> Plan:
    slots = tuple(planned(start + i * length, start + (i + 1) * length) for i in range(quarters))
    return Plan(
        plan_id="base",
        created=start,
        expires=min(slots[-1].end, start + PLAN_LIFETIME),
        status=PlanStatus.OPTIMAL,
        expected_cost=1.0,
        slots=slots,
    )


def lay(base: Plan | None, *manual: ManualSlot, now: datetime = NOW) -> Overlaid:
    return lay_over(base, [asked_by_hand(each) for each in manual], site=SITE, now_utc=now)


def accepted(laid: Overlaid, now: datetime = NOW) -> None:
    """Raises PlanRefused if the controller would not take it."""
    accept_plan(laid.plan, now_ns=10**15, utc=now, site=SITE)


@pytest.mark.parametrize(
    ("mode", "in_plan", "power_w", "does"),
    [
        (ManualMode.CHARGE, SlotMode.POWER, 2_000.0, "charge with 2 kW"),
        (ManualMode.DISCHARGE, SlotMode.POWER, -2_000.0, "discharge with 2 kW"),
        (ManualMode.REST, SlotMode.POWER, 0.0, "rest"),
        (ManualMode.STAND_ASIDE, SlotMode.PASSIVE, 0.0, "stand aside for the VPP, battery at 0 W"),
        (ManualMode.HOLD, SlotMode.HOLD, 0.0, "store surplus, serve no load"),
        (ManualMode.SELF_CONSUMPTION, SlotMode.SELF_CONSUMPTION, 0.0, "follow load and PV"),
    ],
)
def test_each_mode_becomes_one_of_a_plan(
    mode: ManualMode, in_plan: SlotMode, power_w: float, does: str
) -> None:
    laid = lay(plan(), slot(15, 30, mode))
    found = laid.plan.slots[1]
    assert (found.mode, found.battery_power_w) == (in_plan, power_w)
    assert found.reason == f"asked by anna until 12:30: {does}"
    assert laid.manual == (None, "15-30", None, None)
    accepted(laid)


def test_what_is_not_the_batterys_stays_as_planned() -> None:
    before, found = plan().slots[1], lay(plan(), slot(15, 30)).plan.slots[1]
    for name in ("start", "end", "import_price_per_kwh", "export_limit_w", "pv_on", "loads"):
        assert getattr(found, name) == getattr(before, name)


def test_the_inverter_follows_no_mode_of_its_own() -> None:
    led = site(planner="{device_modes: [load_first]}")
    base = plan()
    slots = tuple(
        replace(each, device_mode=led.planner.device_modes[0], loads=()) for each in base.slots
    )
    laid = lay_over(replace(base, slots=slots), [asked_by_hand(slot(0, 15))], site=led, now_utc=NOW)
    assert [each.device_mode is None for each in laid.plan.slots] == [True, False, False, False]


def test_slots_are_cut_where_it_begins_and_ends() -> None:
    laid = lay(plan(2), slot(10, 20))
    minutes = [(each.start - NOW) / MINUTE for each in laid.plan.slots]
    assert minutes == [0, 10, 15, 20]
    assert laid.manual == (None, "10-20", "10-20", None)
    accepted(laid)


def test_before_it_all_is_expected_as_planned_and_after_it_nothing() -> None:
    laid = lay(plan(3), slot(15, 30))
    first, asked, after = laid.plan.slots
    assert first == plan(3).slots[0]
    for each in (asked, after):
        assert (each.grid_power_w, each.soc_end_pct) == (None, None)
    assert (after.mode, after.battery_power_w) == (SlotMode.SELF_CONSUMPTION, 0.0)
    assert after.reason == "serves the load"


def test_another_day_is_told_with_its_name() -> None:
    laid = lay(plan(4 * 16), slot(0, 60 * 15))
    assert laid.plan.slots[0].reason == "asked by anna until Sat 03:00: charge with 2 kW"


def test_a_plan_with_and_one_without_it_have_different_names() -> None:
    ids = {lay(plan(), *asked).plan.plan_id for asked in ((), (slot(0, 15),), (slot(0, 16),))}
    assert len(ids) == 3
    assert "base" in ids


def test_with_nothing_asked_for_the_plan_is_the_plan() -> None:
    over = slot(-60, 0)
    far = slot(24 * 60, 25 * 60)
    assert lay(plan(), over, far) == Overlaid(plan=plan(), asked=((),) * 4)


def test_without_a_plan_the_site_follows_the_meter_beside_it() -> None:
    laid = lay(None, slot(10, 50))
    assert [each.mode for each in laid.plan.slots] == [
        SlotMode.SELF_CONSUMPTION,
        SlotMode.POWER,
        SlotMode.POWER,
    ]
    assert laid.plan.slots[-1].end == NOW + 50 * MINUTE
    assert laid.plan.expires == NOW + PLAN_LIFETIME
    assert "there is no plan" in laid.plan.note
    accepted(laid)


def test_without_a_plan_and_with_nothing_asked_for_it_follows_the_meter() -> None:
    """So one that was taken back ends at once."""
    laid = lay(None)
    (only,) = laid.plan.slots
    assert (only.mode, laid.manual) == (SlotMode.SELF_CONSUMPTION, (None,))
    accepted(laid)


def test_a_plan_that_is_over_is_none() -> None:
    later = NOW + timedelta(hours=2)
    laid = lay(plan(), slot(110, 130), now=later)
    assert laid.plan.slots[0].start == later
    assert "there is no plan" in laid.plan.note
    accepted(laid, later)


def test_it_goes_on_over_the_end_of_the_plan() -> None:
    """Prices end at midnight; what was asked for until one o'clock does not."""
    laid = lay(plan(1), slot(5, 60))
    assert laid.plan.slots[-1].end == NOW + 60 * MINUTE
    assert laid.plan.expires == NOW + PLAN_LIFETIME
    assert laid.manual == (None, "5-60", "5-60")
    accepted(laid)


def test_one_that_begins_after_the_plan_waits_for_the_next() -> None:
    assert lay(plan(4), slot(61, 90)).manual == (None,) * 4
    within_its_life = lay(plan(1), slot(20, 40))
    assert within_its_life.manual == (None, None, "20-40")
    accepted(within_its_life)


def test_over_a_plan_of_some_minutes_ago_it_begins_at_once() -> None:
    now = NOW + 7 * MINUTE
    laid = lay(plan(), slot(7, 30), now=now)
    assert laid.plan.slots[0].start == now
    assert laid.manual == ("7-30", "7-30", None, None)
    accepted(laid, now)


@st.composite
def asked_for(draw: st.DrawFn) -> list[ManualSlot]:
    """Any number of slots, as the file may hold them."""
    edges = draw(st.lists(st.integers(-86_400, 8 * 86_400 - 1), unique=True, max_size=100))
    edges.sort()
    pairs = zip(edges[::2], edges[1::2], strict=False)
    modes = st.sampled_from(ManualMode)
    power_w = st.floats(0.0, 5_000.0, exclude_min=True)
    return [
        slot(begin / 60, end / 60, draw(modes), draw(power_w), by=draw(st.sampled_from("ab")))
        for begin, end in pairs
    ]


@given(
    manual=asked_for(),
    quarters=st.integers(0, 7 * 96),
    begun_s=st.integers(0, 1_799),
    length_s=st.sampled_from([900, 300, 7]),
)
def test_the_controller_takes_whatever_comes_of_it(
    manual: list[ManualSlot], quarters: int, begun_s: int, length_s: int
) -> None:
    begun = timedelta(seconds=begun_s)
    length = timedelta(seconds=length_s)
    base = plan(quarters, start=NOW - begun, length=length) if quarters else None
    laid = lay(base, *manual)
    accepted(laid)
    assert len(laid.manual) == len(laid.plan.slots) <= MAX_SLOTS
    assert laid.plan.slots[0].start <= NOW
    by_id = {each.id: each for each in manual if each.end > NOW}
    for found, slot_id in zip(laid.plan.slots, laid.manual, strict=True):
        covering = [
            each.id for each in by_id.values() if each.start < found.end and found.start < each.end
        ]
        assert covering == ([] if slot_id is None else [slot_id])
        if slot_id is not None:
            assert by_id[slot_id].start <= found.start < found.end <= by_id[slot_id].end


def test_what_the_plan_keeps_at_the_meter_is_kept_beside_whoever_asks() -> None:
    """A forced charge does not mean to pay for a quarter hour's peak."""
    caps = SlotTerms(import_mean_max_w=3_000.0, import_max_w=5_000.0, grid_target_w=100.0)
    base = plan()
    base = replace(base, slots=tuple(replace(each, terms=caps) for each in base.slots))
    asked = [asked_by_hand(slot(0, 15, mode=ManualMode.CHARGE, power_w=4_000.0))]
    first, *rest = lay_over(base, asked, site=SITE, now_utc=NOW).plan.slots
    assert first.by is AskedBy.OPERATOR
    assert first.terms == SlotTerms(import_mean_max_w=3_000.0, import_max_w=5_000.0)
    assert all(each.terms == caps for each in rest)
