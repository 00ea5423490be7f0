"""What the planner learns of PV while the inverters throttle it: nothing."""

from dataclasses import replace

import pytest

from holdfast.core.signals import SITE, Signal
from holdfast.monitoring.export_limit import ExportLimitStatus
from holdfast.runtime.planner import _sample
from tests.builders import UNIT, Bench
from tests.monitoring.test_explain import status_of


@pytest.mark.parametrize(
    ("limits_w", "grid_w", "learned"),
    [
        ((100.0,), -100.0, False), ((100.0,), -20.0, True), ((100.0,), 900.0, True),
        ((10_000.0,), -100.0, True), ((10_000.0,), -9_990.0, False), ((), -100.0, True),
        ((None,), -100.0, True), ((10_000.0, 100.0), -100.0, False), ((None, 100.0), -100.0, False),
    ],
)  # fmt: skip
def test_throttled_pv_is_not_learned_and_the_load_beside_it_is(
    limits_w: tuple[float | None, ...], grid_w: float, *, learned: bool
) -> None:
    bench = Bench()
    bench.start()
    bench.set(Signal.GRID_POWER_W, grid_w)
    bench.set(Signal.PV_POWER_W, 1000.0)
    bench.step()
    status = status_of(bench)
    limits = {
        f"unit{index}": ExportLimitStatus(
            asked_w=0.0, by_plan=True, reason="", written_w=0.0, read_back_w=limit_w
        )
        for index, limit_w in enumerate(limits_w)
    }
    sample = _sample(bench.site, replace(status, export_limits=limits))
    assert sample.pv_w == (1000.0 if learned else None)
    battery_w = status.value(UNIT, Signal.BATTERY_POWER_W)
    assert battery_w is not None
    assert sample.load_w == pytest.approx(max(grid_w + 1000.0 - battery_w, 0.0))
    assert sample.grid_w == status.value(SITE, Signal.GRID_POWER_W)
