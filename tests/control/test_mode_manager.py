"""The mode manager: the ladder from plan to passive, and what each mode asks for."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from holdfast.control.mode_manager import REQUEST_LIFETIME_NS, ModeManager, Request, Source
from holdfast.control.plan_gate import accept_plan
from holdfast.core.data_store import freeze
from holdfast.core.plan import Plan, PlanSlot, PlanStatus, SlotMode
from holdfast.core.reading import Good
from holdfast.core.signals import SIGNALS, SITE, Signal
from holdfast.core.state_machine import State
from holdfast.core.units import NS_PER_S
from holdfast.safety.rest_of_site import RestFollower
from tests.builders import T0, build_site, healthy_store, put, snapshot_of, unit_content

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def plan(mode=SlotMode.POWER, power_w=0.0, minutes=60):
    slot = PlanSlot(
        start=NOW,
        end=NOW + timedelta(minutes=minutes),
        mode=mode,
        battery_power_w=power_w,
        grid_power_w=0.0,
        soc_end_pct=50.0,
        import_price_per_kwh=0.3,
        reason="the plan's reason",
    )
    whole = Plan(
        plan_id="p",
        created=NOW,
        expires=NOW + timedelta(hours=1),
        status=PlanStatus.OPTIMAL,
        expected_cost=0.0,
        slots=(slot,),
    )
    return accept_plan(whole, now_ns=T0, utc=NOW, site=build_site())


def followed(store, units):
    """What a cycle sees of ``store``: with what is left of the meter without the batteries."""
    snapshot, _ = RestFollower(units).follow(freeze(store.image(), T0), None)
    return snapshot


def request(grid_w=0.0, battery_w=0.0, accepted=None, state=State.RUNNING, now_ns=T0):
    site = build_site()
    snapshot = snapshot_of(
        {Signal.GRID_POWER_W: grid_w, Signal.BATTERY_POWER_W: battery_w}, now_ns=now_ns
    )
    return ModeManager(site).request(snapshot, accepted, state)


@pytest.mark.parametrize("state", [state for state in State if state is not State.RUNNING])
def test_outside_running_nothing_is_asked_whatever_the_plan_says(state):
    asked = request(accepted=plan(power_w=3000.0), state=state)
    assert (asked.power_w, asked.source) == (0.0, Source.PASSIVE)
    assert state.name in asked.reason


def test_with_a_valid_plan_the_plan_is_followed_and_its_reason_told():
    asked = request(accepted=plan(power_w=-1234.0))
    assert (asked.power_w, asked.source, asked.reason) == (
        -1234.0,
        Source.PLAN,
        "the plan's reason",
    )
    assert asked.expires_ns == T0 + REQUEST_LIFETIME_NS


@pytest.mark.parametrize("minutes_later", [None, 30, 61])
def test_without_a_slot_that_is_valid_now_the_site_serves_itself(minutes_later):
    accepted = None if minutes_later is None else plan(power_w=5000.0, minutes=30)
    now_ns = T0 + (minutes_later or 0) * 60 * NS_PER_S
    asked = request(grid_w=700.0, accepted=accepted, now_ns=now_ns)
    assert (asked.power_w, asked.source) == (-700.0, Source.SELF_CONSUMPTION)


@pytest.mark.parametrize("signal", [Signal.GRID_POWER_W, Signal.BATTERY_POWER_W])
@pytest.mark.parametrize("how", ["missing", "nan", "stale"])
def test_without_meter_or_battery_nothing_is_asked_even_with_a_plan(signal, how):
    age_ns = SIGNALS[signal].max_age_ns + 1 if how == "stale" else 0
    values = {signal: {"missing": None, "nan": math.nan, "stale": 0.0}[how]}
    snapshot = snapshot_of(values, now_ns=T0, sampled_ns=T0 - age_ns)
    asked = ModeManager(build_site()).request(snapshot, plan(power_w=2000.0), State.RUNNING)
    assert (asked.power_w, asked.source) == (0.0, Source.PASSIVE)


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
    assert ModeManager(site).request(snapshot, None, State.RUNNING).power_w == -900.0


def test_it_is_the_rest_of_the_site_that_is_followed_and_not_the_meter_of_the_moment():
    """A slow meter still shows what was; see safety/rest_of_site.py."""
    snapshot = snapshot_of({Signal.GRID_POWER_W: 800.0})
    of_site = {
        **snapshot.readings[SITE],
        Signal.REST_OF_SITE_W: Good(value=300.0, time_ns=T0),
    }
    snapshot = replace(snapshot, readings={**snapshot.readings, SITE: of_site})
    asked = ModeManager(build_site()).request(snapshot, None, State.RUNNING)
    assert asked.power_w == -300.0


@pytest.mark.parametrize("grid_w", [800.0, None])
def test_nothing_is_asked_of_an_island_for_its_load_decides(grid_w):
    values = {Signal.GRID_POWER_W: grid_w, Signal.GRID_VOLTAGE_V: 0.0, Signal.ISLANDED: 1.0}
    snapshot = snapshot_of(values)
    asked = ModeManager(build_site()).request(snapshot, None, State.RUNNING)
    assert (asked.power_w, asked.source) == (0.0, Source.PASSIVE)
    assert asked.reason == "an island: its load decides the power"


def test_an_island_that_the_meter_denies_is_none_and_the_site_serves_itself():
    snapshot = snapshot_of({Signal.GRID_POWER_W: 800.0, Signal.ISLANDED: 1.0})
    asked = ModeManager(build_site()).request(snapshot, None, State.RUNNING)
    assert (asked.power_w, asked.source) == (-800.0, Source.SELF_CONSUMPTION)


def test_one_unit_on_an_island_is_enough():
    site = build_site(unit_content("left"), unit_content("right"))
    store = healthy_store(site.unit_names)
    put(store, SITE, Signal.GRID_POWER_W, 800.0, T0)
    put(store, SITE, Signal.GRID_VOLTAGE_V, 0.0, T0)
    manager = ModeManager(site)
    seen = followed(store, site.unit_names)
    assert manager.request(seen, None, State.RUNNING).power_w == -800.0
    put(store, "right", Signal.ISLANDED, 1.0, T0)
    seen = followed(store, site.unit_names)
    assert manager.request(seen, None, State.RUNNING).power_w == 0.0


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
        asked = ModeManager(build_site()).request(
            snapshot_of(values), limited_to(100.0, power_w=2000.0), State.RUNNING
        )
        assert (asked.power_w, asked.source) == (0.0, Source.PASSIVE)
        assert asked.export_limit_w == 100.0


def test_a_site_that_may_export_nothing_is_limited_to_nothing():
    site = build_site(grid={"import_max_w": 10_000, "export_max_w": 0})
    asked = ModeManager(site).request(snapshot_of(), limited_to(100.0), State.RUNNING)
    assert asked.export_limit_w == 0.0
    assert ModeManager(site).request(snapshot_of(), None, State.BOOT).export_limit_w == 0.0


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
    return manager.request(snapshot_of(seen, now_ns=now_ns), accepted, state).pv_on


def test_pv_is_off_while_a_plan_says_so_and_it_is_asked_for_by_nobody_else():
    assert pv_on(accepted=switched_off()) is False
    assert pv_on(accepted=plan()) is True
    assert pv_on() is True
    for state in State:
        assert pv_on(accepted=switched_off(), state=state) is (state is not State.RUNNING)
    assert pv_on(accepted=switched_off(minutes=30), now_ns=T0 + 30 * 60 * NS_PER_S) is True
    asked = Request(power_w=1.0, source=Source.PLAN, reason="", expires_ns=T0)
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
        asked = ModeManager(site).request(seen, switched_off(mode=SlotMode.HOLD), State.RUNNING)
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
    return ModeManager(build_site(content)).request(snapshot, accepted, State.RUNNING)


def test_what_is_kept_for_an_outage_serves_no_load_while_the_grid_is_there():
    assert asked_at(30.00005).power_w == -2000.0
    for soc_pct in (30.0, 29.999, 12.0):
        asked = asked_at(soc_pct)
        assert asked.power_w == 0.0
        assert "reserve" in asked.reason
        assert asked.source is Source.SELF_CONSUMPTION


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
        return manager.request(seen, None, State.RUNNING).power_w

    # Two units of 10 and 20 kWh: 5 % below in the one are 2.5 % above in the other.
    assert power_w(35.0, 22.6) == -2000.0
    assert power_w(35.0, 22.5) == 0.0


def test_a_wish_lasts_for_a_second():
    assert REQUEST_LIFETIME_NS == NS_PER_S
    asked = ModeManager(build_site()).request(snapshot_of(), None, State.RUNNING)
    assert asked.expires_ns == T0 + NS_PER_S


def test_a_request_that_says_nothing_of_it_asks_for_no_export():
    request = Request(power_w=1.0, source=Source.PLAN, reason="", expires_ns=T0)
    assert request.export_limit_w == 0.0
