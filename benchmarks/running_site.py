"""A simulated site for a benchmark: its folder, its processes, its plant, its control socket."""

import asyncio
import signal
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from benchmarks.report import CannotRun
from holdfast.client.control import ControlClient
from holdfast.client.messages import Reply, decode_reply, encode, fresh
from holdfast.client.status_reader import StatusReader
from holdfast.core.commands import Command, Point
from holdfast.core.config import Site
from holdfast.core.errors import NotRunning
from holdfast.core.role import Role
from holdfast.core.state_machine import State
from holdfast.monitoring.quantities.quantity import QuantityName
from holdfast.simulation.demo_site import make_demo_site
from holdfast.simulation.plant import SitePlant
from holdfast.simulation.servers.site_server import SiteServer
from holdfast.site.files import SiteFiles
from holdfast.site.memory_folder import remove_memory_folder
from holdfast.site.site_file import load_site
from holdfast.testing.processes import Process

READY_S = 30.0
LOAD_W = 3000.0
"""The house takes this and has no sun, so that the battery discharges."""
_LOOK_EVERY_S = 0.005
_BURST_PERIOD_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFolder:
    """A site.yaml and where its processes meet."""

    config: Path
    site: Site
    files: SiteFiles


def make_site(
    folder: Path, *, period_ms: int = 20, operation: Mapping[str, float] | None = None
) -> SiteFolder:
    """The demonstration's site in ``folder``, with another cycle or operation."""
    config = make_demo_site(folder, datetime.now(UTC)).config
    content: dict[str, Any] = yaml.safe_load(config.read_text(encoding="utf-8"))
    content["cycle"] = {"period_ms": period_ms}
    content["storage"][0]["operation"] = dict(operation or {})
    config.write_text(yaml.safe_dump(content), encoding="utf-8")
    site = load_site(config)
    files = SiteFiles.of(site)
    files.create()
    return SiteFolder(config=config, site=site, files=files)


class SiteProcesses:
    """Processes of one site; all of them end with this one, however it ends."""

    def __init__(self, folder: SiteFolder) -> None:
        self._folder = folder
        self._running: dict[str, Process] = {}

    def start(self, module: str, *arguments: str) -> int:
        """Run ``module`` with the site's config. Gives its process id."""
        log = self._folder.files.logs / f"{module}.err"
        process = Process(log, "-m", module, "--config", str(self._folder.config), *arguments)
        self._running[module] = process
        return process.pid

    def check(self) -> None:
        """Raises CannotRun if one has ended by itself."""
        for module, process in self._running.items():
            if not process.alive:
                raise CannotRun(
                    f"{module} ended with code {process.wait()}: {_last_words(process)}"
                )

    def stop(self, module: str) -> None:
        """Ask one to end, wait, insist."""
        self._running.pop(module).end()

    def kill(self, module: str) -> None:
        """End one at once."""
        process = self._running.pop(module)
        process.signal(signal.SIGKILL)
        process.wait()

    def __enter__(self) -> "SiteProcesses":
        return self

    def __exit__(self, *_: object) -> None:
        for module in reversed(list(self._running)):
            self.stop(module)
        remove_memory_folder(self._folder.files.state_dir)

    async def __aenter__(self) -> "SiteProcesses":
        return self

    async def __aexit__(self, *exit_: object) -> None:
        # The devices answer from this event loop until the controller has come to rest.
        await asyncio.to_thread(self.__exit__, *exit_)


def _last_words(process: Process) -> str:
    lines = process.output.strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def wait_for_running(folder: SiteFolder, processes: SiteProcesses) -> None:
    """Start the site and wait until power flows. Raises CannotRun if it does not."""
    status = StatusReader(folder.files)
    unit = folder.site.unit_names[0]
    end_s = time.monotonic() + READY_S
    why = "no controller answers"
    while time.monotonic() < end_s:
        time.sleep(0.1)
        processes.check()
        try:
            with ControlClient(folder.files.control_socket) as client:
                why = client.command(Command.START).reason
        except NotRunning:
            continue
        found = status.latest()
        if found is None or found[0].state is not State.RUNNING:
            continue
        if found[0].quantities_of(QuantityName.BATTERY_POWER)[unit].ramped != 0.0:
            return
    raise CannotRun(f"the site did not get to RUNNING with power flowing: {why}")


