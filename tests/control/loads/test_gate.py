"""The load gate: who keeps loads off, and for how long."""

import pytest

from holdfast.control.loads.gate import LoadGate
from holdfast.control.safety_wrapper import permit_lifetime_ns
from holdfast.core.signals import SITE
from holdfast.core.state_machine import State
from holdfast.core.units import NS_PER_MS, NS_PER_S
from holdfast.safety.assessment import Assessment
from holdfast.safety.finding import Finding, Level, Reaction
from tests.builders import T0, UNIT, build_site

GATE = LoadGate(build_site())
SHED_NS = 300 * NS_PER_S


def found(row="some_row", reaction=Reaction.LOG, owner=UNIT, level=Level.ALARM):
    return Finding(owner=owner, row=row, level=level, reaction=reaction, since_ns=T0, text="")


IMPORT = found("grid_import_high", Reaction.BLOCK_CHARGE, SITE)


def authorise(state=State.RUNNING, *findings, shed_ns=None, gate=GATE, islanded=(), now_ns=T0):
    assessment = Assessment(
        findings=findings, envelopes={}, blocks=(), islanded=frozenset(islanded)
    )
    permit, shed_ns = gate.authorise(state, assessment, shed_ns, now_ns)
    assert permit.may_run is (permit.blocked_by == "")
    return permit, shed_ns


def blocked_by(*args, **kwargs):
    return authorise(*args, **kwargs)[0].blocked_by


@pytest.mark.parametrize(
    ("state", "by"),
    [
        (State.BOOT, "state_boot"), (State.IDLE, ""), (State.RUNNING, ""), (State.ERROR, ""),
        (State.STOPPED, "state_stopped"),
    ],
)  # fmt: skip
def test_in_which_state_loads_may_run(state, by):
    """ERROR after the cause is gone: the battery waits for a person, the house does not."""
    permit, shed_ns = authorise(state)
    assert (permit.blocked_by, shed_ns) == (by, None)
    assert permit.may_write


@pytest.mark.parametrize("reaction", list(Reaction))
@pytest.mark.parametrize("state", [State.IDLE, State.RUNNING, State.ERROR])
def test_while_the_cause_of_a_trip_is_there_loads_are_off(state, reaction):
    findings = (found("first"), found("second", reaction), found("third", Reaction.TRIP, SITE))
    trips = reaction >= Reaction.TRIP
    assert blocked_by(state, *findings[:2]) == (f"{UNIT}/second" if trips else "")
    assert blocked_by(state, *findings) == (f"{UNIT}/second" if trips else "site/third")


@pytest.mark.parametrize("row", ["import_missed", "mean_import_missed"])
def test_what_the_batteries_cannot_hold_of_an_import_limit_sheds_loads(row):
    permit, shed_ns = authorise(State.RUNNING, found(row, owner=SITE))
    assert (permit.blocked_by, shed_ns) == ("grid_import_high", T0)
    assert blocked_by(State.RUNNING, found("export_missed", owner=SITE)) == ""


@pytest.mark.parametrize("level", [Level.WARNING, Level.ALARM])
def test_above_the_import_limit_loads_are_shed(level):
    high = found("grid_import_high", Reaction.LOG, SITE, level)
    permit, shed_ns = authorise(State.RUNNING, found(), high)
    assert (permit.blocked_by, shed_ns) == ("grid_import_high", T0)
    assert blocked_by(State.RUNNING, found("grid_export_high", owner=SITE)) == ""


def test_what_was_shed_stays_off_for_five_minutes_after_the_last_time():
    _, shed_ns = authorise(State.RUNNING, IMPORT)
    _, shed_ns = authorise(State.RUNNING, IMPORT, shed_ns=shed_ns, now_ns=T0 + NS_PER_S)
    assert shed_ns == T0 + NS_PER_S
    last_ns = shed_ns + SHED_NS - 1
    for now_ns in (shed_ns, shed_ns + 1, last_ns):
        permit, after_ns = authorise(shed_ns=shed_ns, now_ns=now_ns)
        assert (permit.blocked_by, after_ns) == ("grid_import_high", shed_ns)
    permit, after_ns = authorise(shed_ns=shed_ns, now_ns=last_ns + 1)
    assert (permit.blocked_by, after_ns) == ("", None)


def test_time_that_runs_backwards_ends_no_shedding():
    assert blocked_by(shed_ns=T0, now_ns=T0 - NS_PER_S) == "grid_import_high"


def test_on_an_island_loads_are_off():
    assert blocked_by(islanded=[UNIT]) == "island"


def test_of_several_reasons_the_first_is_told():
    trip = found("trip", Reaction.TRIP)
    observing = LoadGate(build_site(authority="observe"))
    ways = {"shed_ns": T0, "islanded": [UNIT]}
    assert blocked_by(State.STOPPED, trip, IMPORT, gate=observing, **ways) == "authority_observe"
    assert blocked_by(State.STOPPED, trip, IMPORT, **ways) == "state_stopped"
    assert blocked_by(State.ERROR, trip, IMPORT, **ways) == f"{UNIT}/trip"
    assert blocked_by(State.RUNNING, IMPORT, **ways) == "grid_import_high"


@pytest.mark.parametrize(
    ("authority", "writes"), [("observe", False), ("limited", True), ("full", True)]
)
def test_only_who_has_authority_writes(authority, writes):
    permit, _ = authorise(gate=LoadGate(build_site(authority=authority)))
    assert (permit.may_write, permit.may_run) == (writes, writes)
    assert permit.blocked_by == ("" if writes else "authority_observe")


@pytest.mark.parametrize(("period_ms", "lives_ms"), [(10, 200), (66, 200), (67, 201), (1000, 3000)])
def test_a_permit_expires_as_that_of_a_storage_unit_does(period_ms, lives_ms):
    site = build_site(cycle={"period_ms": period_ms})
    permit, _ = authorise(gate=LoadGate(site))
    assert permit.expires_ns == T0 + lives_ms * NS_PER_MS == T0 + permit_lifetime_ns(site)
