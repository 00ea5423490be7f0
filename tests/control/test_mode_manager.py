"""The mode manager: the ladder from plan to passive, and what each mode asks for."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from holdfast.control.connection.band import SLACK_W
from holdfast.control.kept_out import KEPT_OUT
from holdfast.control.mode_manager import (
    NOTHING_BEFORE,
    REQUEST_LIFETIME_NS,
    LastCycle,
    ModeManager,
    ModeMemory,
)
from holdfast.control.plan_gate import accept_plan
from holdfast.control.regulation.regulator import RegulationMemory, RegulatorWish
from holdfast.control.request import Request
from holdfast.control.transfer import Leader, TransferMemory
from holdfast.core.asked_slot import AskedBy, SlotTerms
from holdfast.core.data_store import freeze
from holdfast.core.plan import Plan, PlanSlot, PlanStatus
from holdfast.core.reading import Good
from holdfast.core.signals import SIGNALS, SITE, Signal
from holdfast.core.slot_mode import NEEDS, SlotMode
from holdfast.core.state_machine import State
from holdfast.core.units import NS_PER_S, ns_from_s
from holdfast.safety.rest_of_site import RestFollower, RestMemory
from tests.builders import (
    LOAD,
    T0,
    build_site,
    device,
    healthy_store,
    put,
    snapshot_of,
    unit_content,
)

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def plan(mode=SlotMode.POWER, power_w=0.0, minutes=60, *, expires_s=3600.0):
    slot = PlanSlot(
        start=NOW,
        end=NOW + timedelta(minutes=minutes),
        mode=mode,
        battery_power_w=power_w,
        grid_power_w=0.0,
        soc_end_pct=50.0,
        import_price_per_kwh=0.3,
        reason="the plan's reason",
        terms=SlotTerms(**{NEEDS[mode]: 50.0} if mode in NEEDS else {}),
    )
    whole = Plan(
        plan_id="p",
        created=NOW,
        expires=NOW + timedelta(seconds=expires_s),
        status=PlanStatus.OPTIMAL,
        expected_cost=0.0,
        slots=(slot,),
    )
    return accept_plan(whole, now_ns=T0, utc=NOW, site=build_site())


def request_of(manager, snapshot, accepted, state):
    """What is asked in the first cycle."""
    return manager.step(snapshot, accepted, state, ModeMemory()).request


def followed(store, units):
    """What a cycle sees of ``store``: with what is left of the meter without the batteries."""
    snapshot, _ = RestFollower(units).follow(freeze(store.image(), T0), RestMemory())
    return snapshot


def request(grid_w=0.0, battery_w=0.0, accepted=None, state=State.RUNNING, now_ns=T0):
    site = build_site()
    snapshot = snapshot_of(
        {Signal.GRID_POWER_W: grid_w, Signal.BATTERY_POWER_W: battery_w}, now_ns=now_ns
    )
    return request_of(ModeManager(site), snapshot, accepted, state)


@pytest.mark.parametrize("state", [state for state in State if state is not State.RUNNING])
def test_outside_running_nothing_is_asked_whatever_the_plan_says(state):
    asked = request(accepted=plan(power_w=3000.0), state=state)
    assert (asked.power_w, asked.source, asked.mode) == (0.0, AskedBy.PASSIVE, SlotMode.PASSIVE)
    assert state.name in asked.reason


def test_with_a_valid_plan_the_plan_is_followed_and_its_reason_told():
    asked = request(accepted=plan(power_w=-1234.0))
    assert (asked.power_w, asked.source, asked.reason) == (
        -1234.0,
        AskedBy.PLAN,
        "the plan's reason",
    )
    assert asked.expires_ns == T0 + REQUEST_LIFETIME_NS


def test_where_the_worth_of_stored_energy_decides_it_is_told_by_which_marks():
    asked = request(accepted=plan(SlotMode.STORED_VALUE))
    assert asked.reason == "the plan's reason; serves above 50 %"


@pytest.mark.parametrize("minutes_later", [None, 30, 61])
def test_without_a_slot_that_is_valid_now_the_site_serves_itself(minutes_later):
    accepted = None if minutes_later is None else plan(power_w=5000.0, minutes=30)
    now_ns = T0 + (minutes_later or 0) * 60 * NS_PER_S
    asked = request(grid_w=700.0, accepted=accepted, now_ns=now_ns)
    assert (asked.power_w, asked.source) == (-700.0, AskedBy.DEFAULT)


def test_a_plan_that_expires_within_its_dwell_ends_all_the_same():
    manager, memory, led = ModeManager(build_site()), ModeMemory(), []
    accepted = plan(power_w=5000.0, expires_s=2.0)
    for second in range(4):
        snapshot = snapshot_of(
            {Signal.GRID_POWER_W: 700.0, Signal.BATTERY_POWER_W: 0.0}, now_ns=T0 + second * NS_PER_S
        )
        asked = manager.step(snapshot, accepted, State.RUNNING, memory)
        memory = asked.memory
        led.append(asked.request.source)
    assert led == [AskedBy.PLAN, AskedBy.PLAN, AskedBy.DEFAULT, AskedBy.DEFAULT]


@pytest.mark.parametrize("signal", [Signal.GRID_POWER_W, Signal.BATTERY_POWER_W])
@pytest.mark.parametrize("how", ["missing", "nan", "stale"])
def test_without_meter_or_battery_nothing_is_asked_even_with_a_plan(signal, how):
    age_ns = SIGNALS[signal].max_age_ns + 1 if how == "stale" else 0
    values = {signal: {"missing": None, "nan": math.nan, "stale": 0.0}[how]}
    snapshot = snapshot_of(values, now_ns=T0, sampled_ns=T0 - age_ns)
    asked = request_of(ModeManager(build_site()), snapshot, plan(power_w=2000.0), State.RUNNING)
    assert (asked.power_w, asked.source) == (0.0, AskedBy.PASSIVE)
    assert asked.reason == "meter or battery cannot be read"


@pytest.mark.parametrize(
    ("mode", "grid_w", "battery_w", "power_w"),
    [
        # rest of the site = grid - battery: + it needs power, - it has a surplus
        (SlotMode.SELF_CONSUMPTION, 800.0, 0.0, -800.0),
        (SlotMode.SELF_CONSUMPTION, -900.0, 0.0, 900.0),
        (SlotMode.SELF_CONSUMPTION, 0.0, -800.0, -800.0),  # already done: stays
        (SlotMode.SELF_CONSUMPTION, 100.0, -800.0, -900.0),
        (SlotMode.HOLD, 800.0, 0.0, 0.0),
        (SlotMode.HOLD, -900.0, 0.0, 900.0),
        (SlotMode.HOLD, 0.0, 900.0, 900.0),
        (SlotMode.POWER, 800.0, 0.0, 250.0),
        (SlotMode.POWER, -800.0, 500.0, 250.0),
    ],
)
def test_what_each_mode_asks_for(mode, grid_w, battery_w, power_w):
    assert request(grid_w, battery_w, plan(mode, 250.0)).power_w == power_w


def test_the_rest_of_the_site_leaves_out_all_batteries():
    site = build_site(unit_content("left"), unit_content("right"))
    store = healthy_store(site.unit_names)
    put(store, "site", Signal.GRID_POWER_W, 100.0, T0)
    put(store, "left", Signal.BATTERY_POWER_W, -300.0, T0)
    put(store, "right", Signal.BATTERY_POWER_W, -500.0, T0)
    snapshot = followed(store, site.unit_names)
    assert request_of(ModeManager(site), snapshot, None, State.RUNNING).power_w == -900.0


def test_it_is_the_rest_of_the_site_that_is_followed_and_not_the_meter_of_the_moment():
    """A slow meter still shows what was; see safety/rest_of_site.py."""
    snapshot = snapshot_of({Signal.GRID_POWER_W: 800.0})
    of_site = {
        **snapshot.readings[SITE],
        Signal.REST_OF_SITE_W: Good(value=300.0, time_ns=T0),
    }
    snapshot = replace(snapshot, readings={**snapshot.readings, SITE: of_site})
    asked = request_of(ModeManager(build_site()), snapshot, None, State.RUNNING)
    assert asked.power_w == -300.0


@pytest.mark.parametrize("grid_w", [800.0, None])
def test_nothing_is_asked_of_an_island_for_its_load_decides(grid_w):
    values = {Signal.GRID_POWER_W: grid_w, Signal.GRID_VOLTAGE_V: 0.0, Signal.ISLANDED: 1.0}
    snapshot = snapshot_of(values)
    asked = request_of(ModeManager(build_site()), snapshot, None, State.RUNNING)
    assert (asked.power_w, asked.source) == (0.0, AskedBy.PASSIVE)
    assert asked.reason == "an island: its load decides the power"


@pytest.mark.parametrize(("after_s", "reason"), [(59.9, "the grid is back"), (60.0, "nobody asks")])
def test_once_the_grid_is_back_nothing_is_asked_for_a_minute(after_s, reason):
    manager = ModeManager(build_site())
    island = {Signal.GRID_VOLTAGE_V: 0.0, Signal.ISLANDED: 1.0}
    memory = ModeMemory()
    for values, at_s in ((island, 0.0), (island, 5.0), ({}, 5.0 + after_s)):
        snapshot = snapshot_of(values, now_ns=T0 + ns_from_s(at_s))
        asked = manager.step(snapshot, None, State.RUNNING, memory)
        memory = asked.memory
    assert asked.request.reason.startswith(reason)
    assert (asked.request.source is AskedBy.PASSIVE) is (reason == "the grid is back")


def test_an_island_that_the_meter_denies_is_none_and_the_site_serves_itself():
    snapshot = snapshot_of({Signal.GRID_POWER_W: 800.0, Signal.ISLANDED: 1.0})
    asked = request_of(ModeManager(build_site()), snapshot, None, State.RUNNING)
    assert (asked.power_w, asked.source) == (-800.0, AskedBy.DEFAULT)


def test_one_unit_on_an_island_is_enough():
    site = build_site(unit_content("left"), unit_content("right"))
    store = healthy_store(site.unit_names)
    put(store, SITE, Signal.GRID_POWER_W, 800.0, T0)
    put(store, SITE, Signal.GRID_VOLTAGE_V, 0.0, T0)
    manager = ModeManager(site)
    seen = followed(store, site.unit_names)
    assert request_of(manager, seen, None, State.RUNNING).power_w == -800.0
    put(store, "right", Signal.ISLANDED, 1.0, T0)
    seen = followed(store, site.unit_names)
    assert request_of(manager, seen, None, State.RUNNING).power_w == 0.0


# How much may be exported

EXPORT_MAX_W = build_site().grid.export_max_w


def limited_to(export_limit_w, **how):
    """A plan whose slot says so; nothing that the plan gate would let pass has to be in it."""
    accepted = plan(**how)
    (slot,) = accepted.plan.slots
    slots = (replace(slot, export_limit_w=export_limit_w),)
    return replace(accepted, plan=replace(accepted.plan, slots=slots))


@pytest.mark.parametrize(
    ("asked_w", "limit_w"),
    [
        (None, EXPORT_MAX_W), (100.0, 100.0), (0.0, 0.0), (0.5, 0.5), (EXPORT_MAX_W, EXPORT_MAX_W),
        (EXPORT_MAX_W - 0.1, EXPORT_MAX_W - 0.1), (EXPORT_MAX_W + 0.1, EXPORT_MAX_W),
        (math.inf, EXPORT_MAX_W), (-0.1, 0.0), (-math.inf, 0.0), (math.nan, 0.0),
    ],
)  # fmt: skip
def test_the_plan_limits_the_export_within_what_the_grid_connection_permits(asked_w, limit_w):
    assert request(accepted=limited_to(asked_w)).export_limit_w == limit_w


@pytest.mark.parametrize("mode", SlotMode)
def test_the_export_is_limited_whatever_the_battery_does(mode):
    assert request(accepted=limited_to(100.0, mode=mode)).export_limit_w == 100.0


@pytest.mark.parametrize("state", [state for state in State if state is not State.RUNNING])
def test_while_the_site_does_not_run_nobody_throttles_its_pv(state):
    asked = request(accepted=limited_to(100.0), state=state)
    assert asked.export_limit_w == EXPORT_MAX_W


@pytest.mark.parametrize("minutes_later", [None, 30, 61])
def test_without_a_slot_for_now_the_export_limit_is_that_of_the_grid_connection(minutes_later):
    accepted = None if minutes_later is None else limited_to(100.0, minutes=30)
    now_ns = T0 + (minutes_later or 0) * 60 * NS_PER_S
    assert request(accepted=accepted, now_ns=now_ns).export_limit_w == EXPORT_MAX_W


def test_the_export_limit_stays_while_the_battery_cannot_follow():
    """A meter that is lost for a second must cost no writes to a register that wears out."""
    island = {Signal.ISLANDED: 1.0, Signal.GRID_VOLTAGE_V: 0.0}
    for values in ({Signal.GRID_POWER_W: None}, island):
        asked = request_of(
            ModeManager(build_site()),
            snapshot_of(values),
            limited_to(100.0, power_w=2000.0),
            State.RUNNING,
        )
        assert (asked.power_w, asked.source) == (0.0, AskedBy.PASSIVE)
        assert asked.export_limit_w == 100.0


def test_a_site_that_may_export_nothing_is_limited_to_nothing():
    site = build_site(grid={"import_max_w": 10_000, "export_max_w": 0})
    asked = request_of(ModeManager(site), snapshot_of(), limited_to(100.0), State.RUNNING)
    assert asked.export_limit_w == 0.0
    assert request_of(ModeManager(site), snapshot_of(), None, State.BOOT).export_limit_w == 0.0


# Whether PV is on

IMPORT_MAX_W = 16_000.0
OFF_W, STAYS_OFF_W = 0.9 * IMPORT_MAX_W, 0.95 * IMPORT_MAX_W
"""PV goes off up to this import, and stays off up to this."""


def switched_off(**how):
    """A plan whose slot has PV off."""
    accepted = plan(**how)
    (slot,) = accepted.plan.slots
    return replace(
        accepted, plan=replace(accepted.plan, slots=(replace(slot, pv_on=False, reason="paid"),))
    )


def pv_on(values=None, accepted=None, state=State.RUNNING, now_ns=T0):
    """At rest, with 3 kW of PV for a load of 1 kW, unless ``values`` say otherwise."""
    seen = {Signal.GRID_POWER_W: -2000.0, Signal.PV_POWER_W: 3000.0} | (values or {})
    grid = {"import_max_w": IMPORT_MAX_W, "export_max_w": 3000}
    manager = ModeManager(build_site(grid=grid))
    return request_of(manager, snapshot_of(seen, now_ns=now_ns), accepted, state).pv_on


def test_pv_is_off_while_a_plan_says_so_and_it_is_asked_for_by_nobody_else():
    assert pv_on(accepted=switched_off()) is False
    assert pv_on(accepted=plan()) is True
    assert pv_on() is True
    for state in State:
        assert pv_on(accepted=switched_off(), state=state) is (state is not State.RUNNING)
    assert pv_on(accepted=switched_off(minutes=30), now_ns=T0 + 30 * 60 * NS_PER_S) is True
    asked = Request(power_w=1.0, source=AskedBy.PLAN, reason="", expires_ns=T0)
    assert asked.pv_on is True


@pytest.mark.parametrize(
    "lost",
    [
        {Signal.GRID_POWER_W: None}, {Signal.PV_POWER_W: None}, {Signal.BATTERY_POWER_W: None},
        {Signal.ISLANDED: 1.0, Signal.GRID_VOLTAGE_V: 0.0},
    ],
)  # fmt: skip
def test_pv_stays_on_while_the_load_is_not_known_and_on_an_island(lost):
    assert pv_on(lost, switched_off()) is True


@pytest.mark.parametrize("pv_w", [0.0, 3000.0, 12_000.0])
@pytest.mark.parametrize(
    ("load_w", "mode", "power_w", "charge_w"),
    [
        (OFF_W, SlotMode.HOLD, 0.0, 0.0), (OFF_W, SlotMode.SELF_CONSUMPTION, 0.0, 0.0),
        (OFF_W, SlotMode.POWER, 0.0, 0.0), (OFF_W - 2000.0, SlotMode.POWER, 2000.0, 2000.0),
        (OFF_W, SlotMode.POWER, -2000.0, 0.0),
    ],
)  # fmt: skip
def test_pv_is_off_only_while_load_and_charging_leave_room_whatever_pv_does(
    pv_w, load_w, mode, power_w, charge_w
):
    """A discharge does not count: it may end at once."""
    accepted = switched_off(mode=mode, power_w=power_w)
    for shown, most_w in ((None, OFF_W), (1.0, OFF_W), (0.0, STAYS_OFF_W)):
        more_w = most_w - load_w - charge_w
        for beside_w, on in ((more_w - 0.01, False), (more_w + 0.01, True)):
            values = {
                Signal.GRID_POWER_W: load_w + beside_w - pv_w,
                Signal.PV_POWER_W: pv_w,
                Signal.PV_ON: shown,
            }
            assert pv_on(values, accepted) is on


def test_exactly_as_much_room_as_is_kept_is_enough():
    values = {Signal.GRID_POWER_W: OFF_W, Signal.PV_POWER_W: 0.0}
    assert pv_on(values, switched_off(mode=SlotMode.HOLD)) is False


def test_pv_that_one_of_two_inverters_keeps_off_counts_as_off():
    grid = {"import_max_w": IMPORT_MAX_W, "export_max_w": 3000}
    site = build_site(unit_content("left"), unit_content("right"), grid=grid)
    for left, right, on in ((0.0, 1.0, False), (1.0, 0.0, False), (1.0, 1.0, True)):
        store = healthy_store(site.unit_names)
        put(store, SITE, Signal.GRID_POWER_W, STAYS_OFF_W - 1.0, T0)
        put(store, SITE, Signal.PV_POWER_W, 0.0, T0)
        for unit, shown in (("left", left), ("right", right)):
            put(store, unit, Signal.PV_ON, shown, T0)
            put(store, unit, Signal.BATTERY_POWER_W, 0.0, T0)
        seen = followed(store, site.unit_names)
        asked = request_of(ModeManager(site), seen, switched_off(mode=SlotMode.HOLD), State.RUNNING)
        assert asked.pv_on is on


def test_a_power_that_is_no_number_leaves_pv_on():
    accepted = switched_off()
    (slot,) = accepted.plan.slots
    slots = (replace(slot, battery_power_w=math.nan),)
    assert pv_on(accepted=replace(accepted, plan=replace(accepted.plan, slots=slots))) is True


# The reserve for an outage


def asked_at(soc_pct, *, reserve=30.0, battery_w=0.0, grid_w=2000.0, accepted=None, **operation):
    content = unit_content()
    content["operation"] = (
        content.get("operation", {}) | {"backup_reserve_pct": reserve} | operation
    )
    values = {
        Signal.GRID_POWER_W: grid_w,
        Signal.BATTERY_POWER_W: battery_w,
        Signal.SOC_PCT: soc_pct,
    }
    snapshot = snapshot_of(values, now_ns=T0)
    return request_of(ModeManager(build_site(content)), snapshot, accepted, State.RUNNING)


def test_what_is_kept_for_an_outage_serves_no_load_while_the_grid_is_there():
    assert asked_at(30.00005).power_w == -2000.0
    for soc_pct in (30.0, 29.999, 12.0):
        asked = asked_at(soc_pct)
        assert asked.power_w == 0.0
        assert "reserve" in asked.reason
        assert asked.source is AskedBy.DEFAULT


def test_the_reserve_stops_a_plan_that_sells_but_not_one_that_charges():
    assert asked_at(30.0, accepted=plan(power_w=-1500.0)).power_w == 0.0
    assert asked_at(30.0, accepted=plan(power_w=1500.0)).power_w == 1500.0
    assert asked_at(30.0, grid_w=-2000.0).power_w == 2000.0


def test_any_discharge_is_stopped_at_the_reserve_and_nothing_else():
    assert asked_at(30.0, grid_w=0.5).power_w == 0.0
    assert asked_at(30.0, grid_w=-0.5).power_w == 0.5
    still = asked_at(30.0, grid_w=0.0)
    assert still.power_w == 0.0
    assert "reserve" not in still.reason


def test_the_smallest_reserve_counts():
    assert asked_at(0.4, reserve=0.5, soc_min_pct=0.0).power_w == 0.0


def test_without_a_reserve_nothing_is_kept():
    assert asked_at(5.0, reserve=0.0).power_w == -2000.0


def test_a_reserve_below_the_minimum_is_the_minimum():
    assert asked_at(19.0, reserve=5.0, soc_min_pct=20.0).power_w == 0.0
    assert asked_at(21.0, reserve=5.0, soc_min_pct=20.0).power_w == -2000.0


def test_a_state_of_charge_that_cannot_be_read_counts_as_the_reserve():
    assert asked_at(None).power_w == 0.0


def test_the_reserve_is_that_of_all_units_together():
    units = [unit_content("one"), unit_content("two")]
    units[0]["operation"] = {"backup_reserve_pct": 40.0}
    units[1]["battery"]["capacity_wh"] = 20_000
    units[1]["operation"] = {"soc_min_pct": 20.0}  # and no reserve
    manager = ModeManager(build_site(*units))

    def power_w(one_pct, two_pct):
        store = healthy_store(("one", "two"))
        put(store, SITE, Signal.GRID_POWER_W, 2000.0, T0)
        for unit, soc_pct in (("one", one_pct), ("two", two_pct)):
            put(store, unit, Signal.SOC_PCT, soc_pct, T0)
            put(store, unit, Signal.BATTERY_POWER_W, 0.0, T0)
        seen = followed(store, ("one", "two"))
        return request_of(manager, seen, None, State.RUNNING).power_w

    # Two units of 10 and 20 kWh: 5 % below in the one are 2.5 % above in the other.
    assert power_w(35.0, 22.6) == -2000.0
    assert power_w(35.0, 22.5) == 0.0


def test_a_wish_lasts_for_a_second():
    assert REQUEST_LIFETIME_NS == NS_PER_S
    asked = request_of(ModeManager(build_site()), snapshot_of(), None, State.RUNNING)
    assert asked.expires_ns == T0 + NS_PER_S


def test_a_request_that_says_nothing_of_it_asks_for_no_export():
    request = Request(power_w=1.0, source=AskedBy.PLAN, reason="", expires_ns=T0)
    assert request.export_limit_w == 0.0
    assert (request.mode, request.urgent) == (SlotMode.PASSIVE, False), "nor for haste, or a mode"


# Who leads, what keeps his wish, and what would be asked instead


def asking(mode, power_w=0.0, *, by=AskedBy.PLAN, minutes=60, **terms):
    accepted = plan(SlotMode.POWER, minutes=minutes)
    (slot,) = accepted.plan.slots
    slot = replace(slot, mode=mode, by=by, battery_power_w=power_w)
    slots = (replace(slot, terms=SlotTerms(**terms)),)
    return replace(accepted, plan=replace(accepted.plan, slots=slots))


def asked_whole(
    accepted=None,
    *,
    grid_w=0.0,
    soc_pct=50.0,
    unit=None,
    memory=None,
    last=NOTHING_BEFORE,
    state=State.RUNNING,
    **site,
):
    values = {
        Signal.GRID_POWER_W: grid_w,
        Signal.BATTERY_POWER_W: 0.0,
        Signal.SOC_PCT: soc_pct,
    }
    manager = ModeManager(build_site(unit_content() if unit is None else unit, **site))
    seen = snapshot_of(values)
    return manager.step(seen, accepted, state, memory or ModeMemory(), last=last)


def asked_of(accepted=None, **how):
    return asked_whole(accepted, **how).request


@pytest.mark.parametrize("mode", [mode for mode in SlotMode if mode is not SlotMode.POWER])
def test_the_mode_that_leads_is_told_with_who_asked_for_it(mode):
    accepted = asking(
        mode,
        by=AskedBy.SCHEDULE,
        soc_target_pct=60.0,
        import_max_w=5000.0,
        soc_ceiling_pct=90.0,
    )
    asked = asked_of(accepted)
    assert (asked.source, asked.mode) == (AskedBy.SCHEDULE, mode)


@pytest.mark.parametrize("by", [by for by in AskedBy if by < AskedBy.PASSIVE or by > AskedBy.PLAN])
@pytest.mark.parametrize(
    ("mode", "power_w"),
    [(SlotMode.HOLD, 0.0), (SlotMode.POWER, 2000.0), (SlotMode.PASSIVE, 0.0)],
)
def test_a_cap_at_the_meter_stands_above_every_asker(by, mode, power_w):
    """C2: a hold for a cheaper hour is no reason to pay a month's fee."""
    accepted = asking(mode, power_w, by=by, import_max_w=3000.0)
    asked = asked_of(accepted, grid_w=5000.0)
    assert asked.power_w == -2000.0
    assert asked.urgent
    assert asked.kept_by == ("import_max",)
    assert asked.reason == "the plan's reason; kept by import_max"


