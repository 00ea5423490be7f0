"""Flexible loads and heated rooms, as an owner writes them."""

import pytest
from pydantic import ValidationError

from holdfast.core.config.loads import FlexibleLoad, HeatedRoom
from tests.builders import build_site, load_content, room_content, unit_content


def load(**changes: object) -> FlexibleLoad:
    return FlexibleLoad.model_validate(load_content(**changes))


def room(**changes: object) -> HeatedRoom:
    return HeatedRoom.model_validate(room_content(**changes))


@pytest.mark.parametrize(
    ("begins", "ends", "minutes"),
    [
        ("00:00", "24:00", 1440),
        ("06:00", "06:15", 15),
        ("22:00", "06:00", 480),
        ("06:00", "06:00", 1440),
        ("00:15", "00:00", 1425),
    ],
)
def test_a_window_may_run_over_midnight(begins, ends, minutes):
    assert load(energy_wh=1, **{"from": begins, "to": ends}).window_minutes == minutes


def test_a_load_has_the_whole_day_and_is_off_without_a_plan_if_nothing_is_said():
    made = FlexibleLoad.model_validate({"name": "boiler", "power_w": 2000, "energy_wh": 1})
    assert made.window_minutes == 1440
    assert (made.days, made.runs_through, made.without_plan) == (None, False, "off")
    assert made.switch is None


def test_what_a_load_does_without_a_plan_is_off_or_on():
    assert [load(without_plan=word).without_plan for word in ("off", "on")] == ["off", "on"]
    with pytest.raises(ValidationError, match="'off' or 'on'"):
        load(without_plan="yes")


def test_a_load_begins_on_some_day():
    assert load(days=["sun"]).days == ("sun",)
    with pytest.raises(ValidationError, match="at least 1 item"):
        load(days=[])


def test_a_kelvin_too_cold_costs_half_of_the_currency_an_hour_if_nothing_is_said():
    assert room().discomfort_cost_per_k_h == 0.5


def test_a_load_cannot_need_more_than_its_power_gives_in_its_window():
    window = {"from": "22:00", "to": "06:30"}
    assert load(energy_wh=17_000, **window).energy_wh == 17_000
    with pytest.raises(ValidationError, match=r"boiler: energy_wh 17000\.1 is more than 2000 W"):
        load(energy_wh=17_000.1, **window)


def test_what_is_comfortable_is_known_at_every_hour():
    day = {"from": "06:00", "to": "22:00", "low_c": 20, "high_c": 24}
    night = {"low_c": 17, "high_c": 24}
    assert [row.low_c for row in room(comfort=[day, night]).comfort] == [20, 17]
    with pytest.raises(ValidationError, match="parlour: the last row of comfort must hold always"):
        room(comfort=[night, day])
    with pytest.raises(ValidationError):
        room(comfort=[])


def test_comfort_is_a_range_and_may_be_a_single_temperature():
    assert room(comfort=[{"low_c": 21, "high_c": 21}]).comfort[0].high_c == 21
    with pytest.raises(ValidationError, match=r"low_c \(21.5\) must not be above high_c \(21\)"):
        room(comfort=[{"low_c": 21.5, "high_c": 21}])


def test_a_site_knows_what_its_loads_take_and_which_it_switches():
    site = build_site(
        loads=[load_content(), load_content(name="car", switch=None)], rooms=[room_content()]
    )
    assert site.load_powers_w == {"boiler": 2000.0, "car": 2000.0, "parlour": 1500.0}
    assert {name: device.profile for name, device in site.switches.items()} == {
        "boiler": "generic_load_switch",
        "parlour": "generic_room_switch",
    }
    assert site.load_names == ("boiler", "parlour")
    assert build_site().load_powers_w == build_site().switches == {}


@pytest.mark.parametrize(
    "loads",
    [
        {"loads": [load_content(name="one")], "rooms": [room_content(name="one")]},
        {"loads": [load_content(), load_content()]},
        {"rooms": [room_content(), room_content()]},
        {"loads": [load_content(name="left")]},
        {"rooms": [room_content(name="left")]},
        {"rooms": [room_content(name="site")]},
    ],
)
def test_two_things_of_one_name_are_refused(loads):
    with pytest.raises(ValidationError, match="names of storage, loads and rooms must differ"):
        build_site(unit_content("left"), **loads)
