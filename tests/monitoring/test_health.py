"""Health is yes or no: it can fail, and says why."""

import math
from typing import Any

import pytest

from holdfast.core.state_machine import State
from holdfast.monitoring.health import health, ready
from tests.monitoring.statuses import found, status


@pytest.mark.parametrize(
    ("changes", "is_healthy", "is_ready", "why"),
    [
        ({}, True, True, ""),
        ({"state": State.IDLE}, True, True, ""),
        ({"state": State.IDLE, "waits_for": ("the BMS is silent",)}, True, False, "BMS"),
        ({"state": State.RUNNING, "waits_for": ("never asked",)}, True, True, ""),
        ({"state": State.BOOT}, True, False, "tests itself"),
        ({"state": State.ERROR, "latched_faults": ("battery/x",)}, False, False, "battery/x"),
        ({"state": State.ERROR}, False, False, "tripped"),
        ({"state": State.STOPPED, "emergency_stop_latched": True}, False, False, "emergency stop"),
        ({"findings": (found("cell_heating", "trip", "trip"),)}, False, False, "cell_heating"),
        ({"findings": (found("soc_high", "block_charge"),)}, True, True, ""),
        ({"latches_on_disk": False}, False, False, "disk"),
    ],
)
def test_it_fails_by_state_and_says_why(
    changes: dict[str, Any], *, is_healthy: bool, is_ready: bool, why: str
) -> None:
    now = status(**changes)
    well, able = health(now, 0.2), ready(now, 0.2)
    assert (well.healthy, able.healthy) == (is_healthy, is_ready)
    assert well.state == able.state == now.state.name
    assert why in "; ".join(able.why)
    assert bool(well.why) is not well.healthy
    assert bool(able.why) is not able.healthy


@pytest.mark.parametrize("age_s", [None, 3.1, -0.1, math.nan, math.inf])
def test_nothing_fresh_is_neither_healthy_nor_ready_nor_in_a_state(age_s: float | None) -> None:
    for judged in (health(status(), age_s), ready(status(), age_s), health(None, age_s)):
        assert not judged.healthy
        assert judged.state is None
        assert judged.why
