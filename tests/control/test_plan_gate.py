"""The plan gate: a plan is a stranger's message. Whatever is wrong with it is named."""

import math
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from holdfast.control.plan_gate import MAX_HORIZON, MAX_LIFETIME, MAX_SLOTS, accept_plan, age_s
from holdfast.core.asked_slot import SlotTerms
from holdfast.core.errors import PlanRefused
from holdfast.core.plan import Plan, PlannedLoad, PlanSlot, PlanStatus
from holdfast.core.slot_mode import SlotMode
from holdfast.core.texts import MAX_ID, MAX_NOTE, MAX_REASON
from holdfast.core.units import NS_PER_S
from tests.builders import T0, build_site, room_content, unit_content

UTC_NOW = datetime(2026, 3, 29, 0, 50, tzinfo=UTC)  # ten minutes before summer time begins
QUARTER = timedelta(minutes=15)
SITE = build_site(
    unit_content(inverter_hardware={"discharge_power_max_w": 4000}),
    grid={"import_max_w": 10_000, "export_max_w": 3000},
    loads=[{"name": "boiler", "power_w": 2000, "energy_wh": 4000}],
    rooms=[room_content()],
)


def slot(index: int, **changes) -> PlanSlot:
    new = PlanSlot(
        start=UTC_NOW + index * QUARTER,
        end=UTC_NOW + (index + 1) * QUARTER,
        mode=SlotMode.POWER,
        battery_power_w=100.0 * (index + 1),
        grid_power_w=0.0,
        soc_end_pct=50.0,
        import_price_per_kwh=0.3,
        reason=f"slot {index}",
    )
    return replace(new, **changes)


def plan(*slots: PlanSlot, **changes) -> Plan:
    new = Plan(
        plan_id="p1",
        created=UTC_NOW,
        expires=UTC_NOW + timedelta(hours=2),
        status=PlanStatus.OPTIMAL,
        expected_cost=1.0,
        slots=slots or (slot(0), slot(1), slot(2)),
    )
    return replace(new, **changes)


def accept(candidate: Plan, now_ns: int = T0, utc: datetime = UTC_NOW):
    return accept_plan(candidate, now_ns=now_ns, utc=utc, site=SITE)


def test_a_plan_by_the_best_rung_has_nothing_to_note():
    assert plan().note == ""
    assert accept(replace(plan(), note="led back")).plan.note == "led back"


def test_a_plan_in_which_everything_holds_is_accepted_whole():
    accepted = accept(plan())
    assert accepted.plan == plan()
    assert accepted.expires_ns == T0 + 7200 * NS_PER_S
    assert accepted.ends_ns == T0 + 3 * 900 * NS_PER_S


def test_texts_may_be_as_long_as_that():
    longest = plan(slot(0, reason="r" * MAX_REASON), plan_id="p" * MAX_ID, note="n" * MAX_NOTE)
    assert accept(longest).plan == longest


