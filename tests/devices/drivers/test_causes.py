"""Why a device cannot be reached is said in words, also where a library wraps the system's."""

import asyncio
import errno
import socket

import can
import pytest

from holdfast.core.config.device import CanBus, ModbusTcp
from holdfast.core.data_store import DataStore
from holdfast.core.role import Role
from holdfast.devices.drivers import modbus_link
from holdfast.devices.drivers.canbus import CanBmsDriver
from holdfast.devices.drivers.causes import cause_in_words
from holdfast.devices.drivers.modbus import ModbusDriver
from holdfast.devices.profile import load_profile


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ECONNREFUSED, "connection refused"),
        (errno.EHOSTUNREACH, "no route to this address"),
        (errno.ENETUNREACH, "no route to this address"),
        (errno.ENOENT, "there is no such adapter"),
        (errno.EACCES, "permission denied; serial adapters are open to the group dialout"),
    ],
)
def test_what_the_system_says_has_words(number, words):
    assert cause_in_words(OSError(number, "text")) == words
    wrapped = can.CanInitializationError("cannot be opened")
    wrapped.__cause__ = OSError(number, "text")
    assert cause_in_words(wrapped) == words


def test_a_name_that_nobody_knows():
    assert cause_in_words(socket.gaierror(socket.EAI_NONAME, "text")) == (
        "this host name is not known"
    )


def test_what_has_no_words_is_told_as_it_is():
    assert cause_in_words(OSError("Multiple exceptions")) == "OSError: Multiple exceptions"


def meter_at(host, **options):
    connection = ModbusTcp(host=host, **options)
    store = DataStore(("battery",))
    owners = {Role.METER: "site"}
    return ModbusDriver("site/meter", owners, load_profile("generic_meter"), connection, store)


async def why_silent(driver, wait_until):
    task = asyncio.create_task(driver.run())
    await wait_until(lambda: driver.counters.why_silent)
    await driver.close()
    task.cancel()
    await asyncio.wait([task])
    return driver.counters.why_silent


async def test_an_address_without_an_answer_is_told_with_the_time(monkeypatch, wait_until):
    async def never(_self):
        await asyncio.Event().wait()

    monkeypatch.setattr(modbus_link._Opening, "__call__", never)
    driver = meter_at("127.0.0.1", timeout_s=0.05)
    assert await why_silent(driver, wait_until) == "no answer from this address within 0.05 s"


async def test_a_host_name_with_a_mistake_is_told(wait_until):
    driver = meter_at("inverter..local", timeout_s=5.0)
    assert await why_silent(driver, wait_until) == "this host name is not known"


async def test_a_wrong_device_id_is_told_with_what_was_asked(rig, wait_until):
    async def only_id_1(request, _):
        return await meter.device.proper(request) if request.unit == 1 else None

    meter = await rig("generic_meter", device_id=9, timeout_s=0.05)
    meter.device.hook = only_id_1
    await meter.start()
    await wait_until(lambda: meter.driver.counters.tries)
    assert meter.driver.counters.why_silent.startswith("no answer to read ")
    assert " of device 9: waited 0.05 s" in meter.driver.counters.why_silent


async def test_an_exception_is_told_by_number_and_name(rig, wait_until):
    async def refusing(request, _):
        return request.frame(b"\x02", function=request.function | 0x80)

    meter = await rig("generic_meter")
    meter.device.hook = refusing
    await meter.start()
    await wait_until(lambda: meter.driver.counters.tries)
    assert "was answered with exception 2 (illegal data address)" in (
        meter.driver.counters.why_silent
    )


@pytest.mark.parametrize(
    ("interface", "options", "told"),
    [
        ("socketcand", ("port=28600",), "host"),
        ("neovi", (), "ics"),  # its library is not installed
    ],
)
async def test_an_interface_that_lacks_something_says_what(interface, options, told, wait_until):
    connection = CanBus(interface=interface, channel="0", options=options)
    driver = CanBmsDriver(
        "battery/bms",
        {Role.BMS: "battery"},
        load_profile("pylontech_lv_can"),
        connection,
        DataStore(("battery",)),
    )
    assert told in await why_silent(driver, wait_until)


@pytest.mark.parametrize(("interface", "channel"), [("slcan", "/dev/no_such_adapter")])
async def test_an_adapter_that_is_not_plugged_in(interface, channel, wait_until):
    connection = CanBus(interface=interface, channel=channel)
    driver = CanBmsDriver(
        "battery/bms",
        {Role.BMS: "battery"},
        load_profile("pylontech_lv_can"),
        connection,
        DataStore(("battery",)),
    )
    assert await why_silent(driver, wait_until) == "there is no such adapter"
    assert driver.counters.where == f"{channel} ({interface})"
