"""Which driver a configured device gets."""

import pytest

from holdfast.core.data_store import DataStore
from holdfast.core.device_config import CanBus, Device, ModbusTcp
from holdfast.core.errors import ConfigError
from holdfast.devices.drivers import CanBmsDriver, ModbusDriver, open_driver
from holdfast.devices.drivers.backoff import Backoff

MODBUS = ModbusTcp(host="127.0.0.1", port=1502)
CAN = CanBus(interface="virtual", channel="x")


@pytest.fixture
def store():
    return DataStore(("battery",))


@pytest.mark.parametrize(
    ("owner", "profile", "connection", "kind", "name"),
    [
        ("battery", "generic_inverter", MODBUS, ModbusDriver, "battery/inverter"),
        ("battery", "pylontech_lv_can", CAN, CanBmsDriver, "battery/bms"),
        ("site", "generic_meter", MODBUS, ModbusDriver, "site/meter"),
    ],
)
def test_driver_follows_profile_and_connection(store, owner, profile, connection, kind, name):
    driver = open_driver(owner, Device(profile=profile, connection=connection), store)
    assert isinstance(driver, kind)
    assert driver.name == name
    assert (driver.counters.reads, driver.counters.writes, driver.counters.errors) == (0, 0, 0)


@pytest.mark.parametrize(
    ("owner", "profile", "connection", "named"),
    [
        ("battery", "generic_bms", CAN, ["generic_bms", "modbus", "can"]),
        ("battery", "pylontech_lv_can", MODBUS, ["pylontech_lv_can", "can", "modbus_tcp"]),
        ("battery", "no_such_thing", MODBUS, ["no_such_thing", "generic_bms"]),
        ("site", "generic_inverter", MODBUS, ["site", "generic_inverter"]),
        ("battery", "generic_meter", MODBUS, ["battery", "generic_meter"]),
    ],
)
def test_what_does_not_go_together_is_named(store, owner, profile, connection, named):
    with pytest.raises(ConfigError) as error:
        open_driver(owner, Device(profile=profile, connection=connection), store)
    assert all(part in str(error.value) for part in named)


def test_backoff_doubles_to_two_seconds_and_starts_anew():
    backoff = Backoff()
    assert [backoff.next_s() for _ in range(7)] == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]
    backoff.reset()
    assert backoff.next_s() == 0.1
