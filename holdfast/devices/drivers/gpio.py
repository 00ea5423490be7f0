"""The GPIO driver looks at its inputs by its table, and at once when one changes that may not wait.

Nothing of a line is written before the first command for it: until then, and on a site that only
observes, it stays as it was found. From then on the driver holds it.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

from holdfast.core.commands import Point, Write
from holdfast.core.config.device import GpioChip
from holdfast.core.data_store import DataStore, Told
from holdfast.core.errors import ConfigError, DeviceError, DeviceRefused, DeviceUnreachable
from holdfast.core.ports import CommsCounters
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_S, ns_from_s
from holdfast.devices.drivers.addressed import row_of
from holdfast.devices.drivers.backoff import Backoff
from holdfast.devices.drivers.gpio_lines import (
    HeldInputs,
    HeldOutput,
    check_library,
    hold_inputs,
    hold_output,
)
from holdfast.devices.drivers.modbus import next_due_ns
from holdfast.devices.gpio_profile import GpioProfile

WAKES = frozenset({Signal.EMERGENCY_LOOP_CLOSED})
"""A change of these does not wait for the next look."""


def placed(name: str, profile: GpioProfile, connection: GpioChip) -> GpioProfile:
    """Returns the table with every line in it. Raises ConfigError."""
    check_library(name)
    try:
        return profile.at(connection.lines)
    except ValueError as error:
        raise ConfigError(f"{name}: {error}") from error


class GpioDriver:
    """Serves the lines of one device. Counts as a read each look at all of its inputs."""

    def __init__(
        self,
        name: str,
        owners: Mapping[Role, str],
        profile: GpioProfile,
        connection: GpioChip,
        store: DataStore,
    ) -> None:
        """Raises ConfigError if the library is not installed, or a line is not named."""
        table = placed(name, profile, connection)
        self.name = name
        self.counters = CommsCounters(where=_where(table, connection.chip))
        self._owners = owners
        self._chip = connection.chip
        self._reads = table.reads
        self._points = table.points
        self._period_ns = ns_from_s(table.poll_period_s)
        self._store = store
        self._outputs: dict[Point, HeldOutput] = {}
        self._closed = asyncio.Event()

    async def run(self) -> None:
        """Looks until cancelled or closed; lines that are not to be had are tried again."""
        backoff = Backoff()
        while not self._closed.is_set():
            try:
                await self._live(backoff)
            except DeviceError as error:
                self.counters.silent(str(error))
                await self._wait(backoff.next_s())

    async def write(self, write: Write, _is_stale: Callable[[], bool] = lambda: False) -> None:
        """Drives one line now, and looks whether it shows that.

        Raises DeviceRefused if the table does not take it, or the line shows something else, and
        DeviceUnreachable if the line is not to be had.
        """
        try:
            self._drive(write)
        except DeviceError as error:
            self.counters.failed(str(error))
            raise
        self.counters.writes += 1

    async def close(self) -> None:
        """Lets go of all lines; :meth:`run` ends by itself."""
        self._closed.set()
        for point in tuple(self._outputs):
            self._outputs.pop(point).release()

    @property
    def _consumer(self) -> str:
        return f"holdfast {self.name}"

    async def _live(self, backoff: Backoff) -> None:
        """Holds the inputs and looks at them. Raises DeviceError, which says why that ended."""
        inputs = hold_inputs(self._chip, self._reads, self._consumer, WAKES)
        loop = asyncio.get_running_loop()
        if inputs.tells:
            loop.add_reader(inputs, self._at_change, inputs)
        try:
            due_ns = time.monotonic_ns()
            while not self._closed.is_set():
                self._look(inputs)
                backoff.reset()
                now_ns = time.monotonic_ns()
                due_ns = next_due_ns(due_ns, now_ns, self._period_ns)
                await self._wait((due_ns - now_ns) / NS_PER_S)
        finally:
            if inputs.tells:
                loop.remove_reader(inputs)
            inputs.release()

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._closed.wait(), seconds)
        except TimeoutError:
            return

    def _at_change(self, inputs: HeldInputs) -> None:
        """Looks now. A loop that has changed was open, if only for a moment."""
        try:
            self._look(inputs, inputs.changed())
        except DeviceError as error:  # the next look finds it as well, and begins anew
            self.counters.failed(str(error))
            asyncio.get_running_loop().remove_reader(inputs)

    def _look(self, inputs: HeldInputs, changed: Sequence[Signal] = ()) -> None:
        now_ns = time.monotonic_ns()
        values = inputs.values()
        if changed:
            self._tell(dict.fromkeys(changed, 0.0), now_ns)
        doubt = self._tell(values, now_ns)
        self.counters.took(doubt, now_ns)

    def _tell(self, values: Mapping[Signal, float], now_ns: int) -> str | None:
        told = [
            Told(signal=signal, value=value, time_ns=now_ns) for signal, value in values.items()
        ]
        return self._store.put_poll(self._owners, told)

    def _drive(self, write: Write) -> None:
        row = row_of(self.name, self._owners, self._points, write)
        try:
            value = row.kept(write.value)
        except ValueError as error:
            raise DeviceRefused(f"{self.name}: {write.point}: {error}") from error
        if write.point not in self._outputs:
            self._outputs[write.point] = hold_output(self._chip, row, self._consumer)
        try:
            self._outputs[write.point].set(value)
        except DeviceUnreachable:
            self._outputs.pop(write.point).release()
            raise


def _where(table: GpioProfile, chip: str) -> str:
    lines = {read.signal.value: read.line for read in table.reads}
    lines |= {write.point.value: write.line for write in table.writes}
    return f"{chip}: {', '.join(f'{name}={line}' for name, line in lines.items())}"
