"""The page of devices has each table once, and claims no more than the table does."""

from holdfast.cli.device_page import device_page, maker_of
from holdfast.devices.profile import load_profile, profile_names


def test_each_table_stands_there_once_with_what_is_known() -> None:
    page = device_page()
    for name in profile_names():
        assert page.count(f"\n### {name}\n\n") == 1
        _, _, known = page.partition(f"\n### {name}\n\n")
        assert known[:1].isupper(), f"the table {name} begins with no words"
        assert maker_of(name)


def test_what_nobody_has_confirmed_is_not_yet() -> None:
    (row,) = [line for line in device_page().splitlines() if line.startswith("| [foxess_h3](")]
    assert "charge, discharge" in row
    assert "not yet" in row
    confirmed = load_profile("generic_inverter").confirmed
    (own,) = [
        line for line in device_page().splitlines() if line.startswith("| [generic_inverter]")
    ]
    assert confirmed is not None
    assert confirmed in own


def test_a_device_without_a_timer_is_marked() -> None:
    (row,) = [line for line in device_page().splitlines() if line.startswith("| [goodwe_et](")]
    assert "**none**" in row
