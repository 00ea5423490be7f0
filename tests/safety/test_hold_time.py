"""Hold times: what has cleared by itself stays for a while, and its ramp does not begin anew."""

import pytest

from holdfast.core.role import Role
from holdfast.core.signals import SITE
from holdfast.core.units import NS_PER_S, ns_from_s
from holdfast.safety.envelope import up_to
from holdfast.safety.faults import FAULTS, finding
from holdfast.safety.finding import Finding, Level, Reaction
from holdfast.safety.hold_time import HOLD_S, hold
from tests.builders import T0, UNIT

BMS_LOST = f"{UNIT}/bms_data_lost"


def lost(device=Role.BMS, since_ns=T0, detail="gone", row="data_lost"):
    return finding(row, UNIT, since_ns, detail, device=device)


def after(memory, seconds):
    """What is shown ``seconds`` after T0 while nothing is found."""
    return hold((), memory, T0 + ns_from_s(seconds))


def test_the_hold_times_are_those_of_the_table():
    devices = {"bms": 30.0, "inverter": 1.0, "relays": 1.0, "meter": 1.0, "emergency_input": 1.0,
               "watchdog": 1.0, "derived": 1.0}  # fmt: skip
    for device, hold_s in devices.items():
        assert HOLD_S[f"{device}_data_lost"] == HOLD_S[f"{device}_data_bad"] == hold_s
        assert HOLD_S[f"{device}_data_old"] == 1.0
        assert f"{device}_data_missing" not in HOLD_S
    assert HOLD_S["voltage_stuck"] == 30.0
    assert {HOLD_S[row] for row in ("soc_understated", "soc_overstated")} == {60.0}
    assert {HOLD_S[f"{device}_data_frozen"] for device in devices} == {60.0}
    assert HOLD_S["setpoint_oscillation"] == 60.0
    assert HOLD_S["data_lost"] == 1.0
    assert {name for name in FAULTS if name in HOLD_S} == {
        "data_old",
        "data_lost",
        "data_bad",
        "voltage_stuck",
        "soc_understated",
        "soc_overstated",
        "data_frozen",
        "data_slow",
        "island_contradicted",
        "setpoint_oscillation",
        "import_missed",
        "export_missed",
        "mean_import_missed",
        "phases_unseen",
    }


@pytest.mark.parametrize(
    ("device", "hold_s"), [(Role.BMS, 30.0), (Role.INVERTER, 1.0), (Role.METER, 1.0)]
)
def test_a_finding_stays_for_its_hold_time_and_says_so(device, hold_s):
    (there,), memory = hold((lost(device),), {}, T0)
    assert there == lost(device)
    (kept,), memory = after(memory, hold_s - 1e-9)
    assert kept.text == f"{there.text}; over, not yet for long enough"
    assert (kept.key, kept.reaction, kept.level, kept.since_ns) == (
        there.key,
        Reaction.RAMP_TO_ZERO,
        Level.ALARM,
        T0,
    )
    assert after(memory, hold_s) == ((), {})


def test_the_hold_time_counts_from_when_the_cause_was_last_there():
    _, memory = hold((lost(),), {}, T0)
    _, memory = hold((lost(),), memory, T0 + 20 * NS_PER_S)
    held, memory = after(memory, 49.0)
    assert [found.key for found in held] == [BMS_LOST]
    assert after(memory, 50.0) == ((), {})


def test_looking_again_does_not_make_it_stay_longer_or_its_text_grow():
    _, memory = hold((lost(),), {}, T0)
    first, memory = after(memory, 10.0)
    second, memory = after(memory, 20.0)
    assert first == second
    assert after(memory, 30.0)[0] == ()


def test_what_comes_back_while_it_is_held_stays_at_zero():
    """Its ramp would begin anew, and let the envelope open for half a second, each time."""
    _, memory = hold((lost(),), {}, T0)
    later_ns = T0 + 10 * NS_PER_S
    (found,), memory = hold((lost(since_ns=later_ns, detail="again"),), memory, later_ns)
    assert found.since_ns == T0
    assert found.text.endswith("again")
    wide = up_to(charge_w=1000.0, discharge_w=1000.0, by="test")
    assert found.narrow(wide, later_ns).max_w == 0.0
    assert [found.since_ns for found in after(memory, 39.0)[0]] == [T0]


def test_what_is_known_to_be_older_than_thought_is_older():
    _, memory = hold((lost(),), {}, T0)
    (found,), _ = hold((lost(since_ns=T0 - 5),), memory, T0 + 1)
    assert found == lost(since_ns=T0 - 5)


def test_each_finding_is_held_for_itself():
    bad = lost(row="data_bad")
    site = Finding(
        owner=SITE,
        row="bms_data_lost",
        level=Level.ALARM,
        reaction=Reaction.RAMP_TO_ZERO,
        since_ns=T0,
        text="",
    )
    _, memory = hold((lost(), site), {}, T0)
    shown, memory = hold((bad,), memory, T0 + 10 * NS_PER_S)
    assert [found.key for found in shown] == [bad.key, BMS_LOST, site.key]
    shown, memory = after(memory, 30.0)
    assert [found.key for found in shown] == [bad.key]
    assert after(memory, 40.0) == ((), {})


@pytest.mark.parametrize(
    "row", ["data_missing", "setpoint_ignored", "contactor_welded", "under_delivery"]
)
def test_what_has_no_hold_time_goes_at_once(row):
    """A trip is latched anyway, and a site that boots must not wait for what never was."""
    there = lost(row=row)
    assert hold((there,), {}, T0) == ((there,), {})


def test_findings_keep_their_order():
    others = [lost(row=row) for row in ("setpoint_ignored", "data_lost", "under_delivery")]
    assert hold(tuple(others), {}, T0)[0] == tuple(others)
