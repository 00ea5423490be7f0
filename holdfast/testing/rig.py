"""The rig is a simulated site on real protocols, and Holdfast's own processes on top of it."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, Self

import yaml

from holdfast.client.audit_reader import lines_backwards
from holdfast.client.control import ControlClient
from holdfast.client.messages import PlanMessage, Reply
from holdfast.client.status_reader import StatusReader
from holdfast.core.commands import Command
from holdfast.core.errors import NotRunning
from holdfast.core.plan import Plan
from holdfast.core.signals import SITE, Signal
from holdfast.core.state_machine import State
from holdfast.monitoring.audit.events import (
    FindingCleared,
    FindingRaised,
    LatchesChanged,
)
from holdfast.monitoring.audit.log_lines import event_of
from holdfast.monitoring.audit.text import describe
from holdfast.monitoring.quantities.quantity import Quantity, QuantityName
from holdfast.monitoring.status.schema import Status
from holdfast.simulation.net import free_port
from holdfast.simulation.servers.plant_client import ask_plant, plant_damage, plant_status
from holdfast.site.files import SiteFiles
from holdfast.site.memory_folder import remove_memory_folder
from holdfast.site.site_file import load_site
from holdfast.testing.processes import Process
from holdfast.testing.sites import example_content, example_loads
from holdfast.testing.waiting import PATIENCE_S, POLL_S, T, TooLate, until

UNIT = "battery"
LOAD_W = 600.0
"""The house uses so much, unless a test says otherwise."""
_LAST = {"watchdog": 1, "plant": 2}
"""These end in this order, after all others."""
START_S = 60.0
"""So long five processes may take to start on a computer that does much else."""
_LATCHED = {State.ERROR, State.STOPPED}


class Rig:
    """Runs one site in one folder. Ends everything that it has started."""

    def __init__(
        self, folder: Path, *, bms_on_can: bool = False, with_loads: bool = False, **changes: object
    ) -> None:
        """``with_loads`` puts loads behind the gateway that inverter and relays are behind, too."""
        self.folder = folder
        self.config = folder / "site.yaml"
        self.gateway_port, self.api_port = free_port(), free_port()
        content: dict[str, Any] = example_content(folder, bms_on_can=bms_on_can)
        content["gateway"] = {"host": "127.0.0.1", "port": self.gateway_port}
        content["api"] = {"host": "127.0.0.1", "port": self.api_port}
        content["storage"][0]["operation"] = {"ramp_w_per_s": 20_000}
        if with_loads:
            gateway = content["storage"][0]["inverter"]["connection"]
            content |= example_loads(gateway["port"])
        content |= changes
        self.config.write_text(yaml.safe_dump(content, sort_keys=False))
        self.site = load_site(self.config)
        self.files = SiteFiles.of(self.site)
        self.processes: dict[str, Process] = {}
        self._status = StatusReader(self.files)
        self._since_ns = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # The watchdog leaves a site at rest alone, and whoever runs wants to see the plant at rest.
        for name in sorted(self.processes, key=lambda name: _LAST.get(name, 0)):
            self.processes[name].end()
        remove_memory_folder(self.files.state_dir)

    # ------------------------------------------------------------------ processes

    def start_plant(self, *options: str) -> None:
        """Starts the simulated site; returns when it answers."""
        # In real time where that is permitted: devices do not wait for a busy computer.
        module = "holdfast.simulation.servers.site_server"
        self.launch("plant", "-m", module, "--fifo", *options)
        self.until(self._plant_answers, "the plant")
        self.set(load_override_w=LOAD_W, pv_override_w=0.0)

    def _plant_answers(self) -> bool:
        try:
            plant_status(self.files.state_dir)
        except NotRunning:
            return False
        return True

    def start(self, *names: str) -> None:
        """Starts processes of Holdfast by their names."""
        for name in names:
            self.launch(name, "-m", f"holdfast.runtime.{name}")

    def launch(self, name: str, *arguments: str) -> None:
        """Starts Python with this site's configuration, under ``name``.

        One that runs under that name is ended first, as its supervisor would. What the controller
        said before does not count any more.
        """
        if name in self.processes:
            self.processes[name].end()
        if name in {"controller", "run"}:
            self._since_ns = time.monotonic_ns()
        log = self.folder / f"{name}.log"
        self.processes[name] = Process(log, *arguments, "--config", str(self.config))

    def cli(self, *arguments: str, timeout_s: float = 300.0) -> subprocess.CompletedProcess[str]:
        """Runs ``holdfast`` with this site's configuration."""
        return subprocess.run(
            [sys.executable, "-m", "holdfast.cli.main", *arguments, "--config", str(self.config)],
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    # ------------------------------------------------------------------ the controller

    @property
    def status(self) -> Status | None:
        """Returns the controller's latest status, if it is fresh; else None."""
        found = self._status.latest()
        if found is None or found[1] >= 1.0 or found[0].monotonic_ns < self._since_ns:
            return None
        return found[0]

    @property
    def state(self) -> State | None:
        status = self.status
        return None if status is None else status.state

    def value(self, signal_: Signal) -> float | None:
        """Returns what the controller reads of the unit."""
        status = self.status
        return None if status is None else status.value(UNIT, signal_)

    def quantity(self, name: QuantityName, owner: str = UNIT) -> Quantity | None:
        """Returns what is on its way to a device; None if nothing is."""
        status = self.status
        return None if status is None else status.quantities_of(name).get(owner)

    def findings(self) -> dict[str, str]:
        """Returns rows of the active findings, and their reactions."""
        status = self.status
        return {} if status is None else {f.row: f.reaction for f in status.findings}

    def command(self, command: Command) -> Reply:
        with ControlClient(self.files.control_socket) as client:
            return client.command(command)

    def send_plan(self, plan: Plan) -> Reply:
        with ControlClient(self.files.control_socket) as client:
            return client.send(PlanMessage(plan=plan))

    def send_raw(self, content: dict[str, Any]) -> Reply:
        """Sends a message without Holdfast's own types around it."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(5.0)
            connection.connect(str(self.files.control_socket))
            connection.sendall(json.dumps(content).encode() + b"\n")
            answer = json.loads(connection.makefile("rb").readline())
        return Reply(**(answer | {"state": State(answer["state"])}))

    # ------------------------------------------------------------------ the plant

    def plant(self) -> dict[str, Any]:
        return plant_status(self.files.state_dir)

    @property
    def unit(self) -> dict[str, Any]:
        """Tells what the plant's storage unit is really like."""
        unit: dict[str, Any] = self.plant()["units"][UNIT]
        return unit

    @property
    def power_w(self) -> float:
        """Tells what the inverter really does, in W, + charging."""
        power_w: float = self.unit[Signal.BATTERY_POWER_W]
        return power_w

    @property
    def is_safe(self) -> bool:
        """Says whether it is at 0 W and the contactor is open."""
        unit = self.unit
        return bool(unit[Signal.BATTERY_POWER_W] == 0.0 and unit[Signal.CONTACTOR_CLOSED] == 0.0)

    @property
    def is_connected(self) -> bool:
        return bool(self.unit[Signal.CONTACTOR_CLOSED] == 1.0)

    def set(self, **properties: object) -> None:
        ask_plant(self.files.state_dir, {"set": properties})

    def fault(
        self, role: str, kind: str, value: float | None = None, *, of: str | None = None
    ) -> None:
        """Makes the plant fail; ``of`` names a load, or else it is the storage unit or site."""
        unit = of or ("site" if role in {"meter", "emergency_input"} else UNIT)
        content = {"unit": unit, "role": role, "kind": kind, "value": value}
        ask_plant(self.files.state_dir, {"fault": content})

    def clear(self) -> None:
        """Ends all faults."""
        ask_plant(self.files.state_dir, {"clear": {}})

    def damage(self) -> dict[str, int]:
        return plant_damage(self.files.state_dir)

    # ------------------------------------------------------------------ waiting

    def until(
        self,
        holds: Callable[[], T | None],
        what: str,
        within_s: float = PATIENCE_S,
        *,
        every_s: float = POLL_S,
    ) -> T:
        """Waits as :func:`until`; a failure says what the controller says."""
        try:
            return until(holds, what, within_s, every_s=every_s)
        except TooLate as error:
            raise TooLate(f"{error}; {self.what_is()}") from None

    def keeps(self, holds: Callable[[], object], what: str, for_s: float) -> None:
        """Sees that ``holds`` all the time while the controller runs the cycles of ``for_s``."""
        last = self._cycles() + round(for_s * 1000.0 / self.site.cycle.period_ms)
        while self._cycles() < last:
            assert holds(), f"no longer {what}; {self.what_is()}"
            time.sleep(POLL_S)

    def _cycles(self) -> int:
        return self.until(lambda: self.status, "a status").loop.cycles

    def until_state(self, state: State, within_s: float = PATIENCE_S) -> None:
        self.until(lambda: self.state is state, f"state {state.name}", within_s)

    def until_power(self, power_w: float, within_s: float = PATIENCE_S) -> None:
        """Waits for a power at the real inverter, in W."""
        self.until(
            lambda: abs(self.power_w - power_w) <= 50.0, f"{power_w:g} W at the inverter", within_s
        )

    def to_running(self) -> None:
        """Goes from wherever it is back to RUNNING on the local rule, with everything well."""
        self.clear()
        self.set(emergency_loop_closed=True, inverter_runaway_w=None, contactor_welded=False)
        self.until_running(self._covers_its_load, "its load covered by the battery")

    def until_running(self, holds: Callable[[], object], what: str) -> None:
        """Waits until it is RUNNING and ``holds``; resets and starts it as often as it takes.

        It prints what was latched, each time.
        """
        before = None

        def is_there() -> bool:
            nonlocal before
            state = self.state
            if state in _LATCHED and before not in _LATCHED:
                print(f"on the way to RUNNING: {self.what_is()}")  # noqa: T201 - if it fails
            before = state
            self._step_to_running(state)
            return state is State.RUNNING and bool(holds())

        self.until(lambda: self.state is not None, "a status", START_S)
        # A BMS that was lost is held at zero for 30 s.
        self.until(is_there, f"RUNNING, and {what}", 90.0, every_s=0.05)

    def _step_to_running(self, state: State | None) -> None:
        with suppress(NotRunning):
            if state in _LATCHED:
                self.command(Command.SERVICE_RESET)
            elif state is State.IDLE:
                self.command(Command.START)

    def _covers_its_load(self) -> bool:
        """Nothing comes from the grid, and it is measured so."""
        plant, status = self.plant(), self.status
        seen_w = None if status is None else status.value(SITE, Signal.GRID_POWER_W)
        return (
            abs(plant["units"][UNIT][Signal.BATTERY_POWER_W] + LOAD_W) <= 50.0
            and abs(plant["grid_power_w"]) < 50.0
            and seen_w is not None
            and abs(seen_w) < 50.0
        )

    def what_is(self) -> str:
        """Tells what the controller says of its state, for whoever looks into a failure."""
        status = self.status
        if status is None:
            ended = {n: p.output[-300:] for n, p in self.processes.items() if not p.alive}
            return f"no fresh status, ended are {ended}" if ended else "no fresh status"
        found = [f"{f.owner}/{f.row}: {f.text}" for f in status.findings]
        latched = status.latched_faults
        return (
            f"{status.state.name}, waits for {status.waits_for}, finds {found}, latched {latched}"
            + "".join(f"\n  {line}" for line in self._why_latched(latched))
        )

    def _why_latched(self, latched: tuple[str, ...], last: int = 8) -> list[str]:
        """Returns the last lines of the audit log that tell of trips, and of what is latched."""
        lines = ((line, event_of(line)) for line in lines_backwards(self.files.audit))
        told = (
            f"{line.time:%H:%M:%S.%f} {describe(event)}"
            for line, event in lines
            if isinstance(event, LatchesChanged)
            or (
                isinstance(event, FindingRaised | FindingCleared)
                and (event.key in latched or event.reaction == "trip")
            )
        )
        return list(islice(told, last))[::-1]
