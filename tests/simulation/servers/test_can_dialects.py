"""Batteries of other makers on the pseudo-terminal: each table reads what its battery tells."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from holdfast.core.config import Site
from holdfast.core.data_store import DataStore
from holdfast.core.reading import Good
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.devices.can_profile import CanProfile
from holdfast.devices.drivers import CanBmsDriver, can_reader
from holdfast.devices.profile import load_profile
from holdfast.runtime.controller import open_drivers
from holdfast.simulation.plant import SitePlant
from holdfast.simulation.plant.bms import BmsFlag
from holdfast.simulation.plant.storage import StoragePlant
from holdfast.simulation.servers.can_dialects import DIALECTS
from holdfast.simulation.servers.protocol_faults import ProtocolFault
from holdfast.site.check import check_site
from holdfast.site.site_file import parse_site
from holdfast.testing.sites import example_content
from holdfast.testing.waiting import until
from tests.simulation.wire_bench import Served, channel_of, talk

HV_CELLS = 120
HIGH_VOLTAGE = {"pylontech_hv_can", "foxess_hv_can"}
ALARMS = [
    (BmsFlag.OVER_VOLTAGE, 0, 2),
    (BmsFlag.UNDER_VOLTAGE, 0, 4),
    (BmsFlag.OVER_TEMPERATURE, 0, 6),
    (BmsFlag.UNDER_TEMPERATURE, 1, 0),
    (BmsFlag.DISCHARGE_OVER_CURRENT, 1, 6),
    (BmsFlag.CHARGE_OVER_CURRENT, 2, 0),
    (BmsFlag.SYSTEM_ERROR, 2, 6),
]


def site_of(folder: Path, profile: str, *, address: int = 0, asks: bool = True) -> Site:
    """The example with another battery: a high-voltage one has 120 cells."""
    content = example_content(folder)
    (unit,) = content["storage"]
    unit["bms"]["profile"] = profile
    unit["bms"]["connection"] |= {"address": address, "acts_as_inverter": asks}
    if profile in HIGH_VOLTAGE:
        unit["battery"] |= {
            "cells_in_series": HV_CELLS,
            "charge_current_max_a": 25,
            "discharge_current_max_a": 25,
        }
    return parse_site(yaml.safe_dump(content), folder=folder)


def decoded(profile_name: str, frames: dict[int, bytes]) -> dict[Signal, float]:
    profile = load_profile(profile_name)
    assert isinstance(profile, CanProfile)
    values: dict[Signal, float] = {}
    for frame in profile.frames:
        if frame.id in frames or not frame.optional:
            told = frame.decode(frames[frame.id])
            raised = {flag.signal: values[flag.signal] for flag in frame.flags
                      if values.get(flag.signal)}  # fmt: skip
            values |= told | raised
    return values


def told_by(plant: SitePlant) -> dict[Signal, float]:
    return {signal: value for role, _, signal, value in plant.samples() if role is Role.BMS}


def hv_unit(folder: Path) -> StoragePlant:
    return SitePlant.from_site(site_of(folder, "pylontech_hv_can"), soc_pct=60).units["battery"]


@pytest.mark.parametrize("profile", DIALECTS)
@pytest.mark.parametrize("power_w", [0, 4000, -4000])
def test_a_table_reads_what_its_battery_tells(tmp_path: Path, profile: str, power_w: int) -> None:
    plant = SitePlant.from_site(site_of(tmp_path, profile), soc_pct=60, ambient_c=11)
    unit = plant.units["battery"]
    unit.contactor.closed = True
    unit.inverter.write_enable(on=True)
    unit.inverter.write_setpoint(power_w)
    for _ in range(100):
        plant.step(1.0, 0.0)
    current_a = told_by(plant)[Signal.BATTERY_CURRENT_A]
    assert (current_a > 5, current_a < -5) == (power_w > 0, power_w < 0)
    found = decoded(profile, dict(DIALECTS[profile].frames(unit)))
    expected = told_by(plant)
    assert found.pop(Signal.SOC_PCT) == pytest.approx(expected.pop(Signal.SOC_PCT), abs=0.5)
    assert found == pytest.approx(expected)


def test_a_battery_with_hundredths_of_its_charge_tells_them(tmp_path: Path) -> None:
    plant = SitePlant.from_site(site_of(tmp_path, "sma_victron_lv_can"))
    plant.units["battery"].bms.soc_pct = 61.57
    frames = dict(DIALECTS["sma_victron_lv_can"].frames(plant.units["battery"]))
    assert decoded("sma_victron_lv_can", frames)[Signal.SOC_PCT] == pytest.approx(61.57)
    assert frames[0x351][6:] == (400).to_bytes(2, "little"), "16 cells of 2.5 V"


@pytest.mark.parametrize("profile", ["sma_victron_lv_can", "byd_lvs_can"])
@pytest.mark.parametrize(("flag", "byte", "bit"), ALARMS)
def test_alarms_are_the_pairs_of_the_document(
    tmp_path: Path, profile: str, flag: BmsFlag, byte: int, bit: int
) -> None:
    plant = SitePlant.from_site(site_of(tmp_path, profile))
    unit = plant.units["battery"]
    unit.bms.protections, unit.bms.alarms = int(flag), 0
    frames = dict(DIALECTS[profile].frames(unit))
    told = frames[0x35A]
    assert told[byte] == 0xAA ^ (0b11 << bit)
    assert sum(told) == 7 * 0xAA + told[byte]
    values = decoded(profile, frames)
    assert (values[Signal.BMS_PROTECTION], values[Signal.BMS_ALARM]) == (1, 0)


@pytest.mark.parametrize("flag", BmsFlag)
@pytest.mark.parametrize("kind", ["protections", "alarms"])
def test_a_high_voltage_battery_tells_each_flag(tmp_path: Path, flag: BmsFlag, kind: str) -> None:
    unit = hv_unit(tmp_path)
    setattr(unit.bms, kind, int(flag))
    values = decoded("pylontech_hv_can", dict(DIALECTS["pylontech_hv_can"].frames(unit)))
    flags = values[Signal.BMS_PROTECTION], values[Signal.BMS_ALARM]
    assert flags == ((1, 0) if kind == "protections" else (0, 1))


@pytest.mark.parametrize("flag", BmsFlag)
@pytest.mark.parametrize("kind", ["protections", "alarms"])
def test_a_growatt_battery_tells_each_flag(tmp_path: Path, flag: BmsFlag, kind: str) -> None:
    unit = SitePlant.from_site(site_of(tmp_path, "growatt_lv_can")).units["battery"]
    setattr(unit.bms, kind, int(flag))
    values = decoded("growatt_lv_can", dict(DIALECTS["growatt_lv_can"].frames(unit)))
    flags = values[Signal.BMS_PROTECTION], values[Signal.BMS_ALARM]
    assert flags == ((1, 0) if kind == "protections" else (0, 1))


def test_a_growatt_battery_forbids_a_direction_where_it_does_and_not_where_it_was_written(
    tmp_path: Path,
) -> None:
    unit = SitePlant.from_site(site_of(tmp_path, "growatt_lv_can")).units["battery"]
    unit.bms.discharge_limit_a = 0.0
    frames = dict(DIALECTS["growatt_lv_can"].frames(unit))
    values = decoded("growatt_lv_can", frames)
    assert (values[Signal.CHARGE_ALLOWED], values[Signal.DISCHARGE_ALLOWED]) == (1, 0)
    assert frames[0x319][0] & 0x60 == 0x60, "these bits stand still on a real one"


def test_a_fox_battery_forbids_charging_and_tells_a_fault(tmp_path: Path) -> None:
    unit = SitePlant.from_site(site_of(tmp_path, "foxess_hv_can"), soc_pct=60).units["battery"]
    unit.bms.charge_limit_a = 0.0
    unit.bms.protections = int(BmsFlag.OVER_VOLTAGE)
    values = decoded("foxess_hv_can", dict(DIALECTS["foxess_hv_can"].frames(unit)))
    assert (values[Signal.CHARGE_ALLOWED], values[Signal.CHARGE_CURRENT_LIMIT_A]) == (0, 0)
    assert values[Signal.BMS_PROTECTION] == 1


async def test_a_fox_battery_answers_who_asks_for_all_of_it(tmp_path: Path) -> None:
    site = site_of(tmp_path, "foxess_hv_can")
    async with Served(site).server:
        channel = channel_of(site)
        await talk(channel, b"O\r")
        one_pack = b"T0000187180100010001000000\r"
        assert await talk(channel, one_pack) == b"Z\r"
        lines = (await talk(channel, b"T0000187180100010000000000\r")).split(b"\r")
        assert [line[:9] for line in lines[:8]] == [b"T0000%04X" % n for n in range(0x1872, 0x187A)]


def test_a_high_voltage_battery_forbids_a_direction(tmp_path: Path) -> None:
    unit = hv_unit(tmp_path)
    unit.bms.charge_limit_a = 0.0
    frames = dict(DIALECTS["pylontech_hv_can"].frames(unit))
    assert frames[0x4280] == b"\xaa\x00" + bytes(6)
    values = decoded("pylontech_hv_can", frames)
    assert (values[Signal.CHARGE_ALLOWED], values[Signal.CHARGE_CURRENT_LIMIT_A]) == (0, 0)
    assert values[Signal.DISCHARGE_ALLOWED] == 1


@pytest.mark.parametrize("profile", DIALECTS)
def test_a_site_with_each_battery_may_be_run(tmp_path: Path, profile: str) -> None:
    check_site(site_of(tmp_path, profile))


class Heard:
    """The driver of the site's BMS on its bus."""

    def __init__(self, site: Site) -> None:
        self.store = DataStore(site.unit_names)
        driver = open_drivers(site, self.store)["battery", Role.BMS]
        assert isinstance(driver, CanBmsDriver)
        self.driver = driver
        self.task = asyncio.create_task(driver.run())

    def good(self) -> dict[Signal, float]:
        samples = self.store.image()["battery"]
        return {signal: one.value for signal, one in samples.items() if isinstance(one, Good)}

    async def end(self) -> None:
        await self.driver.close()
        await asyncio.wait_for(self.task, 60)


