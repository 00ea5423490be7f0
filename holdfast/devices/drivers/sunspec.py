"""A SunSpec device is asked where its models are, and is then a Modbus device like any other.

It is asked on each new connection, and again once a poll shows that they have moved. Until then it
takes no command: one at a wrong address could be any other.
"""

from collections.abc import Mapping
from functools import partial

from holdfast.core.commands import Write
from holdfast.core.config.device import Modbus
from holdfast.core.data_store import DataStore
from holdfast.core.errors import DeviceError, DeviceRefused
from holdfast.core.role import Role
from holdfast.devices.block_plan import RegisterBlock, plan_blocks
from holdfast.devices.drivers.modbus import ModbusDriver
from holdfast.devices.drivers.modbus_sync import SyncModbusWriter
from holdfast.devices.drivers.sync_wires import SyncWires
from holdfast.devices.drivers.wires import Wires
from holdfast.devices.modbus_profile import ModbusProfile
from holdfast.devices.register_image import RawImage, WriteRequest
from holdfast.devices.sunspec.binding import Maps
from holdfast.devices.sunspec.discovery import Ask, ModelMap, Words, discover, survey
from holdfast.devices.sunspec.model_files import load_models
from holdfast.devices.sunspec.profile import SunSpecProfile
from holdfast.devices.taking_over import Remembers


class _Bound:
    """Holds the table, the models of the device, and how to see that they are still there."""

    def __init__(self, table: SunSpecProfile) -> None:
        """Raises ConfigError if the definitions of its models are not there."""
        self.table = table
        self._definitions = load_models(table.model_ids)
        self.signs: tuple[tuple[RegisterBlock, list[int]], ...] = ()
        """What a device holds that has not changed: who it is, and the heads of its models."""

    def to(self, maps: Maps) -> ModbusProfile:
        """Returns the register table for these models. Raises NotBound."""
        self.signs = ()
        profile = self.table.at(maps, self._definitions)
        heads = [
            (block, [profile.marks[place] for place in block.places])
            for block in plan_blocks([(place,) for place in profile.marks], longest=2, gap=0)
        ]
        names = [
            (_block(found.identity_at, device_id), list(found.identity))
            for device_id, found in maps.items()
            if found.identity
        ]
        self.signs = (*names, *heads)
        return profile


class SunSpecDriver(ModbusDriver):
    """Serves one SunSpec device."""

    def __init__(
        self,
        name: str,
        owners: Mapping[Role, str],
        table: SunSpecProfile,
        connection: Modbus,
        store: DataStore,
        wires: Wires | None = None,
        before: Remembers | None = None,
    ) -> None:
        """Raises ConfigError if the definitions of its models are not there."""
        self._bound = _Bound(table)
        self._known_on: tuple[int, int] | None = None
        """The connections on which a poll has shown that all is where it was found."""
        self._polled_on = (0, 0)
        """Those that there were before the last poll."""
        super().__init__(name, owners, table.outline, connection, store, wires, before)

    def _requests_of(self, write: Write) -> tuple[WriteRequest, ...]:
        self._must_be_known()
        return super()._requests_of(write)

    async def _send(self, request: WriteRequest, *, is_safe: bool) -> None:
        self._must_be_known()  # it may have moved between two requests of one write
        await super()._send(request, is_safe=is_safe)

    def _must_be_known(self) -> None:
        if self._known_on != self._connections:
            raise DeviceRefused(f"{self.name}: it has not told yet where its models are")

    @property
    def _connections(self) -> tuple[int, int]:
        return self._readings.connections, self._commands.connections

    async def _read_once(self) -> None:
        connections = self._connections
        if self._known_on != connections:
            self._known_on = None
            try:
                await self._find()
            except (DeviceError, ValueError) as error:
                self._is_silent(_refused(error))
                return
        self._polled_on = connections
        await super()._read_once()

    def _check(self, image: RawImage) -> None:
        self._known_on = None
        super()._check(image)
        self._known_on = self._polled_on

    async def _find(self) -> None:
        for block, words in self._bound.signs:
            if await self._answer(block) != words:
                break
        else:
            if self._bound.signs:
                return
        maps = {one: await self._map_of(one) for one in self._bound.table.device_ids}
        self._take(self._bound.to(maps))

    async def _map_of(self, device_id: int | None) -> ModelMap:
        asking = survey()
        ask = next(asking)
        while True:
            words = await self._answer(_block(ask, device_id))
            try:
                ask = asking.send(words)
            except StopIteration as end:
                found: ModelMap = end.value
                return found

    async def _answer(self, block: RegisterBlock) -> Words:
        try:
            words, _ = await self._read_block(block)
        except DeviceRefused:
            return None
        return words


class SyncSunSpecWriter(SyncModbusWriter):
    """Writes and reads on one connection, blocking, for the watchdog process."""

    def __init__(
        self,
        table: SunSpecProfile,
        connection: Modbus,
        wires: SyncWires | None = None,
        before: Remembers | None = None,
    ) -> None:
        """Raises ConfigError if the definitions of its models are not there."""
        super().__init__(table.outline, connection, wires, before)
        self._bound = _Bound(table)

    def connect(self) -> None:
        """Connects anew, and finds the models. Raises DeviceUnreachable and DeviceRefused."""
        super().connect()
        try:
            self._find()
        except ValueError as error:
            self.close()
            raise DeviceRefused(f"{self._name}: {error}") from error
        except DeviceError:
            self.close()
            raise

    def _find(self) -> None:
        signs = self._bound.signs
        if signs and all(self._answer(block) == words for block, words in signs):
            return
        maps = {one: discover(partial(self._ask, one)) for one in self._bound.table.device_ids}
        self._profile = self._bound.to(maps)

    def _ask(self, device_id: int | None, address: int, count: int) -> Words:
        return self._answer(_block(Ask(address=address, count=count), device_id))

    def _answer(self, block: RegisterBlock) -> Words:
        try:
            return self.words(block)
        except DeviceRefused:
            return None


def _block(ask: Ask, device_id: int | None) -> RegisterBlock:
    return RegisterBlock(device_id=device_id, table="holding", address=ask.address, count=ask.count)


def _refused(error: DeviceError | ValueError) -> DeviceError:
    return error if isinstance(error, DeviceError) else DeviceRefused(str(error))
