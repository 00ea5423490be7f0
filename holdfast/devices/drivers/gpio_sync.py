"""The watchdog drives lines without an event loop, once the controller has lost them."""

from holdfast.core.commands import Point
from holdfast.core.config.device import GpioChip
from holdfast.core.errors import DeviceRefused, DeviceUnreachable
from holdfast.core.signals import Signal
from holdfast.devices.drivers.gpio import placed
from holdfast.devices.drivers.gpio_lines import HeldInputs, HeldOutput, hold_inputs, hold_output
from holdfast.devices.gpio_profile import GpioProfile


class SyncGpioWriter:
    """Drives and reads lines, each held from its first use on until :meth:`close`.

    Each by itself: holding the line of a contactor opens it.
    """

    def __init__(self, profile: GpioProfile, connection: GpioChip, consumer: str) -> None:
        """Raises ConfigError if the library is not installed, or a line is not named."""
        table = placed(consumer, profile, connection)
        self._chip = connection.chip
        self._consumer = f"holdfast {consumer}"
        self._reads = {read.signal: read for read in table.reads}
        self._points = table.points
        self._held: dict[Signal | Point, HeldInputs | HeldOutput] = {}
        self.connected = False
        """Says whether it can be used."""

    def connect(self) -> None:
        """Begins; nothing is held yet."""
        self.close()
        self.connected = True

    def write(self, point: Point, value: float) -> None:
        """Drives the line now. Raises DeviceRefused or DeviceUnreachable, as the driver does.

        After DeviceUnreachable nothing is held any more: :meth:`connect` must come before the next
        try.
        """
        try:
            self._output(point).set(self._points[point].kept(value))
        except DeviceUnreachable:
            self.close()
            raise
        except ValueError as error:
            raise DeviceRefused(f"{point}: {error}") from error

    def read(self, signal: Signal) -> float:
        """Returns what the line shows now. Raises DeviceError as :meth:`write`."""
        try:
            return self._input(signal).values()[signal]
        except DeviceUnreachable:
            self.close()
            raise

    def close(self) -> None:
        """Lets go of all lines."""
        self.connected = False
        while self._held:
            self._held.popitem()[1].release()

    def _output(self, point: Point) -> HeldOutput:
        held = self._held.get(point)
        if not isinstance(held, HeldOutput):
            self._held[point] = held = hold_output(self._chip, self._points[point], self._consumer)
        return held

    def _input(self, signal: Signal) -> HeldInputs:
        held = self._held.get(signal)
        if not isinstance(held, HeldInputs):
            reads = (self._reads[signal],)
            self._held[signal] = held = hold_inputs(self._chip, reads, self._consumer)
        return held