def test_a_cap_of_the_site_holds_whoever_asks_and_the_tighter_one_counts():
    modes = {"import_max_w": 3000.0}
    assert asked_of(grid_w=5000.0, modes=modes).power_w == -5000.0, "as it was asked anyway"
    hold = asking(SlotMode.HOLD)
    assert asked_of(hold, grid_w=5000.0, modes=modes).power_w == -2000.0
    tighter = asking(SlotMode.HOLD, import_max_w=1000.0)
    assert asked_of(tighter, grid_w=5000.0, modes=modes).power_w == -4000.0


@pytest.mark.parametrize(
    ("before_w", "set_w", "urgent"),
    [(-2000.0, -2000.0, False), (0.0, -2000.0, True), (-2000.0, 0.0, True), (0.0, 0.0, True)],
)
def test_a_limit_is_urgent_while_what_was_asked_or_what_was_set_is_outside(before_w, set_w, urgent):
    hold = asking(SlotMode.HOLD, import_max_w=3000.0)
    leader = Leader(by=AskedBy.PLAN, mode=SlotMode.HOLD, reason="")
    before = TransferMemory(leader=leader, since_ns=T0, power_w=before_w)
    last = LastCycle(setpoint_w=set_w)
    asked = asked_of(hold, grid_w=5000.0, memory=ModeMemory(transfer=before), last=last)
    assert (asked.power_w, asked.urgent) == (-2000.0, urgent)


