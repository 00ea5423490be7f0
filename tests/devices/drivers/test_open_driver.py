"""Which driver a configured device gets."""

import pytest

from holdfast.core.config.device import (
    CAN_INTERFACES,
    CanBus,
    HttpHost,
    ModbusRtu,
    ModbusRtuTcp,
    ModbusTcp,
)
from holdfast.core.data_store import DataStore
from holdfast.core.errors import ConfigError
from holdfast.core.role import Role
from holdfast.devices.drivers import CanBmsDriver, HttpDriver, ModbusDriver, open_driver
from holdfast.devices.drivers.backoff import Backoff
from holdfast.devices.profile import load_profile

MODBUS = ModbusTcp(host="127.0.0.1", port=1502)
SERIAL = ModbusRtu(port="/dev/nowhere")
GATEWAY = ModbusRtuTcp(host="127.0.0.1")
CAN = CanBus(interface="virtual", channel="x")
HTTP = HttpHost(host="127.0.0.1")


def store_of():
    return DataStore(("battery",))


@pytest.fixture
def store():
    return store_of()


@pytest.mark.parametrize(
    ("role", "owner", "profile", "connection", "kind"),
    [
        (Role.INVERTER, "battery", "generic_inverter", MODBUS, ModbusDriver),
        (Role.BMS, "battery", "pylontech_lv_can", CAN, CanBmsDriver),
        (Role.METER, "site", "generic_meter", MODBUS, ModbusDriver),
        (Role.METER, "site", "shelly_pro_3em", HTTP, HttpDriver),
        (Role.METER, "site", "generic_meter", SERIAL, ModbusDriver),
        (Role.METER, "site", "generic_meter", GATEWAY, ModbusDriver),
    ],
)
def test_driver_follows_profile_and_connection(store, role, owner, profile, connection, kind):
    driver = open_driver("its name", {role: owner}, load_profile(profile), connection, store)
    assert isinstance(driver, kind)
    assert driver.name == "its name"
    assert (driver.counters.reads, driver.counters.writes, driver.counters.errors) == (0, 0, 0)


@pytest.mark.parametrize(
    ("role", "owner", "profile", "connection", "named"),
    [
        (Role.BMS, "battery", "generic_bms", CAN, ["generic_bms", "modbus", "can"]),
        (
            Role.BMS,
            "battery",
            "pylontech_lv_can",
            MODBUS,
            ["pylontech_lv_can", "can", "modbus_tcp"],
        ),
        (Role.METER, "site", "shelly_pro_3em", MODBUS, ["shelly_pro_3em", "http", "modbus_tcp"]),
        (Role.METER, "site", "generic_meter", HTTP, ["generic_meter", "modbus", "http"]),
        (Role.INVERTER, "site", "generic_inverter", MODBUS, ["site", "generic_inverter"]),
        (Role.METER, "battery", "generic_meter", MODBUS, ["battery", "generic_meter"]),
        (Role.METER, "site", "generic_inverter", MODBUS, ["site", "for a inverter"]),
    ],
)
def test_what_does_not_go_together_is_named(store, role, owner, profile, connection, named):
    with pytest.raises(ConfigError) as error:
        open_driver("it", {role: owner}, load_profile(profile), connection, store)
    assert all(part in str(error.value) for part in named)


def test_an_interface_that_python_can_does_not_know_is_named_with_those_it_does(store):
    wrong = CAN.model_copy(update={"interface": "sockecan"})
    with pytest.raises(ConfigError, match="python-can knows no interface 'sockecan'; known are ca"):
        open_driver("it", {Role.BMS: "battery"}, load_profile("pylontech_lv_can"), wrong, store)


def test_a_bus_is_opened_on_each_interface_that_a_site_may_name():
    for interface in CAN_INTERFACES:
        bus = CAN.model_copy(update={"interface": interface})
        open_driver("it", {Role.BMS: "battery"}, load_profile("pylontech_lv_can"), bus, store_of())


def test_backoff_doubles_to_two_seconds_and_starts_anew():
    backoff = Backoff()
    assert [backoff.next_s() for _ in range(7)] == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]
    backoff.reset()
    assert backoff.next_s() == 0.1
