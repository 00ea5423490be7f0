"""Each pattern is looked for, and what it remembers is handed on."""

from dataclasses import replace

from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_S
from holdfast.safety.finding import Level
from holdfast.safety.frozen_data import Standstill
from holdfast.safety.meter_sign import MeterMemory, MeterStep
from holdfast.safety.oscillation import Swing
from holdfast.safety.patterns import PatternMemory, Patterns
from holdfast.safety.resistance import LoadSample, Probe
from holdfast.safety.still_meter import StillMemory
from tests.builders import T0, UNIT, build_site, snapshot_of

PATTERNS = Patterns(build_site())


def test_at_first_nothing_is_remembered_and_a_healthy_site_shows_no_pattern():
    memory = PatternMemory()
    assert (memory.oscillation, memory.resistance) == ({}, {})
    assert memory.meter_sign == MeterMemory()
    assert (memory.frozen, memory.still) == ({}, StillMemory())
    for second in range(30):
        snapshot = snapshot_of(now_ns=T0 + second * NS_PER_S)
        findings, memory = PATTERNS.assess(snapshot, memory)
        assert findings == ()
    assert (set(memory.oscillation), set(memory.resistance)) == ({UNIT}, {UNIT})
    assert set(memory.frozen) == {f"{UNIT}/bms", f"{UNIT}/inverter", "site/meter"}
    assert memory.meter_sign.battery == (T0 + 29 * NS_PER_S, 0.0)


def test_what_each_has_found_is_told():
    point = LoadSample(time_ns=T0, voltage_v=52.8, current_a=0.0)
    before = PatternMemory(
        oscillation={UNIT: Swing(extreme_w=0.0, turns_ns=(T0,) * 10)},
        resistance={UNIT: Probe(point=point, ratios=(2.5,) * 15, level=Level.ALARM)},
        meter_sign=MeterMemory(
            steps=(MeterStep(gain=-1.0, is_far=False),), found_since_ns=T0, stepped_ns=T0
        ),
        frozen={
            "site/meter": Standstill(
                values=(0.0,), changed_ns=T0, sample_ns=T0, moved_ns=T0, found_since_ns=T0
            )
        },
    )
    findings, after = PATTERNS.assess(snapshot_of({Signal.CONTACTOR_CLOSED: 1.0}), before)
    assert [found.row for found in findings] == [
        "setpoint_oscillation",
        "resistance_doubled",
        "meter_sign_wrong",
        "meter_data_frozen",
    ]
    assert after.oscillation is before.oscillation
    assert after.resistance is before.resistance
    assert after.meter_sign.found_since_ns == T0
    assert after.frozen["site/meter"].found_since_ns == T0


def test_a_meter_that_both_have_found_is_told_of_once():
    """By its witness, and since its grid does not breathe."""
    by_witness = Standstill(
        values=(0.0,), changed_ns=T0, sample_ns=T0, witness_w=0.0, found_since_ns=T0
    )
    by_itself = StillMemory(
        values=(230.0, 50.0, 0.0, 0.0), since_ns=T0, sample_ns=T0, found_since_ns=T0 + 7
    )
    for frozen, still, since_ns in (
        ({"site/meter": by_witness}, by_itself, T0),
        ({"site/meter": by_witness}, StillMemory(), T0),
        ({}, by_itself, T0 + 7),
    ):
        findings, after = PATTERNS.assess(snapshot_of(), PatternMemory(frozen=frozen, still=still))
        assert [(found.key, found.since_ns) for found in findings] == [
            ("site/meter_data_frozen", since_ns)
        ]
        assert after.still.found_since_ns == still.found_since_ns
    bms = replace(by_witness, values=(52.8, 0.0, 3.29, 3.31))
    memory = PatternMemory(frozen={f"{UNIT}/bms": bms}, still=by_itself)
    findings, _ = PATTERNS.assess(snapshot_of(), memory)
    assert [found.key for found in findings] == [
        f"{UNIT}/bms_data_frozen",
        "site/meter_data_frozen",
    ]
