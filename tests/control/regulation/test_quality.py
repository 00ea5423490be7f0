"""The verdict on the last minute."""

import math

import pytest

from holdfast.control.regulation.quality import QualityJudge, QualityMemory, RegulationVerdict
from holdfast.core.units import ns_from_s

JUDGE = QualityJudge(rated_w=5000.0)


def judged(deviation, *, seconds=300, is_limited=False):
    """The verdict on a deviation, by second."""
    memory = QualityMemory()
    for second in range(seconds):
        memory = JUDGE.note(
            deviation(second), memory, now_ns=ns_from_s(second), dt_s=1.0, is_limited=is_limited
        )
    return JUDGE.judge(memory)


def test_a_meter_at_its_aim_is_stable():
    found = judged(lambda second: 20.0 * (-1) ** second)
    assert found.verdict is RegulationVerdict.STABLE
    assert found.rms_w == pytest.approx(20.0, rel=0.01)
    assert found.reversals_a_minute == 0.0


def test_a_loop_that_swings_is_oscillating_and_its_turns_are_counted():
    found = judged(lambda second: 800.0 * math.sin(2 * math.pi * second / 6.0))
    assert found.verdict is RegulationVerdict.OSCILLATING
    assert found.rms_w == pytest.approx(566.0, rel=0.05)
    assert found.reversals_a_minute == pytest.approx(20.0, abs=2)


def test_a_washing_machine_that_is_followed_a_second_late_is_no_oscillation():
    def deviation(second):
        return {0: 120.0, 8: -120.0}.get(second % 16, 0.0)

    found = judged(deviation)
    assert found.verdict is RegulationVerdict.STABLE
    assert found.reversals_a_minute == pytest.approx(7.5, abs=1)


def test_what_stays_beside_its_aim_is_sluggish_or_at_a_limit():
    assert judged(lambda _: 400.0).verdict is RegulationVerdict.SLUGGISH
    assert judged(lambda _: -400.0, is_limited=True).verdict is RegulationVerdict.AT_LIMIT
    assert judged(lambda _: 5.0, is_limited=True).verdict is RegulationVerdict.STABLE


def test_what_was_more_than_a_minute_ago_counts_no_more():
    found = judged(
        lambda second: 800.0 * (-1) ** (second // 3) if second < 60 else 0.0, seconds=400
    )
    assert found.verdict is RegulationVerdict.STABLE
    assert found.reversals_a_minute == 0.0