HOUR = timedelta(hours=1)
BERLIN = timezone(HOUR)
WRONG = {
    "long id": (plan(plan_id="x" * (MAX_ID + 1)), "plan_id has 65 characters, and 64"),
    "id with a line": (plan(plan_id="p\n1"), r"plan_id holds U\+000A"),
    "long note": (plan(note="x" * (MAX_NOTE + 1)), "note has 1001 characters, and 1000"),
    "long reason": (
        plan(slot(0), slot(1, reason="x" * 600_000)),
        "slot 1: reason has 600000 characters, and 300 are permitted",
    ),
    "reason with a colour": (plan(slot(0, reason="\x1b[31mred")), r"slot 0: reason holds U\+001B"),
    "no slots": (replace(plan(), slots=()), "no slots"),
    "too many slots": (plan(*(slot(0),) * (MAX_SLOTS + 1)), f"more than {MAX_SLOTS}"),
    "power NaN": (plan(slot(0), slot(1, battery_power_w=math.nan)), "slot 1: battery_power_w nan"),
    "power inf": (plan(slot(0, battery_power_w=math.inf)), "slot 0: battery_power_w inf"),
    "400 kW": (plan(slot(0), slot(1, battery_power_w=400e3)), "battery_power_w 400000"),
    "-400 kW": (plan(slot(0, battery_power_w=-400e3)), "battery_power_w -400000"),
    "just too much": (plan(slot(0, battery_power_w=5000.001)), "-4000 to 5000 W"),
    "just too little": (plan(slot(0, battery_power_w=-4000.001)), "-4000 to 5000 W"),
    "grid NaN": (plan(slot(0, grid_power_w=math.nan)), "slot 0: grid_power_w"),
    "soc NaN": (plan(slot(0, soc_end_pct=math.nan)), "slot 0: soc_end_pct"),
    "price inf": (plan(slot(0, import_price_per_kwh=-math.inf)), "slot 0: import_price_per_kwh"),
    "gap": (plan(slot(0), slot(2)), "slot 1: gap"),
    "overlap": (plan(slot(0), slot(1, start=UTC_NOW + QUARTER / 2)), "slot 1: overlap"),
    "disorder": (plan(slot(1), slot(0)), "slot 1: overlap"),
    "twice": (plan(slot(0), slot(0)), "slot 1: overlap"),
    "ends before it starts": (plan(slot(0, start=UTC_NOW + 2 * QUARTER)), "slot 0: ends before"),
    "no length": (plan(slot(0, start=UTC_NOW + QUARTER)), "slot 0: ends before"),
    "past": (plan(slot(-3), slot(-2), slot(-1)), "in the past"),
    "too far": (plan(slot(0, end=UTC_NOW + timedelta(days=8, seconds=1))), "further than 8 days"),
    "begins too late": (plan(slot(9)), "begins only after it has expired"),
    "expired": (plan(expires=UTC_NOW), "expired at 2026-03-29 00:50:00Z"),
    "lives too long": (plan(expires=UTC_NOW + timedelta(hours=2, seconds=1)), "live for more than"),
    "created local": (plan(created=UTC_NOW.astimezone(BERLIN)), "created is not in UTC"),
    "created naive": (plan(created=UTC_NOW.replace(tzinfo=None)), "created is not in UTC"),
    "expires local": (plan(expires=(UTC_NOW + HOUR).astimezone(BERLIN)), "expires is not in UTC"),
    "expires naive": (plan(expires=UTC_NOW.replace(tzinfo=None)), "expires is not in UTC"),
    "start naive": (
        plan(slot(0), slot(1, start=slot(1).start.replace(tzinfo=None))), "slot 1: start is not",
    ),
    "end local": (plan(slot(0, end=slot(0).end.astimezone(BERLIN))), "slot 0: end is not in UTC"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_a_plan_with_anything_wrong_is_refused_with_the_reason(what):
    candidate, reason = WRONG[what]
    with pytest.raises(PlanRefused, match=reason):
        accept(candidate)


@pytest.mark.parametrize("value", ["start", "end"])
def test_a_plan_whose_last_or_first_instant_is_naive_is_refused_and_does_not_crash(value):
    whole = plan(slot(0))
    naive = getattr(whole.slots[0], value).replace(tzinfo=None)
    with pytest.raises(PlanRefused, match=f"{value} is not in UTC"):
        accept(plan(slot(0, **{value: naive})))


@pytest.mark.parametrize("power_w", [5000.0, -4000.0, 0.0, -0.0])
def test_the_sites_own_limits_are_still_accepted(power_w):
    assert accept(plan(slot(0, battery_power_w=power_w))).slot_at(T0).battery_power_w == power_w


def test_the_longest_life_and_the_longest_horizon_are_still_accepted():
    whole = plan(slot(0, end=UTC_NOW + timedelta(days=8)), expires=UTC_NOW + timedelta(hours=2))
    assert accept(whole).slot_at(T0) is not None


def test_a_slot_holds_from_its_start_to_just_before_its_end():
    accepted = accept(plan())
    quarter_ns = 900 * NS_PER_S
    for offset_ns, reason in (
        (-1, None),
        (0, "slot 0"),
        (quarter_ns - 1, "slot 0"),
        (quarter_ns, "slot 1"),
        (2 * quarter_ns, "slot 2"),
        (3 * quarter_ns - 1, "slot 2"),
        (3 * quarter_ns, None),
        (10**18, None),
    ):
        found = accepted.slot_at(T0 + offset_ns)
        assert (found.reason if found else None) == reason


def test_a_plan_that_began_earlier_is_followed_from_where_it_is_now():
    accepted = accept(plan(slot(-1), slot(0), slot(1)))
    assert accepted.slot_at(T0).reason == "slot 0"


def test_from_its_expiry_on_nobody_follows_a_plan():
    accepted = accept(plan(expires=UTC_NOW + timedelta(minutes=5)))
    assert accepted.slot_at(T0 + 300 * NS_PER_S - 1).reason == "slot 0"
    assert accepted.slot_at(T0 + 300 * NS_PER_S) is None


@pytest.mark.parametrize("step", [timedelta(hours=5), timedelta(hours=-5)])
def test_a_step_of_the_wall_clock_after_acceptance_moves_nothing(step):
    """The gate asks for the wall clock once; afterwards only monotonic time counts."""
    accepted = accept(plan())
    stepped = UTC_NOW + step
    assert accepted.slot_at(T0 + 900 * NS_PER_S).reason == "slot 1"
    # The same plan offered again after the step is judged by the new time, and alone.
    with pytest.raises(PlanRefused):
        accept(plan(), utc=stepped)
    assert accepted.slot_at(T0 + 900 * NS_PER_S).reason == "slot 1"


def test_the_place_of_the_monotonic_clock_does_not_matter():
    early, late = accept(plan(), now_ns=0), accept(plan(), now_ns=10**18)
    for offset_s in (0, 899, 900, 1800, 2699, 2700):
        assert early.slot_at(offset_s * NS_PER_S) == late.slot_at(10**18 + offset_s * NS_PER_S)


def test_the_age_of_a_plan_counts_from_its_acceptance():
    assert age_s(accept(plan()), T0 + 90 * NS_PER_S) == 90.0


def test_a_plan_may_expect_nothing():
    blind = slot(0, grid_power_w=None, soc_end_pct=None)
    assert accept(plan(blind)).plan.slots == (blind,)


def test_a_plan_may_tell_what_loads_do_and_what_is_exported():
    told = slot(
        0,
        export_limit_w=3000.0,
        pv_on=False,
        loads=(
            PlannedLoad(name="boiler", power_w=2000.0),
            PlannedLoad(name="parlour", power_w=0.0, temperature_c=21.0),
        ),
    )
    assert accept(plan(told)).plan.slots == (told,)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"pv_on": 1}, "slot 1: pv_on is neither true nor false"),
        ({"pv_on": None}, "slot 1: pv_on is neither true nor false"),
        ({"export_limit_w": -1.0}, "slot 1: export_limit_w -1 is not within 0 to 3000 W"),
        ({"export_limit_w": 3000.1}, "slot 1: export_limit_w 3000.1 is not within 0 to 3000 W"),
        ({"export_limit_w": math.nan}, "slot 1: export_limit_w nan is not within 0 to 3000 W"),
    ],
)
def test_what_pv_cannot_be_told_is_refused(changes, complaint):
    with pytest.raises(PlanRefused, match=f"^{complaint}$"):
        accept(plan(slot(0), slot(1, **changes)))


