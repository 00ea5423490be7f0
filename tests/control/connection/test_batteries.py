"""What the batteries could do now to help at the meter."""

import pytest

from holdfast.control.connection.batteries import BatteryHelp, help_of
from holdfast.core.signals import Signal
from tests.builders import build_site, snapshot_of, unit_content


@pytest.mark.parametrize(
    ("soc_pct", "helps"),
    [
        (50.0, (3000.0, 4000.0, 3000.0)),  # 30 % of 10 kWh are above the reserve of 20 %
        (20.0, (0.0, 4000.0, 0.0)),  # at the reserve
        (20.1, (3000.0, 4000.0, pytest.approx(10.0))),
        (15.0, (0.0, 4000.0, 0.0)),
        (89.9, (3000.0, 4000.0, pytest.approx(6990.0))),
        (90.0, (3000.0, 0.0, 7000.0)),
        (None, (0.0, 0.0, 0.0)),  # what nobody knows cannot be counted on
    ],
)
@pytest.mark.parametrize(
    "kept",
    [{"soc_min_pct": 5, "backup_reserve_pct": 20}, {"soc_min_pct": 20, "backup_reserve_pct": 5}],
)
def test_an_empty_battery_delivers_nothing_and_a_full_one_takes_nothing(soc_pct, helps, kept):
    operation = {
        **kept, "soc_max_pct": 90, "discharge_power_max_w": 3000, "charge_power_max_w": 4000,
    }  # fmt: skip
    site = build_site(unit_content(operation=operation))
    told = help_of(site, snapshot_of({Signal.SOC_PCT: soc_pct}))
    assert (told.discharge_w, told.charge_w, told.stored_wh) == helps


@pytest.mark.parametrize(
    ("for_s", "power_w"), [(3600.0, 500.0), (900.0, 2000.0), (600.0, 3000.0), (0.0, 3000.0)]
)
def test_what_is_stored_has_to_last(for_s, power_w):
    helps = BatteryHelp(discharge_w=3000.0, charge_w=0.0, stored_wh=500.0)
    assert helps.deliverable_w(for_s) == power_w


def test_the_last_second_counts_as_a_whole_one():
    helps = BatteryHelp(discharge_w=1e9, charge_w=0.0, stored_wh=1.0)
    assert helps.deliverable_w(0.5) == helps.deliverable_w(1.0) == 3600.0
    assert helps.deliverable_w(2.0) == 1800.0


@pytest.mark.parametrize(
    ("reserve_pct", "stored_wh"), [(None, 3000.0), (5.0, 3000.0), (40.0, 1000.0), (50.0, 0.0)]
)
def test_what_is_kept_for_a_while_is_not_stored_for_this(reserve_pct, stored_wh):
    site = build_site(unit_content(operation={"soc_min_pct": 5, "backup_reserve_pct": 20}))
    told = help_of(site, snapshot_of({Signal.SOC_PCT: 50.0}), reserve_pct)
    assert told.stored_wh == pytest.approx(stored_wh)
    assert (told.discharge_w > 0.0) is (stored_wh > 0.0)


def test_where_nothing_is_kept_all_that_is_stored_can_be_delivered():
    site = build_site(unit_content(operation={"soc_min_pct": 0, "backup_reserve_pct": 0}))
    told = help_of(site, snapshot_of({Signal.SOC_PCT: 0.5}))
    assert told.stored_wh == pytest.approx(50.0)
    assert told.discharge_w > 0.0
