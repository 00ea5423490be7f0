"""The safety wrapper: the one gate. It narrows by state, authority, interlock and expiry."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.control.request import Request
from holdfast.control.safety_wrapper import SafetyWrapper
from holdfast.core.asked_slot import AskedBy
from holdfast.core.signals import SITE
from holdfast.core.state_machine import State
from holdfast.core.units import NS_PER_MS
from holdfast.safety.assessment import Assessment
from holdfast.safety.envelope import Envelope, up_to
from holdfast.safety.finding import Finding, Level, Reaction
from holdfast.safety.interlock_manager import Block
from holdfast.safety.interlocks import Action
from tests.builders import T0, UNIT, build_site, unit_content
from tests.safety.test_envelope import ENVELOPES

WIDE = Envelope(min_w=-3000.0, max_w=4000.0, min_by="a", max_by="b")
POWER_BLOCK = Block(owner=UNIT, row="contactor_confirmed", action=Action.POWER, text="open")
UNSEEN = Block(owner=UNIT, row="unseen", action=Action.POWER, text="", known=False)
UNSAFE = Block(owner=UNIT, row="unsafe", action=Action.POWER, text="", known=False, of_battery=True)
ONE_WAY = {
    action: Block(owner=UNIT, row=f"no_{action}", action=action, text="")
    for action in (Action.CHARGE, Action.DISCHARGE)
}
START_BLOCK = Block(owner=SITE, row="watchdog_armed", action=Action.START, text="not armed")


def found(reaction, owner=UNIT):
    return Finding(
        owner=owner, row="row", level=Level.ALARM, reaction=reaction, since_ns=T0, text=""
    )


def authorise(
    *findings,
    state=State.RUNNING,
    envelope=WIDE,
    blocks=(),
    expires_ns=T0 + 1,
    islanded=False,
    **site_changes,
):
    site = build_site(**site_changes)
    assessment = Assessment(
        findings=findings,
        envelopes={UNIT: envelope},
        blocks=blocks,
        islanded=frozenset({UNIT} if islanded else ()),
    )
    request = Request(power_w=1.0, source=AskedBy.PLAN, reason="", expires_ns=expires_ns)
    return SafetyWrapper(site).authorise(request, state, assessment, T0)[UNIT]


def ends(permit):
    return permit.envelope.min_w, permit.envelope.max_w


def test_running_with_full_authority_permits_what_was_assessed():
    permit = authorise()
    assert permit.envelope == WIDE
    assert permit.may_write
    assert permit.may_increase
    assert permit.may_connect
    assert permit.may_run


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("authority", ["observe", "limited", "full"])
def test_the_export_limit_is_the_one_that_was_asked_for(state, authority):
    """It narrows what the mode manager has clamped by nothing: no battery has to do with it."""
    request = Request(
        power_w=1.0, source=AskedBy.PLAN, reason="", expires_ns=T0, export_limit_w=123.0
    )
    assessment = Assessment(findings=(), envelopes={UNIT: WIDE}, blocks=())
    gate = SafetyWrapper(build_site(authority=authority))
    assert gate.authorise(request, state, assessment, T0)[UNIT].export_limit_w == 123.0


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("authority", ["observe", "limited", "full"])
@pytest.mark.parametrize("trips", [False, True])
@pytest.mark.parametrize(("asked_on", "left_ns"), [(False, 1), (False, 0), (True, 1)])
def test_pv_may_stand_still_only_while_that_is_asked_for_and_the_site_runs(
    state, authority, trips, asked_on, left_ns
):
    request = Request(
        power_w=1.0, source=AskedBy.PLAN, reason="", expires_ns=T0 + left_ns, pv_on=asked_on
    )
    findings = (found(Reaction.TRIP, SITE),) if trips else ()
    assessment = Assessment(findings=findings, envelopes={UNIT: WIDE}, blocks=())
    gate = SafetyWrapper(build_site(authority=authority))
    runs = state is State.RUNNING and authority != "observe" and not trips
    stands_still = runs and not asked_on and left_ns > 0
    assert gate.authorise(request, state, assessment, T0)[UNIT].pv_on is not stands_still


def test_limited_authority_permits_up_to_its_power_and_says_so():
    permit = authorise(authority="limited", limited_power_w=700)
    assert ends(permit) == (-700.0, 700.0)
    assert permit.envelope.max_by == "authority_limited"
    assert ends(authorise(authority="limited", limited_power_w=3500)) == (-3000.0, 3500.0)


def test_limited_authority_is_shared_by_the_units():
    site = build_site(
        unit_content("left"), unit_content("right"), authority="limited", limited_power_w=700
    )
    assessment = Assessment(findings=(), envelopes={"left": WIDE, "right": WIDE}, blocks=())
    request = Request(power_w=1.0, source=AskedBy.PLAN, reason="", expires_ns=T0 + 1)
    permits = SafetyWrapper(site).authorise(request, State.RUNNING, assessment, T0)
    assert sum(permit.envelope.max_w for permit in permits.values()) == 700.0
    assert sum(permit.envelope.min_w for permit in permits.values()) == -700.0


@pytest.mark.parametrize("state", list(State))
def test_who_only_observes_may_nothing(state):
    permit = authorise(state=state, authority="observe")
    assert ends(permit) == (0.0, 0.0)
    assert permit.envelope.max_by == "authority_observe"
    assert not permit.may_write
    assert not permit.may_connect
    assert not permit.may_run


@pytest.mark.parametrize("state", [state for state in State if state is not State.RUNNING])
def test_outside_running_only_zero_is_permitted_and_written(state):
    permit = authorise(state=state)
    assert ends(permit) == (0.0, 0.0)
    assert permit.envelope.min_by == f"state_{state}"
    assert permit.may_write
    assert not permit.may_connect
    assert not permit.may_run


@pytest.mark.parametrize("reaction", [Reaction.TRIP, Reaction.EMERGENCY_STOP])
def test_a_finding_that_trips_disconnects_even_before_the_state_has_changed(reaction):
    permit = authorise(found(reaction))
    assert ends(permit) == (0.0, 0.0)
    assert not permit.may_connect
    assert not permit.may_run


def test_a_request_that_has_expired_permits_only_zero_and_keeps_the_contactor():
    assert ends(authorise(expires_ns=T0 + 1)) == (-3000.0, 4000.0)
    permit = authorise(expires_ns=T0)
    assert ends(permit) == (0.0, 0.0)
    assert permit.envelope.min_by == "request_expired"
    assert permit.may_connect


def test_an_interlock_on_power_permits_only_zero_but_lets_the_contactor_close():
    permit = authorise(blocks=(POWER_BLOCK,))
    assert ends(permit) == (0.0, 0.0)
    assert permit.envelope.max_by == "contactor_confirmed"
    assert permit.may_connect
    assert not permit.may_run


def test_an_interlock_on_the_start_does_not_stop_what_runs():
    assert authorise(blocks=(START_BLOCK,)).envelope == WIDE


def test_an_interlock_of_the_site_on_power_stops_every_unit():
    block = Block(owner=SITE, row="a_row", action=Action.POWER, text="")
    permit = authorise(blocks=(block,))
    assert ends(permit) == (0.0, 0.0)
    assert not permit.may_run


@pytest.mark.parametrize("owner", [UNIT, SITE])
def test_hold_forbids_to_move_away_from_zero(owner):
    assert not authorise(found(Reaction.HOLD, owner)).may_increase
    assert authorise(found(Reaction.LOG, owner)).may_increase


def test_a_unit_is_not_held_by_its_neighbour():
    assert authorise(found(Reaction.HOLD, "other")).may_increase


def test_a_permit_is_short_lived_whatever_the_period():
    for period_ms, lifetime_ms in ((10, 200), (20, 200), (100, 300), (1000, 3000)):
        permit = authorise(cycle={"period_ms": period_ms})
        assert permit.expires_ns == T0 + lifetime_ms * NS_PER_MS
        assert permit.covers(0.0, permit.expires_ns - 1)
        assert not permit.covers(0.0, permit.expires_ns)


def test_each_unit_is_blocked_by_its_own_interlocks():
    site = build_site(unit_content("left"), unit_content("right"))
    block = Block(owner="left", row="contactor_confirmed", action=Action.POWER, text="")
    assessment = Assessment(findings=(), envelopes={"left": WIDE, "right": WIDE}, blocks=(block,))
    request = Request(power_w=1.0, source=AskedBy.PLAN, reason="", expires_ns=T0 + 1)
    permits = SafetyWrapper(site).authorise(request, State.RUNNING, assessment, T0)
    assert ends(permits["left"]) == (0.0, 0.0)
    assert ends(permits["right"]) == (-3000.0, 4000.0)


@given(
    envelope=ENVELOPES,
    state=st.sampled_from(State),
    reactions=st.lists(st.sampled_from(Reaction), max_size=3),
    blocks=st.lists(st.sampled_from([POWER_BLOCK, UNSEEN, *ONE_WAY.values(), START_BLOCK])),
    islanded=st.booleans(),
    expires_ns=st.integers(T0 - 5, T0 + 5),
    authority=st.sampled_from(["observe", "limited", "full"]),
)
def test_a_permit_never_covers_more_than_was_assessed(
    envelope, state, reactions, blocks, islanded, expires_ns, authority
):
    permit = authorise(
        *(found(reaction) for reaction in reactions),
        state=state,
        envelope=envelope,
        blocks=tuple(blocks),
        expires_ns=expires_ns,
        authority=authority,
        islanded=islanded,
    )
    assert envelope.min_w <= permit.envelope.min_w <= 0.0 <= permit.envelope.max_w <= envelope.max_w
    if state is not State.RUNNING or authority == "observe":
        assert ends(permit) == (0.0, 0.0)
    if expires_ns <= T0:
        assert permit.envelope.max_w == 0.0
        assert permit.envelope.min_w == 0.0 or islanded
    if any(reaction >= Reaction.TRIP for reaction in reactions):
        assert ends(permit) == (0.0, 0.0)
        assert not permit.may_connect
    assert permit.may_connect or not (permit.may_run or permit.may_close)
    assert permit.islanded is islanded
    assert permit.may_write or not permit.may_connect


def test_the_operating_mode_narrows_and_nothing_widens_it():
    assert ends(authorise(operating_mode="charge_only")) == (0.0, 4000.0)
    assert authorise(operating_mode="charge_only").envelope.min_by == "mode_charge_only"
    assert ends(authorise(operating_mode="passive")) == (0.0, 0.0)
    assert ends(authorise(operating_mode="auto")) == ends(authorise())


# Interlocks of one direction, and of closing the contactor. ---------------------------------------


@pytest.mark.parametrize(
    ("action", "left", "by"),
    [
        (Action.CHARGE, (-3000.0, 0.0), ("a", "no_charge")),
        (Action.DISCHARGE, (0.0, 4000.0), ("no_discharge", "b")),
    ],
)
def test_an_interlock_on_one_direction_leaves_the_other_and_the_power_stage_on(action, left, by):
    permit = authorise(blocks=(ONE_WAY[action],))
    assert ends(permit) == left
    assert (permit.envelope.min_by, permit.envelope.max_by) == by
    assert permit.may_run
    assert permit.may_close


def test_of_several_interlocks_the_first_gives_its_name():
    permit = authorise(blocks=(ONE_WAY[Action.CHARGE], POWER_BLOCK))
    assert (permit.envelope.min_by, permit.envelope.max_by) == ("contactor_confirmed", "no_charge")
    permit = authorise(blocks=(POWER_BLOCK, ONE_WAY[Action.CHARGE]))
    assert permit.envelope.max_by == "contactor_confirmed"


@pytest.mark.parametrize("owner", [UNIT, SITE, "other"])
def test_an_interlock_on_closing_keeps_open_what_is_open_and_takes_no_power(owner):
    block = Block(owner=owner, row="connect_pack_voltage", action=Action.CONNECT, text="")
    permit = authorise(blocks=(block,))
    assert permit.may_close is (owner == "other")
    assert permit.may_connect
    assert permit.may_run
    assert permit.envelope == WIDE


def test_closing_is_permitted_in_running_only():
    assert authorise().may_close
    assert not authorise(state=State.IDLE).may_close


# On an island. ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"operating_mode": "charge_only"},
        {"operating_mode": "passive"},
        {"authority": "limited", "limited_power_w": 700},
        {"expires_ns": T0},
    ],
)
def test_what_is_not_the_batterys_own_protection_leaves_the_discharge_of_an_island_alone(changes):
    on_grid, permit = authorise(**changes), authorise(islanded=True, **changes)
    assert permit.envelope.min_w == -3000.0 < on_grid.envelope.min_w
    assert permit.envelope.min_by == "a"
    assert permit.envelope.max_w == on_grid.envelope.max_w
    assert permit.envelope.max_by == on_grid.envelope.max_by
    assert permit.may_run
    assert permit.islanded


def test_on_an_island_a_value_that_is_lost_blocks_charging_and_drops_no_load():
    permit = authorise(blocks=(UNSEEN,), islanded=True)
    assert ends(permit) == (-3000.0, 0.0)
    assert permit.may_run
    assert not authorise(blocks=(UNSEEN,)).may_run
    assert ends(authorise(blocks=(UNSEEN,))) == (0.0, 0.0)


@pytest.mark.parametrize("block", [POWER_BLOCK, UNSAFE, ONE_WAY[Action.DISCHARGE]])
def test_on_an_island_what_protects_the_battery_or_is_seen_to_be_wrong_ends_the_discharge(block):
    """The power follows the load: nothing but the power stage can end it."""
    permit = authorise(blocks=(block,), islanded=True)
    assert permit.envelope.min_w == 0.0
    assert permit.envelope.min_by == block.row
    assert not permit.may_run
    assert permit.may_connect


def test_an_envelope_without_discharge_takes_the_power_stage_of_an_island_and_of_no_other():
    empty = Envelope(min_w=0.0, max_w=4000.0, min_by="cell_voltage_low", max_by="b")
    assert authorise(envelope=empty).may_run
    assert not authorise(envelope=empty, islanded=True).may_run
    little = Envelope(min_w=-0.1, max_w=4000.0, min_by="cell_voltage_low", max_by="b")
    assert authorise(envelope=little, islanded=True).may_run


@pytest.mark.parametrize("state", [state for state in State if state is not State.RUNNING])
def test_outside_running_an_island_gets_no_power_either(state):
    permit = authorise(state=state, islanded=True)
    assert ends(permit) == (0.0, 0.0)
    assert not permit.may_connect
    assert not permit.may_run


def test_a_trip_and_an_observer_are_the_same_on_an_island():
    permit = authorise(found(Reaction.TRIP), islanded=True)
    assert ends(permit) == (0.0, 0.0)
    assert not permit.may_connect
    observed = authorise(authority="observe", islanded=True)
    assert ends(observed) == (0.0, 0.0)
    assert not observed.may_run


def test_the_islands_rules_are_those_of_the_unit_that_is_on_it():
    site = build_site(unit_content("left"), unit_content("right"), operating_mode="passive")
    assessment = Assessment(
        findings=(),
        envelopes={"left": WIDE, "right": WIDE},
        blocks=(),
        islanded=frozenset({"left"}),
    )
    request = Request(power_w=1.0, source=AskedBy.PLAN, reason="", expires_ns=T0 + 1)
    permits = SafetyWrapper(site).authorise(request, State.RUNNING, assessment, T0)
    assert ends(permits["left"]) == (-3000.0, 0.0)
    assert ends(permits["right"]) == (0.0, 0.0)
    assert (permits["left"].islanded, permits["right"].islanded) == (True, False)


LOPSIDED = unit_content(
    inverter_hardware={"charge_power_max_w": 3000, "discharge_power_max_w": 6000}
)
TOO_WIDE = up_to(charge_w=9000.0, discharge_w=9000.0, by="a_layer_gone_mad")


def permitted(envelope=TOO_WIDE, **changes):
    site = build_site(LOPSIDED, **changes)
    assessment = Assessment(findings=(), envelopes={UNIT: envelope}, blocks=())
    request = Request(power_w=1.0, source=AskedBy.PLAN, reason="", expires_ns=T0 + 1)
    permits = SafetyWrapper(site).authorise(request, State.RUNNING, assessment, T0)
    return permits[UNIT].envelope


@pytest.mark.parametrize(
    ("mode", "low_w", "high_w", "low_by", "high_by"),
    [
        ("auto", -6000.0, 3000.0, "site.yaml", "site.yaml"),
        ("charge_only", 0.0, 3000.0, "mode_charge_only", "mode_charge_only"),
        ("passive", 0.0, 0.0, "mode_passive", "mode_passive"),
    ],
)
def test_a_mode_permits_each_direction_up_to_what_site_yaml_does(
    mode, low_w, high_w, low_by, high_by
):
    envelope = permitted(operating_mode=mode)
    assert (envelope.min_w, envelope.max_w) == (low_w, high_w)
    assert (envelope.min_by, envelope.max_by) == (low_by, high_by)


def test_limited_authority_and_a_mode_both_narrow():
    envelope = permitted(operating_mode="charge_only", authority="limited", limited_power_w=700)
    assert (envelope.min_w, envelope.max_w) == (0.0, 700.0)
