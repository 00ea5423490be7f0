"""Our SunSpec against the library of the SunSpec Alliance: each reads what the other has made."""

import asyncio
import struct
from collections.abc import AsyncIterator, Iterator

import pytest
import sunspec2.device as theirs
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

from holdfast.core.config.device import ModbusTcp
from holdfast.core.signals import Signal
from holdfast.devices.drivers import open_sync
from holdfast.devices.profile import load_profile
from holdfast.devices.sunspec.profile import SunSpecProfile
from holdfast.runtime.device_reading import models_in, read_device
from holdfast.simulation.net import free_port
from holdfast.simulation.servers.modbus_desk import ModbusDevice
from holdfast.simulation.servers.modbus_server import ModbusEndpoint
from holdfast.simulation.servers.protocol_faults import FaultSet
from tests.simulation.makers.bench import TableBench

DEVICE_ID = 1

THEIR_VALUES: dict[int, dict[str, object]] = {
    1: {"Mn": "Maker", "Md": "Model", "SN": "4711", "DA": 1},
    103: {"W": -321, "W_SF": 1, "St": 4, "TmpCab": 412, "TmpSnk": 380, "Tmp_SF": -1},
    203: {"W": -2345, "W_SF": 0, "PhVphA": 2301, "V_SF": -1, "Hz": 4998, "Hz_SF": -2},
    701: {"W": 1234, "W_SF": -1, "InvSt": 6, "TmpSnk": -55, "Tmp_SF": -1},
    704: {"WSetEna": 1, "WSetMod": 1, "WSet": -27, "WSet_SF": 2, "WSetRvrt": 0,
          "WSetEnaRvrt": 1, "WSetRvrtTms": 70_000},
    802: {"SoC": 551, "SoC_SF": -1, "V": 5123, "V_SF": -2, "A": -73, "A_SF": -1,
          "CellVMin": 3312, "CellVMax": 3345, "CellV_SF": -3},
    803: {"ModTmpMin": 213, "ModTmpMax": 287, "ModTmp_SF": -1},
}  # fmt: skip


class TheirDevice:
    """A device made with their library alone: its values are set there, and served as they are."""

    def __init__(self) -> None:
        self.device = theirs.Device()
        self.words: list[int] = [0x5375, 0x6E53]
        for number, values in THEIR_VALUES.items():
            content = theirs.Model(number, data={"ID": number, "NStr": 0, **values})
            self.device.add_model(content)
            data = content.get_mb()
            words = list(struct.unpack(f">{len(data) // 2}H", data))
            words[1] = len(words) - 2
            self.words += words
        self.words += [0xFFFF, 0]

    def value(self, model: int, point: str) -> float:
        (found,) = self.device.models[model]
        return float(found.points[point].cvalue)


