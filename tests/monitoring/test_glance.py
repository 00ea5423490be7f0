"""At a glance: whether the site is safe, and never safe while it trips or is latched."""

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.signals import Signal
from holdfast.core.state_machine import State
from holdfast.monitoring.glance import glance
from holdfast.monitoring.language import Language
from holdfast.monitoring.recovery.rows import ROWS
from holdfast.monitoring.status.schema import FRESH_S, AuditStatus, CommsStatus, Status
from holdfast.safety.finding import Level, Reaction
from tests.monitoring.statuses import UNIT, found, power, reading, status

WELL = "The site is running, and nothing is wrong."
AT_REST = {"state": State.IDLE, "quantities": (power(0.0),)}
STOPPED = {
    "state": State.STOPPED, "emergency_stop_latched": True, "quantities": (power(0.0),)
}  # fmt: skip
TRIPPED = {
    "state": State.ERROR, "latched_faults": ("battery/cell_heating",), "quantities": (power(0.0),)
}  # fmt: skip
_PROBLEM = AuditStatus(lines=1, lost=1, problem="the disk is full")
_FAILING = CommsStatus(
    reads=90, writes=0, errors=10, last_error="no answer", where="10.0.0.2", failed_of_last_100=10
)


@pytest.mark.parametrize(
    ("changes", "verdict", "kind", "headline"),
    [
        ({}, "safe", "info", WELL),
        (AT_REST, "safe", "info", "The site is at rest"),
        # What happens on most days is no trouble, and neither is a plan that is missing.
        ({"findings": (found("soc_high", "block_charge"),)}, "safe", "info", WELL),
        ({"findings": (found("bms_forbids_charge", "block_charge"),)}, "safe", "info", WELL),
        ({"findings": (found("cell_voltage_high", "log", "warning"),)}, "safe", "info", WELL),
        ({"plan_refused": "its prices are old"}, "safe", "info", WELL),
        ({"comms": {"site/meter": _FAILING}}, "safe", "info", WELL),
        # What narrows, or will not start, is worth a look.
        ({"findings": (found("load_silent", "log"),)}, "attention", "warning", "A load switch"),
        (
            {"findings": (found("load_silent", "log"), found("bms_data_lost", "ramp_to_zero"))},
            "attention", "warning", "BMS: it does not answer any more: no power",
        ),
        ({"latches_on_disk": False}, "attention", "warning", "What is latched cannot be saved"),
        ({"audit": _PROBLEM}, "attention", "warning", "The audit log cannot be written"),
        ({"left_out": "too long"}, "attention", "warning", "Not all can be shown"),
        ({"state": State.BOOT}, "attention", "info", "The site tests itself"),
        (AT_REST | {"waits_for": ("a reason",)}, "attention", "info", "It cannot start yet: a r"),
        (AT_REST | {"waits_for_start": True}, "attention", "warning", "It was running when"),
        ({"authority": "observe"}, "attention", "info", "Holdfast only observes"),
        # What tripped, and what was stopped.
        (TRIPPED, "fault", "fault", "A fault has switched the power off: a cell heated up fast."),
        ({"findings": (found("cell_heating", "trip", "trip"),)}, "fault", "fault", "Present now"),
        ({"latched_faults": ("battery/wrong_sign",)}, "fault", "fault", "Latched: power flowed"),
        (STOPPED, "stopped", "fault", "Emergency stop: the power is off until"),
        (STOPPED | TRIPPED, "stopped", "fault", "Emergency stop"),
        # Nobody is told that the power is off while some is measured, or none can be.
        (STOPPED | {"quantities": (power(-900.0),)}, "fault", "fault", "DANGER: the site is off"),
        (TRIPPED | {"quantities": (power(2000.0),)}, "fault", "fault", "DANGER: the site is off"),
        (STOPPED | {"quantities": (power(None),)}, "fault", "fault", "The site is off, and nobody"),
        (STOPPED | {"quantities": (power(math.nan),)}, "fault", "fault", "The site is off, and no"),
    ],
)  # fmt: skip
def test_the_most_important_thing_gives_the_verdict(
    changes: dict[str, Any], verdict: str, kind: str, headline: str
) -> None:
    seen = glance(status(**changes), 0.2)
    assert (seen.verdict, seen.kind) == (verdict, kind)
    assert seen.headline.startswith(headline)


