"""What a Modbus device costs, and whether one delays another or a command.

The driver polls a device of 60 registers five times a second; the device is pymodbus' own server,
in a process of its own. Processor time is counted as a share of one core. Then the same device
beside one that takes every request and answers none: its readings must come as before. Then a
device that takes one client and needs many requests for a poll: a command must wait for no more
than the one under way.
"""

import argparse
import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from benchmarks.report import CannotRun, Report, at_most, new_parser, run, summarise
from holdfast.core.commands import Point, Write
from holdfast.core.config.device import ModbusTcp
from holdfast.core.data_store import DataStore
from holdfast.core.errors import DeviceError
from holdfast.core.role import Role
from holdfast.core.signals import SIGNALS, SITE, Signal
from holdfast.core.units import NS_PER_MS, NS_PER_S
from holdfast.devices.drivers import ModbusDriver
from holdfast.devices.modbus_profile import ModbusProfile
from holdfast.devices.registers import RegisterRead, RegisterWrite
from holdfast.simulation.net import free_port

REGISTERS = 60
PERIOD_S = 0.2
CORE_PCT = 10.0
UNIT = "battery"
OWNERS = {Role.BMS: UNIT, Role.INVERTER: UNIT, Role.METER: SITE}
_SERVER = """
import asyncio, sys
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
async def main():
    device = SimDevice(1, simdata=[SimData(0, values=[1] * 400, datatype=DataType.REGISTERS)])
    server = ModbusTcpServer(device, address=("127.0.0.1", int(sys.argv[1])))
    await server.serve_forever(background=True)
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
asyncio.run(main())
"""


