"""What a site.yaml may say and hardly means is doubted, with what would be right."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from holdfast.core.config import Site
from holdfast.simulation.demo_site import simulated_site
from holdfast.site.doubts import PRICES, SIZES, doubts
from tests.builders import device, load_content, room_content, site_content, unit_content

FIXED = {"kind": "fixed", "price_per_kwh": 0.3}
TIMED = {"kind": "time_of_use", "prices": [{"price_per_kwh": 0.3}]}


def content_of(*, fixed: bool = True, **changes: Any) -> dict[str, Any]:
    """A site in which every key that is judged stands, each with a plausible value."""
    operation = {
        "charge_power_max_w": 4000, "discharge_power_max_w": 4000, "backup_reserve_pct": 20,
    }  # fmt: skip
    unit = unit_content("battery", operation=operation)
    for role in ("bms", "inverter", "relays"):
        unit[role] = device(f"generic_{role}", f"{role}.local")
    tariff = {
        "source": FIXED if fixed else TIMED, "fees": [{"price_per_kwh": 0.05}],
        "levies_per_kwh": 0.02, "vat_pct": 19,
    }  # fmt: skip
    content = site_content(
        unit,
        **{
            "meter": device("generic_meter", "meter.local"),
            "emergency_input": device("generic_emergency_input", "input.local"),
            "limited_power_w": 500,
            "location": {"latitude_deg": 52, "longitude_deg": 13},
            "pv": {
                "inverter_ac_max_w": 7000,
                "arrays": [{"azimuth_deg": 180, "tilt_deg": 30, "peak_w": 7500, "losses_pct": 14}],
            },
            "loads": [load_content(switch=device("generic_load_switch", "boiler.local"))],
            "rooms": [room_content(switch=device("generic_room_switch", "room.local"))],
            "prices": {"purchase": tariff, "feed_in": deepcopy(tariff)},
            "planner": {"ageing_cost_per_kwh_day": 0.01, "deep_wear_cost_per_kwh": 0.01},
            **changes,
        },
    )
    return deepcopy(content)


def changed(path: str, value: object, content: dict[str, Any]) -> Site:
    """A site with one more key, or another value; ``path`` as in the tables."""
    *parents, last = path.split(".")
    at: Any = content
    for key in parents:
        at = at.setdefault(key.removesuffix("[]"), {})
        at = at[0] if key.endswith("[]") else at
    at[last] = value
    return Site.model_validate(content)


def test_a_site_as_it_should_be_raises_no_doubt() -> None:
    assert doubts(Site.model_validate(content_of())) == ()
    assert doubts(simulated_site()) == ()


def mixed_up() -> Iterator[Any]:
    """Each key with a usual value in the unit that is written by mistake."""
    usual = {"W": 4.5, "Wh": 3.9, "%": 0.9}
    for size in SIZES:
        value = usual[size.unit] if "loss_w" not in size.path else 0.05
        yield pytest.param(size.path, value, size.meant, value * size.factor, id=size.path)


@pytest.mark.parametrize(("path", "value", "meant", "right"), [*mixed_up()])
def test_another_unit_is_recognised(path: str, value: float, meant: str, right: float) -> None:
    content = content_of()
    if path.endswith("soc_max_pct"):  # the lower end has to stay below it
        content["storage"][0]["operation"] = {"soc_min_pct": 0}
    if "inverter_hardware" in path:  # of which no more can be wanted
        content["storage"][0]["operation"] = {}
    if path == "loads[].power_w":
        content["loads"][0]["energy_wh"] = 100
    (doubt,) = doubts(changed(path, value, content))
    assert doubt.startswith(path.replace("[]", "[0]") + f": {value:g} ")
    assert meant in doubt
    assert doubt.endswith(f"write {right:g}")


@pytest.mark.parametrize("path", PRICES)
def test_cents_are_no_euros(path: str) -> None:
    content = content_of(fixed="prices[]" not in path)
    (doubt,) = doubts(changed(path, 31, content))
    assert doubt == (
        f"{path.replace('[]', '[0]')}: 31 EUR is not plausible; if it is meant in ct, write 0.31"
    )


def test_money_of_other_sizes_is_not_taken_for_cents() -> None:
    content = content_of(currency="JPY")
    assert doubts(changed("prices.purchase.source.price_per_kwh", 31, content)) == ()
    content = content_of(currency="DKK")
    assert doubts(changed("prices.purchase.source.price_per_kwh", 3.1, content)) == ()
    assert "in øre" in doubts(changed("prices.purchase.source.price_per_kwh", 310, content))[0]


def test_a_price_below_zero_is_judged_by_its_size() -> None:
    content = content_of()
    assert doubts(changed("prices.feed_in.levies_per_kwh", -0.02, content)) == ()
    assert len(doubts(changed("prices.feed_in.levies_per_kwh", -2.0, content))) == 1


def test_zero_means_none_and_is_plausible() -> None:
    assert doubts(changed("grid.export_max_w", 0, content_of())) == ()


def test_addresses_of_the_example_are_told_in_one_line() -> None:
    content = content_of(meter=device("generic_meter", "192.0.2.10"))
    content["emergency_input"] = device("generic_emergency_input", "198.51.100.7")
    assert doubts(Site.model_validate(content)) == (
        "meter, emergency_input: still at an address of the example; no device is there",
    )


def test_devices_of_two_roles_at_one_address_are_doubts() -> None:
    content = content_of(meter=device("generic_meter", "Inverter.local"))
    (doubt,) = doubts(Site.model_validate(content))
    assert doubt.startswith("meter, storage[0].inverter: all at inverter.local:502, device 1; ")


def test_several_devices_are_on_the_lines_of_one_chip() -> None:
    content = content_of()
    chip = {"kind": "gpio", "chip": "gpiochip0"}  # its tables name the lines
    content["emergency_input"] = {"profile": "gpio_emergency_input", "connection": chip}
    content["storage"][0]["relays"] = {"profile": "gpio_relays", "connection": chip}
    assert doubts(Site.model_validate(content)) == ()


def slow(role: str, timeout_s: float, **hardware: float) -> list[str]:
    """What is said of a device that is given so much time."""
    content = content_of()
    unit = content["storage"][0]
    unit["inverter_hardware"] |= hardware
    section = content if role == "meter" else unit
    section[role]["connection"]["timeout_s"] = timeout_s
    return [text for text in doubts(Site.model_validate(content)) if " s to answer" in text
            or "heartbeat" in text]  # fmt: skip


def test_what_a_slow_inverter_costs_is_told() -> None:
    assert slow("inverter", 0.5) == []
    (halved,) = slow("inverter", 1.0)
    assert halved == (
        "storage[0].inverter: it is given 1 s to answer: while it takes more than 0.5 s, its power "
        "is halved"
    )
    _, heartbeat = slow("inverter", 2.0)
    assert "a revert_timeout_s of 5 s leaves its heartbeat fewer than three tries" in heartbeat
    assert heartbeat.endswith("6 s would be right")
    assert len(slow("inverter", 2.0, revert_timeout_s=6.0)) == 1


def test_a_meter_or_relays_cannot_be_slow_and_a_bms_may_take_its_time() -> None:
    for role in ("meter", "relays"):
        (lost,) = slow(role, 2.0)
        assert "what it tells is lost after 1 s" in lost
    assert slow("bms", 2.0) == []
    assert len(slow("bms", 3.0)) == 1


def late(profile: str, **connection: float) -> list[str]:
    """What is said of a meter over HTTP."""
    meter = {"profile": profile, "connection": {"kind": "http", "host": "meter", **connection}}
    content = content_of(meter=meter, pv_meter={"none": "no PV here"})
    return list(doubts(Site.model_validate(content)))


def test_what_a_late_meter_costs_is_told() -> None:
    assert late("shelly_pro_3em") == []
    (halved,) = late("fronius_solar_api_meter")
    assert halved == (
        "meter: fronius_solar_api_meter tells a value every 1 s: while it is older than 0.5 s, the "
        "power is halved"
    )
    assert late("shelly_pro_3em", timeout_s=3.0) == []
    (lost,) = late("shelly_pro_3em", timeout_s=3.5)
    assert lost == (
        "meter: it is given 3.5 s to answer, and what it tells is lost after 3 s, which takes the "
        "power to 0 W"
    )


def test_a_meter_behind_a_broker_may_be_late_too() -> None:
    connection = {"kind": "mqtt", "host": "broker", "topic": "tasmota"}
    meter = {"profile": "tasmota_meter", "connection": connection}
    content = content_of(meter=meter, pv_meter={"none": "no PV here"})
    (halved,) = doubts(Site.model_validate(content))
    assert halved.startswith("meter: tasmota_meter tells a value every 10 s: while it is older ")


def test_a_late_meter_of_pv_costs_nothing() -> None:
    connection = {"kind": "http", "host": "pv"}
    pv_meter = {"profile": "fronius_solar_api_meter", "connection": connection}
    assert doubts(Site.model_validate(content_of(pv_meter=pv_meter))) == ()


def test_an_address_of_the_example_is_one_over_http_too() -> None:
    connection = {"kind": "http", "host": "192.0.2.3"}
    content = content_of(meter={"profile": "shelly_3em", "connection": connection})
    content["pv_meter"] = {"none": "no PV here"}
    (doubt,) = doubts(Site.model_validate(content))
    assert doubt.startswith("meter: still at an address of the example")


@pytest.mark.parametrize(
    ("interface", "told"),
    [
        ("socketcan", None),
        ("gs_usb", None),
        ("sockecan", "is socketcan meant?"),
        ("zzz", "known are canalystii, "),
    ],
)
def test_an_interface_that_python_can_does_not_come_with_is_doubted(
    interface: str, told: str | None
) -> None:
    connection = {"kind": "can", "interface": interface, "channel": "can0"}
    unit = unit_content(bms={"profile": "pylontech_lv_can", "connection": connection})
    site = Site.model_validate(site_content(unit))
    found = [doubt for doubt in doubts(site) if "python-can" in doubt]
    if told is None:
        assert found == []
    else:
        (doubt,) = found
        assert doubt.startswith("storage[0].bms: python-can comes without an interface ")
        assert told in doubt


def on_serial(role: str, **connection: object) -> list[str]:
    content = content_of()
    section = content if role == "meter" else content["storage"][0]
    section[role]["connection"] = {
        "kind": "modbus_rtu", "port": "/dev/ttyUSB0", "timeout_s": 0.3, **connection
    }  # fmt: skip
    return list(doubts(Site.model_validate(content)))


def test_a_baudrate_that_hardly_any_device_has_is_doubted() -> None:
    for rate in (9600, 19_200, 115_200):
        assert on_serial("meter", baudrate=rate) == []
    (doubt,) = on_serial("meter", baudrate=9500)
    assert doubt == "meter: hardly any device speaks at 9500 baud; is 9600 meant?"


def test_a_meter_that_is_given_as_much_time_as_is_usual_on_a_line_is_doubted() -> None:
    (doubt,) = on_serial("meter", timeout_s=1.0)
    assert "it is given 1 s to answer, and what it tells is lost after 1 s" in doubt


def test_a_gateway_at_an_address_of_the_example_is_doubted() -> None:
    content = content_of()
    content["meter"]["connection"] = {
        "kind": "modbus_rtu_tcp", "host": "192.0.2.9", "timeout_s": 0.3
    }  # fmt: skip
    (doubt,) = doubts(Site.model_validate(content))
    assert doubt.startswith("meter: still at an address of the example")


def test_a_line_with_more_polls_than_time_is_doubted() -> None:
    content = content_of()
    line = {"kind": "modbus_rtu", "port": "/dev/ttyUSB0", "timeout_s": 0.3}
    content["meter"]["connection"] = line
    content["storage"][0]["inverter"]["connection"] = {**line, "device_id": 2}
    (doubt,) = doubts(Site.model_validate(content))
    assert doubt == (
        "meter, storage[0].inverter: at 9600 baud their polls take 73 % of the time on "
        "/dev/ttyUSB0; they will come less often"
    )
    for place in (content["meter"], content["storage"][0]["inverter"]):
        place["connection"]["baudrate"] = 38_400
    assert doubts(Site.model_validate(content)) == ()


def test_a_slow_hybrid_is_doubted_in_each_role_by_what_that_may_wait() -> None:
    """Its battery's values may be five seconds old, and the inverter's one."""

    def behind_stick(timeout_s: float) -> list[str]:
        content = content_of()
        connection = {"kind": "modbus_mqtt", "host": "broker", "timeout_s": timeout_s}
        box = {"profile": "growatt_sph", "connection": connection}
        (unit,) = content["storage"]
        unit |= {"inverter": box, "bms": box}
        return [doubt for doubt in doubts(Site.model_validate(content)) if "to answer" in doubt]

    (slow,) = behind_stick(2.5)[:1]
    assert slow.endswith("while it takes more than 0.5 s, its power is halved")
    (lost,) = behind_stick(3.0)
    assert lost.endswith("is lost after 5 s: a bms that is so slow takes the power to 0 W")


def test_that_nobody_may_be_told_before_a_browser_is_switched_on_is_doubted() -> None:
    phones = {"name": "phones", "channel": {"kind": "web_push", "contact": "ann@example.org"}}
    other = {"name": "ann", "channel": {"kind": "ntfy", "topic": "house"}}
    (doubt,) = doubts(Site.model_validate(content_of(notifications={"recipients": [phones]})))
    assert "name another way beside them" in doubt
    both = content_of(notifications={"recipients": [phones, other]})
    assert doubts(Site.model_validate(both)) == ()