@pytest.mark.parametrize(
    ("grid_w", "terms"), [(3000.0, {"import_max_w": 3000.0}), (-1000.0, {"export_max_w": 1000.0})]
)
def test_in_the_first_cycle_a_battery_that_rests_almost_where_it_should_has_time(grid_w, terms):
    rests = asking(SlotMode.PASSIVE, **terms)
    for beyond_w, urgent in ((SLACK_W - 0.5, False), (SLACK_W + 0.5, True)):
        asked = asked_of(rests, grid_w=grid_w + math.copysign(beyond_w, grid_w))
        assert (abs(asked.power_w), asked.urgent) == (beyond_w, urgent)


def test_what_comes_back_from_the_mode_before_keeps_the_limits_on_its_way():
    leader = Leader(by=AskedBy.PLAN, mode=SlotMode.POWER, reason="")
    before = TransferMemory(leader=leader, since_ns=0, power_w=-1010.0, easing=True)
    asked = asked_of(
        asking(SlotMode.PASSIVE, export_max_w=1000.0), memory=ModeMemory(transfer=before)
    )
    assert (asked.power_w, asked.urgent) == (-1000.0, False)


def test_a_car_that_the_battery_never_serves_is_left_out_whatever_the_mode():
    car = {"name": LOAD, "meter": device("generic_load_meter"), "from_battery": False}
    manager = ModeManager(build_site(metered_loads=[car]))
    values = {
        Signal.GRID_POWER_W: 4600.0, Signal.BATTERY_POWER_W: 0.0, Signal.LOAD_POWER_W: 4000.0
    }  # fmt: skip
    for accepted in (None, asking(SlotMode.POWER, -5000.0)):
        asked = request_of(manager, snapshot_of(values), accepted, State.RUNNING)
        assert (asked.power_w, asked.kept_by) == (-600.0, (KEPT_OUT,))