@pytest.mark.parametrize(
    ("loads", "complaint"),
    [
        ([("boiler", -0.1, None)], "slot 1: boiler: power_w -0.1 is not within 0 to 2000 W"),
        ([("boiler", 2000.1, None)], "slot 1: boiler: power_w 2000.1 is not within 0 to 2000 W"),
        ([("boiler", math.nan, None)], "slot 1: boiler: power_w nan is not within 0 to 2000 W"),
        ([("b" * 65, 0.0, None)], "slot 1: name of a load has 65 characters, and 64 are permitted"),
        ([("b" * 64, 0.0, None)], f"slot 1: there is no load '{'b' * 64}', or it comes twice"),
        ([("sauna", 0.0, None)], "slot 1: there is no load 'sauna', or it comes twice"),
        (
            [("boiler", 1.0, None), ("boiler", 1.0, None)],
            "slot 1: there is no load 'boiler', or it comes twice",
        ),
        (
            [("parlour", 0.0, 100.1)],
            "slot 1: parlour: temperature_c 100.1 is not within -50 to 100 °C",
        ),
        (
            [("parlour", 0.0, -50.1)],
            "slot 1: parlour: temperature_c -50.1 is not within -50 to 100 °C",
        ),
        (
            [("parlour", 0.0, math.nan)],
            "slot 1: parlour: temperature_c nan is not within -50 to 100 °C",
        ),
    ],
)
def test_a_load_that_cannot_be_is_refused(loads, complaint):
    planned = tuple(PlannedLoad(name=n, power_w=p, temperature_c=c) for n, p, c in loads)
    with pytest.raises(PlanRefused, match=f"^{complaint}$"):
        accept(plan(slot(0), slot(1, loads=planned)))


