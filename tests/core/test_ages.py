"""From when on a reading is old, and lost."""

from holdfast.core.ages import ALL_USUAL, USUAL
from holdfast.core.signals import SIGNALS, Signal


def test_a_reading_is_old_from_half_of_its_maximum_age_and_lost_beyond_it():
    assert USUAL.old_ns.keys() == USUAL.lost_ns.keys() == set(Signal)
    for signal, row in SIGNALS.items():
        assert USUAL.lost_ns[signal] == row.max_age_ns
        assert USUAL.old_ns[signal] == row.max_age_ns // 2
    assert ALL_USUAL == {}


def test_other_ages_of_some_signals_leave_those_of_the_others():
    slower = USUAL.of({Signal.SOC_PCT: (1, 2)})
    assert (slower.old_ns[Signal.SOC_PCT], slower.lost_ns[Signal.SOC_PCT]) == (1, 2)
    assert slower.old_ns | {Signal.SOC_PCT: USUAL.old_ns[Signal.SOC_PCT]} == USUAL.old_ns
    assert slower.lost_ns | {Signal.SOC_PCT: USUAL.lost_ns[Signal.SOC_PCT]} == USUAL.lost_ns
