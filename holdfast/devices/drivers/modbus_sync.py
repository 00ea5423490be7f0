"""The watchdog and the command line talk to a Modbus device without an event loop."""

from collections.abc import Iterable

from pymodbus.pdu import ModbusPDU

from holdfast.core.commands import Point
from holdfast.core.config.device import Modbus
from holdfast.core.errors import DeviceRefused
from holdfast.core.signals import SIGNALS, Signal
from holdfast.devices.block_plan import RegisterBlock
from holdfast.devices.drivers.modbus import MOVED
from holdfast.devices.drivers.modbus_pdu import (
    describe,
    read_request,
    refusal,
    requests_of,
    words_of,
    write_request,
)
from holdfast.devices.drivers.sync_wires import SyncWires
from holdfast.devices.modbus_profile import ModbusProfile
from holdfast.devices.register_image import LastShown, Place, RawImage, WriteRequest
from holdfast.devices.taking_over import (
    Remembers,
    TakenOver,
    differing,
    owned_blocks,
    restoring,
    setpoint_of,
    taken_over,
)
from holdfast.devices.verbs import VerbWrite


class SyncModbusWriter:
    """Writes and reads on one connection, blocking, for the watchdog process."""

    def __init__(
        self,
        profile: ModbusProfile,
        connection: Modbus,
        wires: SyncWires | None = None,
        before: Remembers | None = None,
    ) -> None:
        """Without ``wires`` it shares its line with no other writer. ``before`` keeps what the
        device held before the first write."""
        self._before = before
        self._profile = profile
        self._device_id = connection.device_id
        self._wire = (wires or SyncWires()).wire(connection)
        self._name = self._wire.name
        self._pv_w = 0.0
        """PV gave this when it was commanded last."""
        self._acknowledged: dict[Place, int] = {}
        """What of this is not read counts as what the device holds."""

    @property
    def connected(self) -> bool:
        """Says whether it can be used: not before :meth:`connect`, nor after a failed exchange."""
        return self._wire.connected

    def connect(self) -> None:
        """Connects anew. Raises DeviceUnreachable."""
        self._wire.connect()

    def write(self, point: Point, value: float) -> None:
        """Writes ``value`` now. Raises DeviceRefused or DeviceUnreachable, as the driver does.

        After DeviceUnreachable the connection is gone: :meth:`connect` must come before the next
        try.
        """
        points = self._profile.points
        held = self._held(point)
        self._pv_w = held.told.get(Signal.PV_POWER_W, 0.0)
        requests = requests_of(self._name, points, point, value, held)
        self._take_over()
        self._send(requests)

    def release(self, before: TakenOver | None = None) -> None:
        """Gives the device back to its own rule, and to what it held ``before``, as far as anybody
        knows that. Raises DeviceError as :meth:`write`."""
        told = self._held(Point.SETPOINT_W).told
        self._send(self._verbs.release(LastShown(image=self._owned(), told=told)))
        if before is not None:
            self._send(restoring(self._profile, before, self._owned()))

    def is_released(self, before: TakenOver | None = None) -> bool:
        """Says whether the device shows that it keeps its own rule, with what it held ``before``.
        Raises DeviceError."""
        shown = self._owned()
        leads_itself = before is not None and not before.commanded
        return (leads_itself or self._verbs.is_released(shown)) and not self._differing(
            before, shown
        )

    def differing(self, before: TakenOver | None) -> tuple[int, ...]:
        """Returns the addresses that do not show what they held ``before``. Raises DeviceError."""
        return self._differing(before, self._owned())

    def _differing(self, before: TakenOver | None, shown: RawImage) -> tuple[int, ...]:
        return () if before is None else differing(self._profile, before, shown)

    def _take_over(self) -> None:
        """Keeps what the device holds, before the first write; one that does not tell it is
        commanded all the same."""
        if self._before is None or not self._before.is_needed:
            return
        try:
            image = self._image_of(owned_blocks(self._profile))
        except DeviceRefused as error:
            self._before.give_up(str(error))
            return
        if image:
            self._before.keep(taken_over(self._profile, image))

    def _owned(self) -> RawImage:
        """Returns all that the table writes, as far as it is shown or was acknowledged."""
        return {**self._acknowledged, **self._image_of(owned_blocks(self._profile))}

    @property
    def _verbs(self) -> VerbWrite:
        row = setpoint_of(self._profile)
        if row is None:
            raise DeviceRefused(f"{self._name}: profile {self._profile.name} has no verb release")
        return row

    def _held(self, point: Point) -> LastShown:
        told = {signal: self.read(signal) for signal in self._profile.rests_on(point)}
        return LastShown(image=self._image_of(self._profile.basis_of(point)), told=told)

    def _send(self, requests: Iterable[WriteRequest]) -> None:
        for request in requests:
            for place in request.places:
                self._acknowledged.pop(place, None)
            self._exchange(write_request(request, self._id_of(request.device_id)))
            self._acknowledged |= dict(zip(request.places, request.words, strict=True))

    def read(self, signal: Signal) -> float:
        """Returns the present value of ``signal``. Raises DeviceError as :meth:`write`.

        A value outside the signal's plausible range is none: DeviceRefused.
        """
        if not (signal in self._profile.signals or self._profile.blocks_of(signal)):
            raise DeviceRefused(f"{self._name}: profile {self._profile.name} has no {signal}")
        image = {**self._acknowledged, **self._image_of(self._profile.blocks_of(signal))}
        value = self._profile.value_of(signal, image, self._pv_w)
        if not SIGNALS[signal].is_plausible(value):
            raise DeviceRefused(f"{self._name}: {signal} of {value:g} is not plausible")
        return value

    def _image_of(self, blocks: tuple[RegisterBlock, ...]) -> RawImage:
        """Returns what is there. Raises DeviceError as :meth:`write`."""
        image: dict[Place, int] = {}
        for block in blocks:
            image.update(zip(block.places, self.words(block), strict=True))
        if self._profile.moved(image):
            self.close()
            raise DeviceRefused(f"{self._name}: {MOVED}")
        return image

    def words(self, block: RegisterBlock) -> list[int]:
        """Returns the raw registers, or bits, of ``block``. Raises DeviceError as :meth:`write`."""
        device_id = self._id_of(block.device_id)
        request = read_request(block.table, block.address, block.count, device_id)
        return words_of(self._exchange(request), block.count)

    def _id_of(self, device_id: int | None) -> int:
        return self._device_id if device_id is None else device_id

    def close(self) -> None:
        """Lets go of the connection; what was not yet delivered never will be."""
        self._wire.close()

    def _exchange(self, request: ModbusPDU) -> ModbusPDU:
        answer = self._wire.exchange(request)
        if reason := refusal(answer):
            raise DeviceRefused(f"{self._name}: {describe(request)}: {reason}")
        return answer