class InverterEar:
    """Hears what is written to the inverter's setpoint, with the times."""

    def __init__(self) -> None:
        self.setpoint_w: float | None = None
        """What was written last."""
        self.zero_ns: int | None = None
        """When 0 W was first written after :meth:`listen`."""
        self._zero = asyncio.Event()

    def hear(self, role: Role, _unit: str, point: Point, value: float, time_ns: int) -> None:
        """Called for every write to the simulated site."""
        if role is not Role.INVERTER or point is not Point.SETPOINT_W:
            return
        self.setpoint_w = value
        if value == 0.0 and self.zero_ns is None:
            self.zero_ns = time_ns
            self._zero.set()

    def listen(self) -> None:
        """Forget what was."""
        self.zero_ns = None
        self._zero.clear()

    async def zero(self, within_s: float) -> int | None:
        """When 0 W came; None if it did not."""
        try:
            async with asyncio.timeout(within_s):
                await self._zero.wait()
        except TimeoutError:
            pass
        return self.zero_ns


def serve_site(folder: SiteFolder, ear: InverterEar) -> SiteServer:
    """The simulated site inside this process; its house takes ``LOAD_W``."""
    plant = SitePlant.from_site(folder.site)
    plant.household.load_override_w = LOAD_W
    plant.household.pv_override_w = 0.0
    return SiteServer(
        folder.site, plant, on_write=ear.hear, burst_period_s=_BURST_PERIOD_S, control_socket=False
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A command, its answer, and when they went and came (monotonic)."""

    reply: Reply
    sent_ns: int
    """Taken before the bytes were handed to the socket."""
    answered_ns: int


class Commander:
    """Commands a controller from the event loop that serves its devices."""

    def __init__(self, folder: SiteFolder, processes: SiteProcesses) -> None:
        self._folder = folder
        self._processes = processes
        self._status = StatusReader(folder.files)
        self._socket: socket.socket | None = None

    async def connect(self) -> None:
        """Connect as soon as the controller listens. Raises CannotRun if it never does."""
        end_s = time.monotonic() + READY_S
        while time.monotonic() < end_s:
            self._processes.check()
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.setblocking(False)  # noqa: FBT003 - the library's signature
            try:
                connection.connect(str(self._folder.files.control_socket))
            except OSError:
                connection.close()
                await asyncio.sleep(_LOOK_EVERY_S)
                continue
            self._socket = connection
            return
        raise CannotRun("the controller does not listen")

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    async def ask(self, command: Command) -> Asked:
        """Send ``command`` and wait for the answer. Raises CannotRun without one."""
        assert self._socket is not None, "connect() first"
        message = encode(fresh(command))
        sent_ns = time.monotonic_ns()
        self._socket.send(message)
        try:
            async with asyncio.timeout(READY_S):
                line = await asyncio.get_running_loop().sock_recv(self._socket, 65536)
        except TimeoutError:
            raise CannotRun(f"the controller does not answer {command}") from None
        answered_ns = time.monotonic_ns()
        if not line.endswith(b"\n"):
            raise CannotRun(f"the controller hung up on {command}")
        return Asked(reply=decode_reply(line), sent_ns=sent_ns, answered_ns=answered_ns)

    def is_in(self, state: State) -> bool:
        """True if the controller's latest status, not older than a second, says so."""
        found = self._status.latest()
        return found is not None and found[0].state is state and found[1] < 1.0

    async def reach(self, state: State) -> None:
        """Wait for ``state``."""
        await self.until(lambda: self.is_in(state), f"the site does not reach {state.name}")

    async def until(self, condition: Callable[[], bool], otherwise: str) -> None:
        """Wait for ``condition``. Raises CannotRun if it takes too long."""
        end_s = time.monotonic() + READY_S
        while not condition():
            self._processes.check()
            if time.monotonic() > end_s:
                raise CannotRun(otherwise)
            await asyncio.sleep(_LOOK_EVERY_S)
