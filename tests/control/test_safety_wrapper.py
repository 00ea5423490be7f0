"""The safety wrapper: the one gate. It narrows by state, authority, interlock and expiry."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.control.mode_manager import Request, Source
from holdfast.control.safety_wrapper import SafetyWrapper
from holdfast.core.signals import SITE
from holdfast.core.state_machine import State
from holdfast.core.units import NS_PER_MS
from holdfast.safety.assessment import Assessment
from holdfast.safety.envelope import Envelope
from holdfast.safety.faults import Finding, Level, Reaction
from holdfast.safety.interlock_manager import Action, Block
from tests.builders import T0, UNIT, build_site, unit_content
from tests.safety.test_envelope import ENVELOPES

WIDE = Envelope(min_w=-3000.0, max_w=4000.0, min_by="a", max_by="b")
POWER_BLOCK = Block(owner=UNIT, row="contactor_confirmed", action=Action.POWER, text="open")
START_BLOCK = Block(owner=SITE, row="watchdog_armed", action=Action.START, text="not armed")


def found(reaction, owner=UNIT):
    return Finding(
        owner=owner, row="row", level=Level.ALARM, reaction=reaction, since_ns=T0, text=""
    )


def authorise(
    *findings, state=State.RUNNING, envelope=WIDE, blocks=(), expires_ns=T0 + 1, **site_changes
):
    site = build_site(**site_changes)
    assessment = Assessment(findings=findings, envelopes={UNIT: envelope}, blocks=blocks)
    request = Request(power_w=1.0, source=Source.PLAN, reason="", expires_ns=expires_ns)
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
    request = Request(power_w=1.0, source=Source.PLAN, reason="", expires_ns=T0 + 1)
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
    request = Request(power_w=1.0, source=Source.PLAN, reason="", expires_ns=T0 + 1)
    permits = SafetyWrapper(site).authorise(request, State.RUNNING, assessment, T0)
    assert ends(permits["left"]) == (0.0, 0.0)
    assert ends(permits["right"]) == (-3000.0, 4000.0)


@given(
    envelope=ENVELOPES,
    state=st.sampled_from(State),
    reactions=st.lists(st.sampled_from(Reaction), max_size=3),
    blocks=st.lists(st.sampled_from([POWER_BLOCK, START_BLOCK]), max_size=2),
    expires_ns=st.integers(T0 - 5, T0 + 5),
    authority=st.sampled_from(["observe", "limited", "full"]),
)
def test_a_permit_never_covers_more_than_was_assessed(
    envelope, state, reactions, blocks, expires_ns, authority
):
    permit = authorise(
        *(found(reaction) for reaction in reactions), state=state, envelope=envelope,
        blocks=tuple(blocks), expires_ns=expires_ns, authority=authority,
    )  # fmt: skip
    assert envelope.min_w <= permit.envelope.min_w <= 0.0 <= permit.envelope.max_w <= envelope.max_w
    if state is not State.RUNNING or authority == "observe" or expires_ns <= T0:
        assert ends(permit) == (0.0, 0.0)
    if any(reaction >= Reaction.TRIP for reaction in reactions):
        assert ends(permit) == (0.0, 0.0)
        assert not permit.may_connect
    assert permit.may_connect or not permit.may_run
    assert permit.may_write or not permit.may_connect


def test_the_operating_mode_narrows_and_nothing_widens_it():
    assert ends(authorise(operating_mode="charge_only")) == (0.0, 4000.0)
    assert authorise(operating_mode="charge_only").envelope.min_by == "mode_charge_only"
    assert ends(authorise(operating_mode="passive")) == (0.0, 0.0)
    assert ends(authorise(operating_mode="auto")) == ends(authorise())