@pytest.fixture
async def heard(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[Heard]]:
    monkeypatch.setattr(can_reader, "_SETTLE_S", 0.02)
    all_heard: list[Heard] = []
    yield all_heard
    for one in all_heard:
        await one.end()


@pytest.mark.parametrize(
    ("profile", "address"),
    [
        ("pylontech_hv_can", 0),
        ("pylontech_hv_can", 5),
        ("sma_victron_lv_can", 0),
        ("byd_lvs_can", 0),
        ("growatt_lv_can", 0),
        ("foxess_hv_can", 0),
    ],
)
async def test_a_battery_is_heard_over_its_adapter(
    tmp_path: Path, heard: list[Heard], profile: str, address: int
) -> None:
    site = site_of(tmp_path, profile, address=address)
    served = Served(site)
    async with served.server:
        heard.append(Heard(site))
        await asyncio.to_thread(until, lambda: heard[0].driver.counters.reads >= 2, "two bursts")
        good, expected = heard[0].good(), told_by(served.plant)
        soc_pct = expected.pop(Signal.SOC_PCT)
        assert good.pop(Signal.SOC_PCT) == pytest.approx(soc_pct, abs=0.5)
        assert good == pytest.approx(expected)
        assert heard[0].driver.counters.errors == 0
        served.plant.units["battery"].bms.soc_pct = 33.0
        await asyncio.to_thread(
            until, lambda: heard[0].good()[Signal.SOC_PCT] == 33.0, "what has changed"
        )


