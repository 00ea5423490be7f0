"""What the planner learns of PV while the inverters throttle it: nothing."""

from dataclasses import replace

import pytest

from holdfast.core.signals import SITE, Signal
from holdfast.monitoring.quantities.quantity import Quantity, QuantityName
from holdfast.runtime.measured import sample_of
from tests.builders import UNIT, Bench
from tests.monitoring.explain.test_text import status_of


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
    limits = [
        Quantity(
            owner=f"unit{index}", name=QuantityName.EXPORT_LIMIT, unit="W", asked=0.0,
            source="plan", reason="", permitted=0.0, written=0.0, read_back=limit_w, measured=None,
        )
        for index, limit_w in enumerate(limits_w)
    ]  # fmt: skip
    sample = sample_of(bench.site, replace(status, quantities=(*status.quantities, *limits)))
    assert sample.pv_w == (1000.0 if learned else None)
    battery_w = status.value(UNIT, Signal.BATTERY_POWER_W)
    assert battery_w is not None
    assert sample.load_w == pytest.approx(max(grid_w + 1000.0 - battery_w, 0.0))
    assert sample.grid_w == status.value(SITE, Signal.GRID_POWER_W)


@pytest.mark.parametrize(
    ("written", "read_back", "learned"),
    [
        (1.0, 1.0, True),
        (0.0, 1.0, False),
        (1.0, 0.0, False),
        (0.0, None, False),
        (None, None, True),
    ],
)
def test_pv_that_is_switched_off_is_not_learned(
    written: float | None, read_back: float | None, *, learned: bool
) -> None:
    bench = Bench()
    bench.start()
    bench.set(Signal.PV_POWER_W, 0.0)
    bench.step()
    status = status_of(bench)
    switch = Quantity(
        owner=UNIT, name=QuantityName.PV_SWITCH, unit="0/1", asked=0.0, source="plan", reason="",
        permitted=0.0, written=written, read_back=read_back, measured=None,
    )  # fmt: skip
    sample = sample_of(bench.site, replace(status, quantities=(*status.quantities, switch)))
    assert sample.pv_w == (0.0 if learned else None)
    assert sample.load_w is not None