@pytest.mark.parametrize("age_s", [FRESH_S + 0.1, 3600.0, -1.0, math.nan, math.inf])
def test_what_is_not_fresh_tells_nothing(age_s: float) -> None:
    seen = glance(status(), age_s)
    assert (seen.verdict, seen.kind) == ("unknown", "fault")
    assert "emergency button" in seen.lines[0]


def test_without_a_controller_nothing_is_known() -> None:
    for age_s in (None, 0.0):
        assert glance(None, age_s).verdict == "unknown"
    assert glance(status(), None).verdict == "unknown"


def test_it_says_what_the_site_does_and_why() -> None:
    assert glance(status(), 0.2).lines == (
        "The battery charges with 1200\u00a0W, 54\u00a0%.",
        "Why: plan: the cheapest hour.",
        "The grid gives 1800\u00a0W.",
    )
    two = status(quantities=(power(-500.0), power(0.0, "shed"), power(None, "attic")))
    assert glance(two, 0.2, Language.DE).lines[:3] == (
        "Battery entlädt mit 500\u00a0W, 54\u00a0%.",
        "Shed ruht.",
        "Niemand sieht, was los ist: attic.",
    )


def test_what_is_wrong_comes_before_what_it_does_and_what_is_daily_after_it() -> None:
    rows = (
        found("soc_high", "block_charge"),
        found("load_silent", "log"),
        found("cell_imbalance_high", "derate"),
    )
    seen = glance(status(findings=rows), 0.2)
    order = ["differ in voltage", "load switch", "charges with", "Why", "grid gives", "as full"]
    told = (seen.headline, *seen.lines)
    assert [part in text for part, text in zip(order, told, strict=True)] == [True] * len(order)


def test_it_comes_in_german() -> None:
    assert glance(status(), 0.2, Language.DE).headline.startswith("Die Anlage ist in Betrieb")
    assert glance(None, None, Language.DE).headline.startswith("Kein Regler")


FINDINGS = st.lists(
    st.builds(
        found,
        st.sampled_from([*ROWS, "bms_data_lost", "of_tomorrow", ""]),
        st.sampled_from([*(reaction.name.lower() for reaction in Reaction), "of_tomorrow"]),
        st.sampled_from([*(level.name.lower() for level in Level), "of_tomorrow"]),
        st.sampled_from([UNIT, "site", ""]),
    ),
    max_size=4,
).map(tuple)
POWERS = st.none() | st.floats()
STATUSES = st.builds(
    status,
    state=st.sampled_from(State),
    authority=st.sampled_from(["observe", "limited", "full"]),
    emergency_stop_latched=st.booleans(),
    latched_faults=st.lists(st.text(max_size=30), max_size=3).map(tuple),
    latches_on_disk=st.booleans(),
    waits_for=st.lists(st.text(max_size=20), max_size=2).map(tuple),
    waits_for_start=st.booleans(),
    findings=FINDINGS,
    quantities=st.lists(st.builds(power, POWERS), max_size=1).map(tuple),
    readings=st.builds(lambda soc: {UNIT: {Signal.SOC_PCT: reading(soc, "%")}}, st.floats()),
    request_reason=st.text(max_size=20),
    left_out=st.text(max_size=5),
)


@given(STATUSES, st.floats(), st.sampled_from(Language))
def test_any_status_gives_a_glance_and_what_is_off_is_never_safe(
    given_status: Status, age_s: float, language: Language
) -> None:
    for age in (age_s, 0.2):
        seen = glance(given_status, age, language)
        assert seen.headline
        assert all(seen.lines)
    trips = any(f.level == "trip" or f.reaction == "trip" for f in given_status.findings)
    if (
        trips
        or given_status.emergency_stop_latched
        or given_status.latched_faults
        or given_status.state in {State.ERROR, State.STOPPED}
    ):
        assert seen.verdict in {"fault", "stopped"}
        assert seen.kind == "fault"


@given(STATUSES)
def test_more_that_is_wrong_never_makes_it_look_safe(given_status: Status) -> None:
    worse = replace(
        given_status, findings=(*given_status.findings, found("cell_heating", "trip", "trip"))
    )
    assert glance(worse, 0.2).verdict in {"fault", "stopped"}


def test_the_reactions_are_those_of_the_safety_path() -> None:
    """One that was added there and not here would count as one that switches off."""
    narrow = [reaction for reaction in Reaction if reaction < Reaction.TRIP]
    for reaction in narrow:
        seen = glance(status(findings=(found("load_silent", reaction.name.lower()),)), 0.2)
        assert seen.verdict == "attention"
