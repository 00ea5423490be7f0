"""Which interlocks hold for a site that only observes."""

from holdfast.core.signals import Signal
from holdfast.safety.interlock_manager import INTERLOCKS, InterlockManager
from tests.builders import build_site, snapshot_of

NEEDS_WRITING = {"contactor_open", "precharge_open", "revert_timer_armed"}


def test_what_only_our_own_writing_can_bring_about_is_not_asked_of_a_site_that_observes():
    assert {row.id for row in INTERLOCKS if row.writes} == NEEDS_WRITING
    nothing_fits = snapshot_of(
        {
            Signal.CONTACTOR_CLOSED: 0.5, Signal.PRECHARGE_CLOSED: 0.5,
            Signal.REVERT_TIMEOUT_READBACK_S: 0.5, Signal.EMERGENCY_LOOP_CLOSED: 0.5,
            Signal.WATCHDOG_ARMED: 0.5,
        }
    )  # fmt: skip
    everything = {row.id for row in INTERLOCKS}
    for authority, held in (("full", everything), ("observe", everything - NEEDS_WRITING)):
        blocks = InterlockManager(build_site(authority=authority)).assess(nothing_fits)
        assert {block.row for block in blocks} == held
