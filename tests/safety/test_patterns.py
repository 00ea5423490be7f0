"""Each pattern is looked for, and what it remembers is handed on."""

from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_S
from holdfast.safety.finding import Level
from holdfast.safety.meter_sign import MeterMemory
from holdfast.safety.oscillation import Swing
from holdfast.safety.patterns import PatternMemory, Patterns
from holdfast.safety.resistance import Point, Probe
from tests.builders import T0, UNIT, build_site, snapshot_of

PATTERNS = Patterns(build_site())


def test_at_first_nothing_is_remembered_and_a_healthy_site_shows_no_pattern():
    memory = PatternMemory()
    assert (memory.oscillation, memory.resistance) == ({}, {})
    assert memory.meter_sign == MeterMemory()
    for second in range(30):
        snapshot = snapshot_of(now_ns=T0 + second * NS_PER_S)
        findings, memory = PATTERNS.assess(snapshot, memory)
        assert findings == ()
    assert (set(memory.oscillation), set(memory.resistance)) == ({UNIT}, {UNIT})
    assert memory.meter_sign.battery == (T0 + 29 * NS_PER_S, 0.0)


def test_what_each_has_found_is_told():
    point = Point(time_ns=T0, voltage_v=52.8, current_a=0.0)
    before = PatternMemory(
        oscillation={UNIT: Swing(extreme_w=0.0, turns_ns=(T0,) * 10)},
        resistance={UNIT: Probe(point=point, ratios=(2.5,) * 15, level=Level.ALARM)},
        meter_sign=MeterMemory(found_since_ns=T0, stepped_ns=T0),
    )
    findings, after = PATTERNS.assess(snapshot_of({Signal.CONTACTOR_CLOSED: 1.0}), before)
    assert [found.row for found in findings] == [
        "setpoint_oscillation", "resistance_doubled", "meter_sign_wrong",
    ]  # fmt: skip
    assert after.oscillation is before.oscillation
    assert after.resistance is before.resistance
