"""Energies and money of a moment, both ways through the meter."""

import pytest

from holdfast.monitoring.history.energies import KNOWN_FOR, TOTALS, PricesNow, Sum, counted
from holdfast.monitoring.history.site_power import SitePower
from tests.monitoring.history.samples import PRICES


def an_hour_of(
    grid_w: float | None,
    pv_w: float | None = 0.0,
    battery_w: tuple[float, ...] | None = (0.0,),
    prices: PricesNow = PRICES,
) -> dict[Sum, float]:
    power = SitePower(grid_w=grid_w, pv_w=pv_w, battery_w=battery_w)
    return dict(counted(power, prices, 3600.0))


def test_each_energy_has_its_direction() -> None:
    found = an_hour_of(-500.0, 3000.0, (1200.0,))
    assert (found[Sum.IMPORT_WH], found[Sum.EXPORT_WH]) == (0.0, 500.0)
    assert (found[Sum.PV_WH], found[Sum.LOAD_WH]) == (3000.0, 1300.0)
    assert (found[Sum.CHARGE_WH], found[Sum.DISCHARGE_WH]) == (1200.0, 0.0)
    found = an_hour_of(700.0, 0.0, (-800.0,))
    assert (found[Sum.IMPORT_WH], found[Sum.EXPORT_WH]) == (700.0, 0.0)
    assert (found[Sum.CHARGE_WH], found[Sum.DISCHARGE_WH]) == (0.0, 800.0)


def test_one_unit_that_charges_another_is_not_netted() -> None:
    found = list(
        counted(SitePower(grid_w=0.0, pv_w=0.0, battery_w=(500.0, -500.0)), PRICES, 3600.0)
    )
    assert sum(amount for name, amount in found if name is Sum.CHARGE_WH) == 500.0
    assert sum(amount for name, amount in found if name is Sum.DISCHARGE_WH) == 500.0


def test_what_is_not_measured_is_not_counted() -> None:
    found = an_hour_of(100.0, None, (0.0,))
    assert Sum.PV_WH not in found
    assert Sum.LOAD_WH not in found
    assert found[Sum.IMPORT_WH] == 100.0
    assert Sum.CHARGE_WH not in an_hour_of(100.0, 0.0, None)
    assert Sum.COST not in an_hour_of(None)


@pytest.mark.parametrize(
    ("grid_w", "battery_w", "cost", "without"),
    [
        (1000.0, 0.0, 0.3, 0.3),
        (-1000.0, 0.0, -0.1, -0.1),
        (0.0, -1000.0, 0.0, 0.3),  # it served the load
        (0.0, 1000.0, 0.0, -0.1),  # it stored what would have been sold
        (2000.0, 3000.0, 0.6, -0.1),
    ],
)
def test_money_is_told_beside_that_of_no_battery(
    grid_w: float, battery_w: float, cost: float, without: float
) -> None:
    found = an_hour_of(grid_w, 0.0, (battery_w,))
    assert found[Sum.COST] == pytest.approx(cost)
    assert found[Sum.COST_NO_BATTERY] == pytest.approx(without)
    assert found[Sum.PURCHASE_S] / found[Sum.PRICED_S] == pytest.approx(0.3)


def test_a_battery_that_cannot_be_read_has_saved_nothing() -> None:
    found = an_hour_of(1000.0, 0.0, None)
    assert found[Sum.COST] == found[Sum.COST_NO_BATTERY] == pytest.approx(0.3)


def test_each_sum_but_times_and_prices_says_for_how_long_it_is_known() -> None:
    others = {name for name in Sum if name.endswith("_s")}
    assert KNOWN_FOR.keys() | others == set(Sum)
    assert Sum.COST in TOTALS
    assert Sum.COST_NO_BATTERY not in TOTALS