@pytest.mark.parametrize("temperature_c", [-50.0, 100.0])
def test_the_coldest_and_the_hottest_room_are_accepted(temperature_c):
    parlour = PlannedLoad(name="parlour", power_w=1500.0, temperature_c=temperature_c)
    assert accept(plan(slot(0, loads=(parlour,))))


@pytest.mark.parametrize(
    ("after_s", "over"),
    [
        (0.0, 0.0), (90.0, 0.1), (450.0, 0.5), (900.0 - 1e-9, 1.0), (900.0, 0.0), (1350.0, 0.5),
        (1800.0, 0.0), (2250.0, 0.5), (2699.0, 899.0 / 900.0),
    ],
)  # fmt: skip
def test_how_much_of_a_slot_is_over(after_s, over):
    accepted = accept(plan())
    assert accepted.share_over(T0 + round(after_s * NS_PER_S)) == pytest.approx(over, abs=1e-9)


def test_slots_may_differ_in_length():
    short = slot(0, end=UTC_NOW + timedelta(minutes=5))
    rest = slot(1, start=short.end, end=UTC_NOW + timedelta(minutes=65))
    accepted = accept(plan(short, rest))
    assert accepted.share_over(T0 + 240 * NS_PER_S) == pytest.approx(0.8)
    assert accepted.share_over(T0 + (300 + 900) * NS_PER_S) == pytest.approx(0.25)


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


# Terms beside a mode


def with_terms(mode=SlotMode.HOLD, **terms):
    return plan(slot(0, mode=mode, terms=SlotTerms(**terms)))


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("grid_target_w", -1e6, 1e6),
        ("soc_target_pct", 0.0, 100.0),
        ("soc_ceiling_pct", 0.0, 100.0),
        ("reserve_pct", 0.0, 100.0),
        ("import_max_w", 0.0, 1e6),
        ("export_max_w", 0.0, 1e6),
        ("import_mean_max_w", 0.0, 1e6),
    ],
)
def test_each_term_lies_within_what_makes_sense(name, low, high):
    for value in (low, high):
        accept(with_terms(**{name: value}))
    for value in (low - 0.1, high + 0.1, math.nan, math.inf):
        unit = "%" if name.endswith("_pct") else "W"
        within = re.escape(f"is not within {low:g} to {high:g} {unit}")
        with pytest.raises(PlanRefused, match=f"terms.{name} .* {within}$"):
            accept(with_terms(**{name: value}))


@pytest.mark.parametrize(
    ("mode", "name"),
    [
        (SlotMode.SOC, "soc_target_pct"),
        (SlotMode.PV_OPTIMIZER, "soc_ceiling_pct"),
        (SlotMode.PEAK_SHAVING, "import_max_w"),
        (SlotMode.COMMERCIAL, "import_max_w"),
    ],
)
def test_a_mode_without_what_it_needs_is_refused(mode, name):
    with pytest.raises(PlanRefused, match=f"mode {mode} needs terms.{name}"):
        accept(with_terms(mode))
    accept(with_terms(mode, **{name: 50.0}))