# What is regulated, and what is learned of a device by that


def regulating(accepted, memory=None, **how):
    """Whether the manager's memory says so after a cycle."""
    return asked_whole(accepted, memory=memory, **how).memory.regulation.is_regulating


@pytest.mark.parametrize(
    ("mode", "power_w", "terms", "regulated"),
    [
        (SlotMode.SELF_CONSUMPTION, 0.0, {}, True),
        (SlotMode.HOLD, 0.0, {}, False),
        (SlotMode.POWER, -5000.0, {}, False),
        (SlotMode.POWER, 5000.0, {}, False),
        (SlotMode.POWER, -5000.0, {"export_max_w": 1000.0}, True),
        (SlotMode.POWER, 5000.0, {"import_max_w": 3000.0}, True),
    ],
)
def test_a_power_is_regulated_at_the_meter_where_a_mode_or_a_limit_there_decides_it(
    mode, power_w, terms, regulated
):
    assert regulating(asking(mode, power_w, **terms)) is regulated


def test_what_the_battery_is_asked_is_what_the_meter_is_expected_to_lose():
    """So a meter at 0 W, where a load of 1 kW is served, is at its aim."""
    manager, memory = ModeManager(build_site()), ModeMemory()
    for second in range(60):
        values = {Signal.GRID_POWER_W: second % 2, Signal.BATTERY_POWER_W: -1000.0}
        seen = snapshot_of(values, now_ns=T0 + second * NS_PER_S)
        memory = manager.step(seen, None, State.RUNNING, memory).memory
    assert manager.regulator.quality(memory.regulation).rms_w < 2.0