async def test_a_battery_that_nobody_asks_says_why_it_is_silent(
    tmp_path: Path, heard: list[Heard], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(can_reader, "_SILENCE_NS", 300_000_000)
    site = site_of(tmp_path, "pylontech_hv_can", asks=False)
    async with Served(site).server:
        heard.append(Heard(site))
        counters = heard[0].driver.counters
        await asyncio.to_thread(until, lambda: counters.tries, "a reason")
        assert "this battery speaks when an inverter asks it" in counters.why_silent
        assert counters.reads == 0


async def test_a_battery_with_another_address_is_named(
    tmp_path: Path, heard: list[Heard], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(can_reader, "_SILENCE_NS", 500_000_000)
    site = site_of(tmp_path, "pylontech_hv_can", address=1)
    async with Served(site).server:
        heard.append(Heard(site_of(tmp_path, "pylontech_hv_can", address=0)))
        counters = heard[0].driver.counters
        await asyncio.to_thread(until, lambda: counters.tries, "a reason")
        assert "of battery 0; on this bus is battery 1" in counters.why_silent


async def test_a_battery_answers_what_it_is_asked_and_its_faults_bite(tmp_path: Path) -> None:
    site = site_of(tmp_path, "pylontech_hv_can", address=2)
    served = Served(site)
    async with served.server:
        channel = channel_of(site)
        ask = b"T0000420080000000000000000\r"
        assert await talk(channel, b"O\rT00004200101\r") == b"\rZ\r", "equipment: not served"
        lines = (await talk(channel, ask)).split(b"\r")
        assert [line[:9] for line in lines[:9]] == [
            b"T0000%04X" % n for n in range(0x4212, 0x42A0, 16)
        ]
        await served.server.set_fault("battery", Role.BMS, ProtocolFault.FROZEN)
        served.plant.units["battery"].bms.soc_pct = 12.0
        frozen = await talk(channel, ask)
        assert frozen.split(b"\r")[0][-4:-2] == b"3C"
        await served.server.clear_fault("battery", Role.BMS)
        await served.server.set_fault("battery", Role.BMS, ProtocolFault.CAN_SILENT)
        assert await talk(channel, ask) == b"Z\r"
        assert await talk(channel, b"T2000000000\rT00004200\rTX000420080\r") == b"\a\a\a"
