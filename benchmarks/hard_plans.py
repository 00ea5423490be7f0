"""Problems on which a plain linear program is wrong, or which are more than one battery.

Load, sun and prices are drawn, always alike for the same number.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from holdfast.optimization.problem import Array, BatteryModel, PlanProblem
from holdfast.optimization.site_problem import ModeRules, Room, ShiftableLoad, SiteProblem

BATTERY = BatteryModel(
    capacity_wh=10_000,
    soc_min_wh=1_000,
    soc_max_wh=9_500,
    soc_now_wh=5_000,
    charge_max_w=5_000,
    discharge_max_w=4_000,
    charge_efficiency=0.95,
    discharge_efficiency=0.96,
    wear_cost_per_kwh=0.02,
    terminal_value_per_kwh=0.1,
)
_CROWD_IMPORT_W = 60_000.0

Prices = Callable[[Array], tuple[Array, Array]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How import and export prices follow from the exchange's."""

    name: str
    prices: Prices


KINDS = (
    Kind(name="negative prices", prices=lambda spot: (spot - 0.20, spot - 0.22)),
    Kind(name="export above import", prices=lambda spot: (spot, spot + 0.05)),
    Kind(name="fixed feed-in, negative import", prices=lambda spot: (spot - 0.25, spot * 0 + 0.08)),
)


ORDINARY = Kind(name="ordinary", prices=lambda spot: (spot, spot - 0.12))
WITH_LOADS = (ORDINARY, *KINDS[:2])
"""Two days of the third kind, with loads, take a direct program hours: there the bound is told."""
_LOADS = (
    ShiftableLoad(
        name="boiler", energy_wh=4_000.0, power_max_w=2_000.0, first_slot=0, last_slot=40
    ),
    ShiftableLoad(name="car", energy_wh=11_000.0, power_max_w=3_700.0, first_slot=20, last_slot=90),
    ShiftableLoad(
        name="washer", energy_wh=1_000.0, power_max_w=1_000.0, first_slot=30, last_slot=80,
        runs_through=True,
    ),
)  # fmt: skip


def hard_problem(kind: Kind, slots: int, number: int) -> PlanProblem:
    """Quarter hours of a house with 5 kW of PV."""
    random = np.random.default_rng(number)
    hour = np.arange(slots) / 4.0
    spot = 0.2 + 0.1 * np.sin(hour / 6.0 * np.pi + 1.0) + random.normal(0.0, 0.03, slots)
    bought, sold = kind.prices(spot)
    sun = np.maximum(np.sin((hour % 24.0 - 6.0) / 12.0 * np.pi), 0.0)
    return PlanProblem(
        dt_h=np.full(slots, 0.25),
        import_price_per_kwh=bought,
        export_price_per_kwh=sold,
        load_w=random.gamma(2.0, 250.0, slots),
        pv_w=5_000.0 * sun * random.uniform(0.3, 1.0),
        import_max_w=25_000.0,
        export_max_w=10_000.0,
        battery=BATTERY,
    )


def house_with_loads(kind: Kind, slots: int, number: int) -> SiteProblem:
    """A house of :func:`hard_problem` with three loads that can wait."""
    base = hard_problem(kind, slots, number)
    return SiteProblem(base=base, batteries=(BATTERY,), loads=_LOADS)


def house_with_many_loads(kind: Kind, slots: int, number: int, count: int) -> SiteProblem:
    """A house of :func:`hard_problem` with ``count`` loads, each third of which runs through."""
    base = hard_problem(kind, slots, number)
    random = np.random.default_rng(1_000 + number)
    loads = []
    for index in range(count):
        first = int(random.integers(0, slots // 2))
        power_w, through = float(random.choice([500.0, 1_000.0, 2_000.0, 3_700.0])), index % 3 == 2
        hours = random.integers(2, 8) / 4.0 if through else random.uniform(0.5, 3.0)
        loads.append(
            ShiftableLoad(
                name=f"load {index}",
                energy_wh=power_w * float(hours),
                power_max_w=power_w,
                first_slot=first,
                last_slot=min(slots - 1, first + int(random.integers(24, 96))),
                runs_through=through,
            )
        )
    return SiteProblem(
        base=replace(base, import_max_w=_CROWD_IMPORT_W), batteries=(BATTERY,), loads=tuple(loads)
    )


def heated_house(slots: int, number: int, *, rooms: int = 10) -> SiteProblem:
    """Rooms, half of them on a heat pump, and an inverter that takes modes only."""
    random = np.random.default_rng(number)
    hour = np.arange(slots) / 4.0
    base = hard_problem(Kind(name="", prices=lambda spot: (spot, spot * 0 + 0.08)), slots, number)
    low_c = np.where((hour % 24 > 6) & (hour % 24 < 22), 20.0, 17.0)
    heated = tuple(
        Room(
            name=f"room {index}",
            power_max_w=float(random.uniform(800, 2_000)),
            heat_per_power=3.0 if index % 2 else 1.0,
            capacity_wh_per_k=float(random.uniform(800, 4_000)),
            loss_w_per_k=float(random.uniform(15, 50)),
            temperature_now_c=float(random.uniform(17.5, 21.0)),
            outdoor_c=5.0 + 4.0 * np.sin((hour - 9.0) / 12.0 * np.pi),
            gains_w=np.full(slots, 50.0),
            low_c=low_c,
            high_c=low_c + 4.0,
            end_cost_per_k=0.3,
        )
        for index in range(rooms)
    )
    return SiteProblem(base=base, batteries=(BATTERY,), rooms=heated, modes=ModeRules())