@pytest.fixture
async def served() -> AsyncIterator[tuple[TheirDevice, ModbusTcp]]:
    """Their device on pymodbus' own server."""
    made = TheirDevice()
    port = free_port()
    block = SimData(40000, values=made.words, datatype=DataType.REGISTERS)
    server = ModbusTcpServer(SimDevice(DEVICE_ID, simdata=[block]), address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    try:
        yield made, ModbusTcp(host="127.0.0.1", port=port, device_id=DEVICE_ID)
    finally:
        await server.shutdown()


TOLD = [
    ("sunspec_704", Signal.BATTERY_POWER_W, -1.0, 701, "W"),
    ("sunspec_704", Signal.INVERTER_TEMPERATURE_C, 1.0, 701, "TmpSnk"),
    ("sunspec_704", Signal.SETPOINT_READBACK_W, -1.0, 704, "WSet"),
    ("sunspec_battery", Signal.SOC_PCT, 1.0, 802, "SoC"),
    ("sunspec_battery", Signal.PACK_VOLTAGE_V, 1.0, 802, "V"),
    ("sunspec_battery", Signal.BATTERY_CURRENT_A, 1.0, 802, "A"),
    ("sunspec_battery", Signal.CELL_VOLTAGE_MIN_V, 1.0, 802, "CellVMin"),
    ("sunspec_battery", Signal.CELL_VOLTAGE_MAX_V, 1.0, 802, "CellVMax"),
    ("sunspec_battery", Signal.CELL_TEMPERATURE_MIN_C, 1.0, 803, "ModTmpMin"),
    ("sunspec_battery", Signal.CELL_TEMPERATURE_MAX_C, 1.0, 803, "ModTmpMax"),
    ("sunspec_meter", Signal.GRID_POWER_W, 1.0, 203, "W"),
    ("sunspec_meter", Signal.GRID_VOLTAGE_V, 1.0, 203, "PhVphA"),
    ("sunspec_meter", Signal.GRID_FREQUENCY_HZ, 1.0, 203, "Hz"),
]


@pytest.mark.parametrize("name", sorted({row[0] for row in TOLD}))
async def test_what_they_have_made_is_read_as_they_meant_it(
    served: tuple[TheirDevice, ModbusTcp], name: str
) -> None:
    made, connection = served
    table = load_profile(name)
    assert isinstance(table, SunSpecProfile)
    writer = open_sync(table, connection)
    await asyncio.to_thread(writer.connect)
    try:
        for _, signal, sign, model, point in (row for row in TOLD if row[0] == name):
            ours = await asyncio.to_thread(writer.read, signal)
            assert ours == pytest.approx(sign * made.value(model, point)), signal
    finally:
        writer.close()


async def test_every_model_of_theirs_is_found_where_they_put_it(
    served: tuple[TheirDevice, ModbusTcp],
) -> None:
    made, connection = served
    table = load_profile("sunspec_meter")
    assert isinstance(table, SunSpecProfile)
    recording = await asyncio.to_thread(read_device, table, connection)
    (found,) = models_in(table, recording).values()
    assert [model.id for model in found.models] == list(THEIR_VALUES)
    ends = [model.address + 2 + model.length for model in found.models]
    assert ends == [*(model.address for model in found.models[1:]), 40000 + len(made.words) - 2]


# ------------------------------------------------- their client, our device


class Counterpart:
    """A box of ours on the wire, and their client on it."""

    def __init__(self, table: str, port: int) -> None:
        self.bench = TableBench(table, pv_w=700.0)
        self.endpoint = ModbusEndpoint(
            "127.0.0.1",
            port,
            {
                DEVICE_ID if inner is None else inner: ModbusDevice(
                    registers=self.bench.registers, faults=FaultSet("box", "modbus"), inner_id=inner
                )
                for inner in self.bench.registers.device_ids
            },
        )
        self._port = port

    async def scanned(self, device_id: int = DEVICE_ID) -> SunSpecModbusClientDeviceTCP:
        """What their client makes of it."""

        def scan() -> SunSpecModbusClientDeviceTCP:
            client = SunSpecModbusClientDeviceTCP(device_id, "127.0.0.1", self._port, timeout=5)
            try:
                client.scan()
            finally:
                client.close()
            return client

        return await asyncio.to_thread(scan)


@pytest.fixture
async def counterparts() -> AsyncIterator[list[Counterpart]]:
    found = [Counterpart(table, free_port()) for table in ("sunspec_704", "fronius_gen24")]
    for each in found:
        await each.endpoint.refresh()
    try:
        yield found
    finally:
        for each in found:
            await each.endpoint.close()


def names(client: SunSpecModbusClientDeviceTCP) -> Iterator[int]:
    yield from (model.model_id for model in client.model_list)


async def test_their_client_finds_the_models_of_our_boxes(
    counterparts: list[Counterpart],
) -> None:
    der, fronius = counterparts
    assert list(names(await der.scanned())) == [1, 701, 702, 703, 704, 713, 714]
    assert list(names(await fronius.scanned())) == [1, 103, 120, 121, 122, 123, 160, 124]
    assert list(names(await fronius.scanned(200))) == [1, 203]


@pytest.mark.parametrize("power_w", [1500.0, -1230.0, 0.0])
async def test_their_client_sees_the_command_that_ours_has_given(
    counterparts: list[Counterpart], power_w: float
) -> None:
    der, fronius = counterparts
    der.bench.tell(power_w, 10.0)
    (control,) = (await der.scanned()).models[704]
    assert control.WSet.cvalue == -power_w
    assert (control.WSetEna.cvalue, control.WSetMod.cvalue) == (1, 1)
    assert (control.WSetRvrt.cvalue, control.WSetEnaRvrt.cvalue) == (0, 1)
    assert control.WSetRvrtTms.cvalue == 60
    fronius.bench.tell(power_w, 10.0)
    (storage,) = (await fronius.scanned()).models[124]
    share_w = storage.WChaMax.cvalue / 100.0
    assert storage.InWRte.cvalue * share_w == pytest.approx(power_w, abs=1.0)
    assert storage.OutWRte.cvalue * share_w == pytest.approx(-power_w, abs=1.0)
    assert (storage.StorCtl_Mod.cvalue, storage.InOutWRte_RvrtTms.cvalue) == (3, 60)


async def test_both_read_the_same_from_our_boxes(counterparts: list[Counterpart]) -> None:
    der, fronius = counterparts
    der.bench.tell(-1000.0, 10.0)
    client = await der.scanned()
    told = der.bench.told()
    assert client.models[701][0].W.cvalue == pytest.approx(-told[Signal.BATTERY_POWER_W])
    assert client.models[701][0].TmpSnk.cvalue == pytest.approx(told[Signal.INVERTER_TEMPERATURE_C])
    fronius.bench.tell(-1000.0, 10.0)
    client, meter = await fronius.scanned(), await fronius.scanned(200)
    told = fronius.bench.told()
    modules = client.models[160][0].module
    charge_w, discharge_w = modules[2].DCW.cvalue, modules[3].DCW.cvalue
    assert charge_w - discharge_w == pytest.approx(told[Signal.BATTERY_POWER_W])
    assert modules[0].DCW.cvalue + modules[1].DCW.cvalue == pytest.approx(told[Signal.PV_POWER_W])
    assert meter.models[203][0].W.cvalue == pytest.approx(told[Signal.GRID_POWER_W])