def test_what_still_comes_back_from_the_mode_before_is_not_regulated():
    leader = Leader(by=AskedBy.PLAN, mode=SlotMode.POWER, reason="")
    before = TransferMemory(leader=leader, since_ns=0, power_w=-5000.0)
    memory = ModeMemory(transfer=before, time_ns=T0 - NS_PER_S // 50)
    assert regulating(None, memory) is False
    assert regulating(None, replace(memory, transfer=replace(before, power_w=0.0))) is True


def test_what_was_learned_of_a_device_is_forgotten_once_nobody_may_ask():
    asked = asked_whole(None, grid_w=1000.0)
    assert asked.memory.regulation.is_regulating
    stopped = asked_whole(None, grid_w=1000.0, memory=asked.memory, state=State.ERROR)
    assert stopped.memory.regulation == RegulationMemory()


def test_what_may_not_be_exported_is_charged():
    accepted = asking(SlotMode.PASSIVE, export_max_w=1000.0)
    asked = asked_of(accepted, grid_w=-4000.0)
    assert (asked.power_w, asked.kept_by, asked.urgent) == (3000.0, ("export_max",), True)
    assert asked.export_limit_w == 1000.0, "and what cannot be is throttled"
    selling = asking(SlotMode.POWER, -5000.0, export_max_w=1000.0)
    assert asked_of(selling).power_w == -1000.0


def test_a_bound_that_moves_nothing_is_not_told():
    accepted = asking(SlotMode.HOLD, import_max_w=3000.0)
    for grid_w in (2000.0, 3000.0, 3000.5):
        asked = asked_of(accepted, grid_w=grid_w)
        assert (asked.kept_by, asked.urgent, asked.reason) == ((), False, "the plan's reason")
    assert asked_of(accepted, grid_w=3000.6).kept_by == ("import_max",)


@pytest.mark.parametrize(
    ("mode", "power_w"),
    [(SlotMode.POWER, -4000.0), (SlotMode.SELF_CONSUMPTION, 0.0), (SlotMode.COMMERCIAL, 0.0)],
)
@pytest.mark.parametrize("soc_pct", [20.0, 19.0, None])
def test_no_mode_and_no_limit_discharges_the_reserve(mode, power_w, soc_pct):
    """C9: what is asked of a device is never below it, in every mode."""
    unit = unit_content()
    unit["operation"] = {"backup_reserve_pct": 20.0, "soc_min_pct": 5.0}
    accepted = asking(mode, power_w, by=AskedBy.OPERATOR, import_max_w=1000.0)
    asked = asked_of(accepted, grid_w=5000.0, soc_pct=soc_pct, unit=unit)
    assert asked.power_w == 0.0
    assert asked.kept_by[-1] == "reserve"


def test_a_reserve_that_is_asked_for_a_while_is_kept_like_the_site_s_own():
    accepted = asking(SlotMode.POWER, -4000.0, reserve_pct=60.0)
    assert asked_of(accepted, soc_pct=60.0).power_w == 0.0
    assert asked_of(accepted, soc_pct=60.1).power_w == -4000.0
    assert asked_of(accepted, soc_pct=None).power_w == 0.0
    unit = unit_content()
    unit["operation"] = {"backup_reserve_pct": 70.0}
    assert asked_of(accepted, soc_pct=65.0, unit=unit).power_w == 0.0, "the higher one counts"


@pytest.mark.parametrize("mad_w", [math.nan, math.inf, -math.inf])
def test_a_wish_that_is_no_number_is_no_wish(mad_w):
    assert asked_of(asking(SlotMode.POWER, mad_w)).power_w == 0.0


def test_what_would_be_asked_instead_is_told():
    asked = asked_of(asking(SlotMode.HOLD), grid_w=1200.0)
    instead = asked.instead
    assert (instead.by, instead.mode, instead.power_w) == (
        AskedBy.DEFAULT,
        SlotMode.SELF_CONSUMPTION,
        -1200.0,
    )
    instead = asked_of(grid_w=1200.0).instead
    assert (instead.by, instead.mode, instead.power_w) == (AskedBy.PASSIVE, SlotMode.PASSIVE, 0.0)
    assert request(state=State.IDLE).instead is None


def test_where_nobody_asks_the_site_has_a_mode_of_its_own():
    modes = {"default": "peak_shaving", "import_max_w": 3000.0, "soc_target_pct": 40.0}
    asked = asked_of(grid_w=5000.0, modes=modes)
    assert (asked.source, asked.mode, asked.power_w) == (
        AskedBy.DEFAULT,
        SlotMode.PEAK_SHAVING,
        -2000.0,
    )
    assert asked.reason == "nobody asks for anything else: serve what is above the cap"
    rests = asked_of(grid_w=1000.0, modes={"default": "passive"})
    assert (rests.power_w, rests.reason) == (0.0, "nobody asks for anything else: rest")
    assert asked_of(grid_w=1000.0, modes={"grid_target_w": 50.0}).power_w == -950.0


def test_a_load_balancer_follows_the_mean_of_its_minutes():
    site = build_site(modes={"default": "load_balancer", "levelling_minutes": 2.0})
    manager, memory = ModeManager(site), ModeMemory()

    def step(grid_w, at_s):
        nonlocal memory
        values = {
            Signal.GRID_POWER_W: grid_w,
            Signal.BATTERY_POWER_W: 0.0,
            Signal.SOC_PCT: 50.0,
        }
        snapshot = snapshot_of(values, now_ns=T0 + at_s * NS_PER_S)
        memory = manager.step(snapshot, None, State.RUNNING, memory).memory
        return None if memory.transfer is None else memory.transfer.power_w

    assert step(1000.0, 0) == 0.0, "the first mean is what is"
    assert step(2000.0, 12) == pytest.approx(-900.0), "a tenth of them moves it by a tenth"
    step(None, 24)
    assert step(2000.0, 36) == pytest.approx(-810.0), "a gap moves nothing, and loses nothing"
    assert step(9000.0, 30) == pytest.approx(-7810.0), "nor does a clock that goes back"
    assert step(2000.0, 600) == 0.0, "no further than to the value itself"
    alone = snapshot_of({Signal.GRID_POWER_W: 5000.0})
    first = manager.step(alone, None, State.RUNNING, ModeMemory(mean_rest_w=1000.0)).memory
    assert first.mean_rest_w == 1000.0, "before the first cycle there was no time"


def test_what_is_half_a_watt_too_little_of_a_small_battery_is_corrected():
    """Unless a device keeps its setpoint in coarser steps, and none is named here."""
    small = {"charge_power_max_w": 100, "discharge_power_max_w": 100}
    regulator = ModeManager(build_site(unit_content(inverter_hardware=small))).regulator
    asked_w, memory = 90.0, RegulationMemory()
    for count in range(100):
        values = {Signal.BATTERY_POWER_W: asked_w - 0.5}
        snapshot = snapshot_of(values, now_ns=T0 + count * NS_PER_S // 10)
        wish = RegulatorWish(power_w=90.0, grid_w=0.0)
        asked_w, memory = regulator.step(wish, snapshot, memory, 0.1)
    assert asked_w == pytest.approx(90.5, abs=0.1)


def test_a_mode_that_is_asked_for_by_no_stronger_one_waits_for_the_dwell():
    manager, memory = ModeManager(build_site()), ModeMemory()

    def step(accepted, at_s):
        nonlocal memory
        snapshot = snapshot_of(now_ns=T0 + int(at_s * NS_PER_S))
        asked = manager.step(snapshot, accepted, State.RUNNING, memory)
        memory = asked.memory
        return asked.request.mode

    assert step(asking(SlotMode.HOLD), 0) is SlotMode.HOLD
    assert step(asking(SlotMode.PASSIVE), 4.9) is SlotMode.HOLD
    assert step(asking(SlotMode.PASSIVE), 5) is SlotMode.PASSIVE
    assert step(asking(SlotMode.HOLD, by=AskedBy.OPERATOR), 5.1) is SlotMode.HOLD


def test_a_mode_whose_slot_is_over_does_not_wait():
    manager = ModeManager(build_site())
    memory = manager.step(
        snapshot_of(now_ns=T0), asking(SlotMode.HOLD, minutes=30), State.RUNNING, ModeMemory()
    ).memory
    late = snapshot_of(now_ns=T0 + 1800 * NS_PER_S)
    memory = replace(memory, transfer=replace(memory.transfer, since_ns=late.time_ns - 1))
    asked = manager.step(late, None, State.RUNNING, memory)
    assert asked.request.source is AskedBy.DEFAULT


@pytest.mark.parametrize("lost", [{Signal.GRID_POWER_W: None}, {Signal.BATTERY_POWER_W: None}])
def test_whoever_comes_back_begins_anew(lost):
    manager = ModeManager(build_site())
    asked = manager.step(snapshot_of(), asking(SlotMode.HOLD), State.RUNNING, ModeMemory())
    asked = manager.step(snapshot_of(lost), asking(SlotMode.HOLD), State.RUNNING, asked.memory)
    assert asked.memory.transfer is None


def test_before_the_first_cycle_nothing_was_set_limited_or_late():
    assert LastCycle(setpoint_w=0.0, is_limited=False, meter_delay_s=0.0) == NOTHING_BEFORE


@pytest.mark.parametrize(("target_pct", "power_w"), [(100.0, 3000.0), (10.0, -5000.0)])
def test_a_battery_that_charges_with_less_than_it_discharges_is_asked_for_no_more(
    target_pct, power_w
):
    hardware = {"charge_power_max_w": 3000, "discharge_power_max_w": 5000}
    site = build_site(unit_content(inverter_hardware=hardware))
    seen = snapshot_of({Signal.GRID_POWER_W: 0.0, Signal.BATTERY_POWER_W: 0.0})
    soon = asking(SlotMode.SOC, minutes=15, soc_target_pct=target_pct)
    assert request_of(ModeManager(site), seen, soon, State.RUNNING).power_w == power_w