@contextmanager
def pymodbus_device() -> Iterator[ModbusTcp]:
    """A device that nobody here wrote; it ends with the block."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVER, str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        if process.stdout.readline() != b"ready\n":
            raise CannotRun("pymodbus' server did not start")
        yield ModbusTcp(host="127.0.0.1", port=port)
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


@asynccontextmanager
async def dead_device() -> AsyncIterator[ModbusTcp]:
    """It takes connections and requests, and answers nothing."""

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while await reader.read(1024):
                pass
        writer.close()

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield ModbusTcp(host="127.0.0.1", port=port)


def profile(*, longest_read: int = 100, single_client: bool = False) -> ModbusProfile:
    """A table of 60 registers in three runs."""
    wanted = [signal for signal in Signal if SIGNALS[signal].producer in OWNERS]
    reads = tuple(
        RegisterRead(signal=signal, address=2 * index + 20 * (index // 10), type="int32")
        for index, signal in enumerate(wanted[: REGISTERS // 2])
    )
    write = RegisterWrite(
        point=Point.SETPOINT_W, address=300, type="int32", function="multiple",
        readback=Signal.SETPOINT_READBACK_W,
    )  # fmt: skip
    return ModbusProfile(
        name="sixty_registers", protocol="modbus", roles=tuple(OWNERS), source="this benchmark",
        poll_period_s=PERIOD_S, reads=reads, writes=(write,), longest_read=longest_read,
        single_client=single_client,
    )  # fmt: skip


class Driven:
    """A driver that runs, and when its readings came."""

    def __init__(self, table: ModbusProfile, connection: ModbusTcp) -> None:
        store = DataStore((UNIT,))
        self.driver = ModbusDriver("device", OWNERS, table, connection, store)
        self.came_ns: list[int] = []
        self._reads = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Runs it, and looks every millisecond whether a reading came."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.driver.run()), group.create_task(self._look())]
            yield
            for task in tasks:
                task.cancel()
            await self.driver.close()

    async def _look(self) -> None:
        while True:
            if self.driver.counters.reads != self._reads:
                self._reads = self.driver.counters.reads
                self.came_ns.append(time.monotonic_ns())
            await asyncio.sleep(0.001)

    async def answers(self) -> None:
        """Waits for the first reading."""
        await first_reading(self.driver)

    def gaps_ms(self) -> list[float]:
        """From one reading to the next."""
        pairs = zip(self.came_ns, self.came_ns[1:], strict=False)
        return [(after - before) / NS_PER_MS for before, after in pairs]


async def first_reading(driver: ModbusDriver) -> None:
    """Waits until the device has answered."""
    async with asyncio.timeout(10.0):
        while not driver.counters.reads:  # noqa: ASYNC110 - a driver tells nobody
            await asyncio.sleep(0.01)


async def cost_pct(connection: ModbusTcp, seconds: float) -> float:
    """The share of a core that polling takes."""
    driver = ModbusDriver("device", OWNERS, profile(), connection, DataStore((UNIT,)))
    task = asyncio.create_task(driver.run())
    await first_reading(driver)
    before_ns, reads = time.process_time_ns(), driver.counters.reads
    await asyncio.sleep(seconds)
    spent_s = (time.process_time_ns() - before_ns) / NS_PER_S
    polls = driver.counters.reads - reads
    await driver.close()
    await asyncio.wait_for(task, 5.0)
    if polls < 0.8 * seconds / PERIOD_S:
        raise CannotRun(f"{polls} polls came in {seconds:g} s")
    return 100.0 * spent_s / seconds


async def gaps(connection: ModbusTcp, seconds: float, *, beside_a_dead_one: bool) -> list[float]:
    """From one reading to the next, alone or beside a device that answers nothing."""
    driven = Driven(profile(), connection)
    async with dead_device() as dead, driven.running():
        await driven.answers()
        if beside_a_dead_one:
            async with Driven(profile(), dead).running():
                await asyncio.sleep(seconds)
        else:
            await asyncio.sleep(seconds)
    return driven.gaps_ms()


async def command_waits(connection: ModbusTcp, seconds: float) -> tuple[list[float], list[float]]:
    """How long a command takes between polls of thirty requests, and how long a poll takes."""
    table = profile(longest_read=2, single_client=True).model_copy(update={"poll_period_s": 0.01})
    driver = ModbusDriver("device", OWNERS, table, connection, DataStore((UNIT,)))
    task = asyncio.create_task(driver.run())
    waits_ms: list[float] = []
    end_ns = time.monotonic_ns() + round(seconds * NS_PER_S)
    started = driver.counters.reads
    while time.monotonic_ns() < end_ns:
        await asyncio.sleep(0.013)
        begun_ns = time.monotonic_ns()
        write = Write(unit=UNIT, role=Role.INVERTER, point=Point.SETPOINT_W, value=0.0)
        with suppress(DeviceError):
            await driver.write(write)
            waits_ms.append((time.monotonic_ns() - begun_ns) / NS_PER_MS)
    polls = max(driver.counters.reads - started, 1)
    await driver.close()
    await asyncio.wait_for(task, 5.0)
    return waits_ms, [seconds * 1000.0 / polls]


def measure(options: argparse.Namespace) -> Report:
    """All of it, one after the other."""
    seconds: float = options.seconds
    with pymodbus_device() as device:
        share_pct = asyncio.run(cost_pct(device, seconds))
        alone_ms = asyncio.run(gaps(device, seconds, beside_a_dead_one=False))
        beside_ms = asyncio.run(gaps(device, seconds, beside_a_dead_one=True))
        waits_ms, poll_ms = asyncio.run(command_waits(device, seconds))
    alone, beside, waits = summarise(alone_ms), summarise(beside_ms), summarise(waits_ms)
    poll = poll_ms[0]
    return Report(
        settings={"seconds": seconds, "registers": REGISTERS, "period_s": PERIOD_S},
        results={
            "polling, % of a core": share_pct,
            "from reading to reading, ms": alone,
            "the same beside a dead device, ms": beside,
            "a command among polls of 30 requests, ms": waits,
            "such a poll, ms": poll,
        },
        unit="",
        budgets=[
            at_most("60 registers five times a second", "% of a core", CORE_PCT, share_pct),
            at_most("a reading beside a dead device, median", "ms",
                    alone["p50"] + 0.1 * PERIOD_S * 1000.0, beside["p50"]),
            at_most("a command among polls, median, against a whole poll", "ms", poll / 4.0,
                    waits["p50"]),
        ],
    )  # fmt: skip


def main() -> int:
    """Measures and tells."""
    parser = new_parser("fieldbus", (__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="for each of four parts")
    options = parser.parse_args()
    return run("fieldbus", options, lambda: measure(options))


if __name__ == "__main__":
    raise SystemExit(main())
