"""When the real load differs from the forecast, the mode does what pays."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from holdfast.core.slot_mode import SlotMode
from holdfast.optimization.problem import BatteryModel
from holdfast.scheduling.slot_modes import slot_mode
from holdfast.scheduling.trajectory import Trajectory

BATTERY = BatteryModel(
    capacity_wh=10_000,
    soc_min_wh=1_000,
    soc_max_wh=9_500,
    soc_now_wh=5_000,
    charge_max_w=5_000,
    discharge_max_w=5_000,
    charge_efficiency=1.0,
    discharge_efficiency=1.0,
    wear_cost_per_kwh=0.02,
    terminal_value_per_kwh=0.1,
)


def trajectory(
    battery_w: tuple[float, ...] = (0.0,),
    grid_w: tuple[float, ...] = (0.0,),
    *,
    value: tuple[float, ...] = (0.10,),
    bought: float = 0.20,
    sold: float = 0.05,
    soc_wh: tuple[float, ...] = (5_000.0,),
    load_w: float = 600.0,
    throttles: bool = False,
    pv_on: bool = True,
) -> Trajectory:
    slots = len(battery_w)
    return Trajectory(
        starts=tuple(
            datetime(2026, 5, 1, tzinfo=UTC) + timedelta(hours=hour) for hour in range(slots)
        ),
        battery=BATTERY,
        import_price_per_kwh=(bought,) * slots,
        export_price_per_kwh=(sold,) * slots,
        load_w=(load_w,) * slots,
        battery_w=battery_w,
        grid_w=grid_w,
        soc_wh=soc_wh,
        stored_value_per_kwh=value,
        battery_sign=tuple((watt > 20) - (watt < -20) for watt in battery_w),
        grid_sign=tuple((watt > 20) - (watt < -20) for watt in grid_w),
        export_limit_w=(100.0 if throttles else None,) * slots,
        throttles=(throttles,) * slots,
        pv_on=(pv_on,) * slots,
    )


LATER_DEAR, LATER_CHEAP = (0.30,), (0.03,)


@pytest.mark.parametrize(
    ("planned", "mode"),
    [
        (trajectory((3000,), (3600,)), SlotMode.POWER),
        (trajectory((900,), (0,)), SlotMode.SELF_CONSUMPTION),
        (trajectory((900,), (-700,)), SlotMode.SELF_CONSUMPTION),
        (trajectory((-5000,), (-4400,)), SlotMode.POWER),
        (trajectory((-700,), (-100,)), SlotMode.SELF_CONSUMPTION),
        (trajectory((-600,), (0,)), SlotMode.SELF_CONSUMPTION),
        (trajectory((-5000,), (2000,)), SlotMode.SELF_CONSUMPTION),
        (trajectory((-500,), (4000,), value=LATER_DEAR), SlotMode.POWER),
        (trajectory((0,), (600,), value=LATER_DEAR), SlotMode.HOLD),
        # To follow the meter while import is paid for would spend what is stored.
        (trajectory((0,), (600,), value=LATER_CHEAP, pv_on=False), SlotMode.HOLD),
        (trajectory((3000,), (3600,), pv_on=False), SlotMode.POWER),
        (trajectory((-500,), (100,), value=LATER_CHEAP, pv_on=False), SlotMode.POWER),
        (trajectory((-700,), (-100,), pv_on=False), SlotMode.POWER),
        (trajectory((0,), (600,), value=LATER_CHEAP), SlotMode.SELF_CONSUMPTION),
        (trajectory((0,), (0,), value=LATER_DEAR), SlotMode.HOLD),
        (trajectory((0,), (0,), value=LATER_CHEAP), SlotMode.SELF_CONSUMPTION),
        (trajectory((0,), (-800,), value=LATER_CHEAP), SlotMode.POWER),
        (trajectory((0,), (-800,)), SlotMode.SELF_CONSUMPTION),
        # Wear counts: 18.5 ct later is not worth 20 ct now once 2 ct of life are paid.
        (trajectory((0,), (600,), value=(0.185,)), SlotMode.HOLD),
        (trajectory((0,), (600,), value=(0.175,)), SlotMode.SELF_CONSUMPTION),
    ],
)
def test_mode_follows_from_what_is_planned_and_what_energy_is_worth(
    planned: Trajectory, mode: SlotMode
) -> None:
    assert slot_mode(planned, 0) is mode


def test_a_full_battery_exports_but_is_not_locked() -> None:
    full = trajectory((0,), (-800,), value=LATER_CHEAP, soc_wh=(9_500.0,))
    assert slot_mode(full, 0) is SlotMode.SELF_CONSUMPTION


def test_a_full_battery_keeps_for_later_what_one_kwh_less_would_cost() -> None:
    # One kWh more would find no room and is worth nothing; one less is missed.
    full = trajectory((0, 0), (300, 600), value=(0.0, 0.30), soc_wh=(9_500.0, 9_500.0))
    assert slot_mode(full, 0) is SlotMode.HOLD


def test_stored_energy_is_used_no_later_than_the_battery_runs_empty() -> None:
    planned = trajectory(
        (0, -600, 900, -600),
        (600, 0, 0, 0),
        value=(0.1,) * 4,
        soc_wh=(1_600.0, 1_000.0, 1_900.0, 1_300.0),
    )
    planned = replace(planned, import_price_per_kwh=(0.2, 0.2, 0.2, 0.5))
    assert planned.next_uses() == (1, 3, 3, None)
    assert planned.next_charges() == (2, 2, None, None)


@pytest.mark.parametrize(
    ("planned", "mode"),
    [
        # Room that is worth more later: nothing is stored, though the sun would give it away.
        (trajectory((0,), (0,), value=(-0.01,), throttles=True), SlotMode.POWER),
        (trajectory((0,), (0,), value=(0.0,), throttles=True), SlotMode.SELF_CONSUMPTION),
        (
            trajectory((0,), (0,), value=(0.1,), sold=-0.05, throttles=True),
            SlotMode.SELF_CONSUMPTION,
        ),
        (trajectory((0,), (0,), value=LATER_DEAR, throttles=True), SlotMode.HOLD),
        (trajectory((0,), (0,), value=(-0.01,)), SlotMode.SELF_CONSUMPTION),
        (
            trajectory((0,), (0,), value=(-0.01,), soc_wh=(9_500.0,), throttles=True),
            SlotMode.SELF_CONSUMPTION,
        ),
        # Against the load alone: a battery that followed the meter would store the surplus.
        (trajectory((-600,), (0,), throttles=True), SlotMode.POWER),
        (trajectory((-600,), (-100,), throttles=True), SlotMode.POWER),
        (trajectory((900,), (0,), throttles=True), SlotMode.SELF_CONSUMPTION),
    ],
)
def test_where_pv_is_throttled_the_battery_does_as_planned(
    planned: Trajectory, mode: SlotMode
) -> None:
    assert slot_mode(planned, 0) is mode
