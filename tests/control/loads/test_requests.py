"""Requests for loads: the share of a slot, or the load's own rule; rooms by their thermometer."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from holdfast.control.loads.requests import LoadRequest, LoadRequests, LoadSource
from holdfast.control.plan_gate import AcceptedPlan
from holdfast.core.commands import Point
from holdfast.core.data_store import DataStore, freeze
from holdfast.core.plan import Plan, PlannedLoad, PlanSlot, PlanStatus
from holdfast.core.signals import SIGNALS, Signal
from holdfast.core.slot_mode import SlotMode
from holdfast.core.state_machine import State
from holdfast.core.units import NS_PER_S
from holdfast.devices.written_point import PointMemory
from tests.builders import T0, build_site, device, load_content, points_of, put, room_content

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SLOT_S = 900
SITE = build_site(
    loads=[
        load_content(),
        load_content(name="pump", without_plan="on"),
        load_content(name="washer", switch=None),
    ],
    rooms=[
        room_content(
            comfort=[
                {"from": "06:00", "to": "22:00", "low_c": 20, "high_c": 22},
                {"low_c": 17, "high_c": 23},
            ]
        ),
        room_content(
            name="den",
            comfort=[
                {"from": "06:00", "to": "22:00", "low_c": 20, "high_c": 22},
                {"low_c": 17, "high_c": 23},
            ],
            switch=device("generic_thermostat"),
        ),
    ],
)
REQUESTS = LoadRequests(SITE, points_of(SITE))
TOLD_ON = {Point.LOAD_ON: PointMemory(value=1.0, written_ns=T0, first_ns=T0)}
TOLD_OFF = {Point.LOAD_ON: PointMemory(value=0.0, written_ns=T0, first_ns=T0)}


def plan_of(*slots, lasts_s=86_400):
    """Slots of a quarter hour from T0 on, each with what it says of loads; not through the gate."""
    quarter = timedelta(seconds=SLOT_S)
    plan = Plan(
        plan_id="p",
        created=NOW,
        expires=NOW + quarter,
        status=PlanStatus.OPTIMAL,
        expected_cost=0.0,
        slots=tuple(
            PlanSlot(
                start=NOW + index * quarter,
                end=NOW + (index + 1) * quarter,
                mode=SlotMode.HOLD,
                battery_power_w=0.0,
                grid_power_w=0.0,
                soc_end_pct=50.0,
                import_price_per_kwh=0.3,
                reason="test",
                loads=tuple(loads),
            )
            for index, loads in enumerate(slots)
        ),
    )
    return AcceptedPlan(
        plan=plan,
        accepted_ns=T0,
        expires_ns=T0 + lasts_s * NS_PER_S,
        starts_ns=tuple(T0 + index * SLOT_S * NS_PER_S for index in range(len(slots))),
        ends_ns=T0 + len(slots) * SLOT_S * NS_PER_S,
    )


def planned(name, power_w, temperature_c=None):
    return PlannedLoad(name=name, power_w=power_w, temperature_c=temperature_c)


def ask(
    name,
    *loads,
    plan=None,
    after_ns=0,
    state=State.RUNNING,
    room_c=21.0,
    sampled_s=0.0,
    memory=None,
    requests=REQUESTS,
):
    now_ns = T0 + after_ns
    store = DataStore(SITE.unit_names, tuple(SITE.switches))
    if room_c is not None:
        for room in ("parlour", "den"):
            sampled_ns = now_ns - round(sampled_s * NS_PER_S)
            put(store, room, Signal.ROOM_TEMPERATURE_C, room_c, sampled_ns)
    plan = plan_of(loads) if loads else plan
    memories = {} if memory is None else {name: memory}
    found = requests.request(freeze(store.image(), now_ns), plan, state, memories)
    assert list(found) == list(SITE.switches)  # the washer is switched by somebody else
    return found[name]


def is_on(*args, **kwargs):
    return ask(*args, **kwargs).on


# The plan. --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("power_w", "on_for_s"),
    [
        (0.0, 0), (99.999, 0), (100.0, 45), (100.001, 45), (500.0, 225), (1000.0, 450),
        (1900.0, 855), (1900.001, 900), (2000.0, 900),
    ],
)  # fmt: skip
def test_a_load_is_on_for_its_share_of_the_slot_from_the_start_of_it(power_w, on_for_s):
    """Below 5 % it is off, above 95 % on for all of it."""
    entry = planned("boiler", power_w)
    for second in range(SLOT_S):
        request = ask("boiler", entry, after_ns=second * NS_PER_S + 500_000_000)
        assert request.on is (second < on_for_s)
        assert (request.source, request.setpoint_c) == (LoadSource.PLAN, None)


def test_the_share_ends_to_the_nanosecond():
    entry = planned("boiler", 1000.0)
    assert is_on("boiler", entry, after_ns=450 * NS_PER_S - 1)
    assert not is_on("boiler", entry, after_ns=450 * NS_PER_S)


@pytest.mark.parametrize("power_w", [math.nan, -math.inf, -1.0])
def test_a_power_that_cannot_be_is_off(power_w):
    assert not is_on("boiler", planned("boiler", power_w))


def test_each_slot_has_its_own_share_and_the_last_one_ends_with_the_plan():
    plan = plan_of(
        [planned("boiler", 1000.0)], [planned("boiler", 0.0)], [planned("boiler", 500.0)]
    )
    on_at = [
        second
        for second in range(0, 3 * SLOT_S, 15)
        if is_on("boiler", plan=plan, after_ns=second * NS_PER_S)
    ]
    assert on_at == [*range(0, 450, 15), *range(1800, 2025, 15)]
    assert ask("boiler", plan=plan, after_ns=3 * SLOT_S * NS_PER_S).source is LoadSource.LOCAL_RULE


def test_the_reason_says_what_is_planned():
    assert ask("boiler", planned("boiler", 600.0)).reason == (
        "planned for the first 30 % of this slot"
    )


def test_of_a_load_the_full_power_is_its_own():
    requests = ask("parlour", planned("parlour", 750.0), after_ns=449 * NS_PER_S)
    assert requests.on
    assert not ask("parlour", planned("parlour", 750.0), after_ns=450 * NS_PER_S).on


# Without a plan. ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"plan": plan_of([planned("washer", 2000.0)])},
        {"plan": plan_of([]), "after_ns": SLOT_S * NS_PER_S},
        {"plan": plan_of([planned("boiler", 2000.0)], lasts_s=10), "after_ns": 10 * NS_PER_S},
    ],
    ids=["no plan", "not named", "after the last slot", "expired"],
)
def test_without_a_plan_for_it_a_load_does_what_its_own_rule_says(how):
    local = LoadSource.LOCAL_RULE
    assert ask("boiler", **how) == LoadRequest(
        on=False, setpoint_c=None, source=local, reason="no plan for it: off"
    )
    assert ask("pump", **how) == LoadRequest(
        on=True, setpoint_c=None, source=local, reason="no plan for it: on"
    )
    assert ask("parlour", **how).source is local


def test_a_load_that_the_plan_names_follows_it_beside_one_that_it_does_not():
    entry = planned("pump", 0.0)
    assert ask("pump", entry).source is LoadSource.PLAN
    assert not is_on("pump", entry)
    assert ask("boiler", entry).source is LoadSource.LOCAL_RULE


@pytest.mark.parametrize("state", list(State))
def test_in_error_no_plan_is_followed_and_in_every_other_state_it_is(state):
    request = ask("boiler", planned("boiler", 2000.0), state=state)
    in_error = state is State.ERROR
    assert request.source is (LoadSource.LOCAL_RULE if in_error else LoadSource.PLAN)
    assert request.on is not in_error


# Rooms with a relay. -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("room_c", "was_off", "was_on"),
    [
        (5.0, True, True), (19.9, True, True), (20.0, True, True), (20.001, False, True),
        (20.499, False, True), (20.5, False, False), (25.0, False, False),
    ],
)  # fmt: skip
def test_without_a_plan_a_room_is_kept_at_the_warmest_lower_end(room_c, was_off, was_on):
    assert is_on("parlour", room_c=room_c, memory=TOLD_OFF) is was_off
    assert is_on("parlour", room_c=room_c, memory=TOLD_ON) is was_on
    for never_told in (None, {}):
        assert is_on("parlour", room_c=room_c, memory=never_told) is was_off
    request = ask("parlour", room_c=room_c)
    assert request.source is LoadSource.LOCAL_RULE
    assert request.setpoint_c is None
    assert request.reason == f"no plan for it: {room_c:g} °C, to be 20 to 20.5 °C"


def room_site(low_c, high_c):
    rooms = [
        room_content(comfort=[{"low_c": low_c, "high_c": high_c}]),
        room_content(name="den", switch=device("generic_thermostat")),
    ]
    return build_site(loads=SITE.loads, rooms=rooms)


@pytest.mark.parametrize(
    ("high_c", "off_c"), [(20.0, 20.0), (20.3, 20.3), (20.5, 20.5), (20.6, 20.5)]
)
def test_a_narrow_comfort_is_not_left_upwards(high_c, off_c):
    site = room_site(20.0, high_c)
    requests = LoadRequests(site, points_of(site))
    ways = {"memory": TOLD_ON, "requests": requests}
    assert is_on("parlour", room_c=off_c - 0.001, **ways)
    assert not is_on("parlour", room_c=off_c, **ways)


@pytest.mark.parametrize(
    ("room_c", "was_off", "was_on"),
    [
        (5.0, True, True), (22.5, True, True), (22.79, True, True), (22.81, False, True),
        (22.999, False, True), (23.0, False, False), (30.0, False, False),
    ],
)  # fmt: skip
def test_a_plan_heats_no_room_above_its_highest_upper_end(room_c, was_off, was_on):
    """At night it is 23 °C. Just below it a relay does not flicker with the thermometer."""
    entry = planned("parlour", 1500.0, 40.0)
    assert is_on("parlour", entry, room_c=room_c, memory=TOLD_OFF) is was_off
    assert is_on("parlour", entry, room_c=room_c, memory=TOLD_ON) is was_on
    request = ask("parlour", entry, room_c=room_c, memory=TOLD_ON)
    assert request.source is LoadSource.PLAN
    assert request.setpoint_c is None
    assert request.reason == (
        "planned for the first 100 % of this slot"
        if was_on
        else f"warm enough: {room_c:g} °C, at most 23 °C"
    )


def test_the_band_below_the_upper_end_is_a_fifth_of_a_kelvin_and_belongs_to_heating():
    site = room_site(10.0, 20.5)
    requests = LoadRequests(site, points_of(site))
    entry = planned("parlour", 1500.0)
    assert is_on("parlour", entry, room_c=20.5 - 0.2, requests=requests)
    assert not is_on("parlour", entry, room_c=20.5 - 0.199, requests=requests)


def test_a_cold_room_waits_for_its_share_of_the_slot():
    entry = planned("parlour", 0.0, 21.0)
    assert not is_on("parlour", entry, room_c=15.0, memory=TOLD_ON)


# Thermostats. ------------------------------------------------------------------------------------


@pytest.mark.parametrize("room_c", [5.0, 20.2, 30.0])
@pytest.mark.parametrize("memory", [None, TOLD_ON])
def test_a_thermostat_without_a_plan_keeps_the_warmest_lower_end_by_itself(room_c, memory):
    assert ask("den", room_c=room_c, memory=memory) == LoadRequest(
        on=True,
        setpoint_c=20.0,
        source=LoadSource.LOCAL_RULE,
        reason="the thermostat heats by itself",
    )


@pytest.mark.parametrize(
    ("planned_c", "setpoint_c"),
    [
        (-50.0, 17.0), (16.9, 17.0), (17.0, 17.0), (17.1, 17.1), (21.3, 21.3), (22.9, 22.9),
        (23.0, 23.0), (23.1, 23.0), (math.inf, 23.0), (-math.inf, 17.0), (math.nan, 17.0),
        (None, 20.0),
    ],
)  # fmt: skip
@pytest.mark.parametrize("power_w", [0.0, 700.0, 1500.0])
def test_a_thermostat_is_told_the_planned_temperature_within_all_of_the_comfort(
    planned_c, setpoint_c, power_w
):
    """Its share of the slot does not count: it heats when the room is colder."""
    for after_s in (0, 899):
        request = ask("den", planned("den", power_w, planned_c), after_ns=after_s * NS_PER_S)
        assert request == LoadRequest(
            on=True, setpoint_c=setpoint_c, source=LoadSource.PLAN,
            reason="the thermostat heats by itself",
        )  # fmt: skip


# A thermometer that cannot be read. --------------------------------------------------------------


@pytest.mark.parametrize("how", ["missing", "stale", "bad"])
@pytest.mark.parametrize("entry", [None, 1500.0])
@pytest.mark.parametrize("room", ["parlour", "den"])
def test_a_room_whose_temperature_is_not_known_is_not_heated(how, entry, room):
    age_s = SIGNALS[Signal.ROOM_TEMPERATURE_C].max_age_s + 0.001 if how == "stale" else 0.0
    room_c = {"missing": None, "stale": 10.0, "bad": math.nan}[how]
    loads = () if entry is None else (planned(room, entry, 21.0),)
    request = ask(room, *loads, room_c=room_c, sampled_s=age_s, memory=TOLD_ON)
    assert not request.on
    assert request.reason == "how warm it is cannot be read"
    assert request.source is (LoadSource.LOCAL_RULE if entry is None else LoadSource.PLAN)


def test_a_reading_that_is_just_young_enough_counts():
    assert is_on("parlour", room_c=10.0, sampled_s=60.0)


def test_the_requests_hold_no_state():
    first = ask("parlour", room_c=20.2, memory=TOLD_ON)
    assert not is_on("parlour", room_c=20.2, memory=TOLD_OFF)
    assert ask("parlour", room_c=20.2, memory=TOLD_ON) == first
    told = {Point.LOAD_ON: replace(TOLD_ON[Point.LOAD_ON], written_ns=T0 - 1)}
    assert ask("parlour", room_c=20.2, memory=told) == first
