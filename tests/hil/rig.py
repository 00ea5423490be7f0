"""The rig: a simulated site on real protocols, and Holdfast's own processes on top of it."""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Self

import yaml

from holdfast.core.commands import Command
from holdfast.core.errors import NotRunning
from holdfast.core.plan import Plan, PlanSlot, PlanStatus, SlotMode
from holdfast.core.signals import SITE, Signal
from holdfast.core.site_file import load_site
from holdfast.core.state_machine import State
from holdfast.monitoring.audit_events import (
    FindingCleared,
    FindingRaised,
    LatchesChanged,
)
from holdfast.monitoring.audit_text import describe
from holdfast.monitoring.safety_audit_log import event_of
from holdfast.monitoring.status import Status
from holdfast.runtime.audit_reader import lines_backwards
from holdfast.runtime.control_socket import ControlClient
from holdfast.runtime.files import SiteFiles
from holdfast.runtime.messages import PlanMessage, Reply
from holdfast.runtime.status_reader import StatusReader
from holdfast.testing import free_port
from holdfast.testing.plant_client import ask_plant, plant_damage, plant_status
from holdfast.testing.sites import example_content, example_loads

UNIT = "battery"
LOAD_W = 600.0
PATIENCE_S = 15.0
"""For what has no time of its own in the requirements."""
_END_S = 12.0
_LATCHED = {State.ERROR, State.STOPPED}

_libc = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def _prepare() -> None:
    """In the new process: it ends with the tests, even if those are killed."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    # Whoever started the tests may ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Process:
    """A process that is surely gone in the end."""

    def __init__(self, log: Path, *arguments: str) -> None:
        self._log = log
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                preexec_fn=_prepare,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def output(self) -> str:
        return self._log.read_text(errors="replace")

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self, timeout_s: float = _END_S) -> int:
        return self._process.wait(timeout_s)

    def end(self) -> None:
        """Ask, wait, insist; with all that it has started."""
        children = descendants(self.pid) if self.alive else []
        if self.alive:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self.wait()
        for pid in [self.pid] * self.alive + [pid for pid in children if is_alive(pid)]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.wait()


def is_alive(pid: int) -> bool:
    """True if the process exists and is no zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def children_of(pid: int) -> list[int]:
    """Ids of the processes that ``pid`` has started."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(word) for word in text.split()]


def descendants(pid: int) -> list[int]:
    """Ids of all processes below ``pid``."""
    children = children_of(pid)
    return children + [below for child in children for below in descendants(child)]


class Rig:
    """One site in one folder. Ends everything that it has started."""

    def __init__(
        self, folder: Path, *, bms_on_can: bool = False, with_loads: bool = False, **changes: object
    ) -> None:
        """``with_loads``: behind the gateway that inverter and relays are behind, too."""
        self.folder = folder
        self.config = folder / "site.yaml"
        self.gateway_port = free_port()
        content: dict[str, Any] = example_content(folder, bms_on_can=bms_on_can)
        content["gateway"] = {"host": "127.0.0.1", "port": self.gateway_port}
        content["storage"][0]["operation"] = {"ramp_w_per_s": 20_000}
        if with_loads:
            gateway = content["storage"][0]["inverter"]["connection"]
            content |= example_loads(gateway["port"])
        content |= changes
        self.config.write_text(yaml.safe_dump(content, sort_keys=False))
        self.site = load_site(self.config)
        self.files = SiteFiles(state_dir=self.site.state_dir)
        self.processes: dict[str, Process] = {}
        self._status = StatusReader(self.files)
        self._since_ns = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # The plant last: what still runs wants to see it at rest.
        for name in sorted(self.processes, key=lambda name: name == "plant"):
            self.processes[name].end()

    # ------------------------------------------------------------------ processes

    def start_plant(self, *options: str) -> None:
        """The simulated site; returns when it answers."""
        log = self.folder / "plant.log"
        module = ("-m", "holdfast.testing.site_server", "--config", str(self.config))
        self.processes["plant"] = Process(log, *module, *options)
        self.until(self._plant_answers, "the plant")
        self.set(load_override_w=LOAD_W, pv_override_w=0.0)

    def _plant_answers(self) -> bool:
        try:
            plant_status(self.files.state_dir)
        except NotRunning:
            return False
        return True

    def start(self, *names: str) -> None:
        """Start processes of Holdfast by their names. The controller's status counts from now."""
        for name in names:
            if name == "controller":
                self._since_ns = time.monotonic_ns()
            log = self.folder / f"{name}.log"
            module = f"holdfast.runtime.{name}"
            self.processes[name] = Process(log, "-m", module, "--config", str(self.config))

    def restart(self, name: str) -> None:
        """End a process as its supervisor would, and start it again."""
        self.processes[name].end()
        self.start(name)

    def cli(self, *arguments: str, timeout_s: float = 30.0) -> subprocess.CompletedProcess[str]:
        """Run ``holdfast`` with this site's configuration."""
        return subprocess.run(
            [sys.executable, "-m", "holdfast.cli.main", *arguments, "--config", str(self.config)],
            capture_output=True, text=True, timeout=timeout_s, check=False,
        )  # fmt: skip

    # ------------------------------------------------------------------ the controller

    @property
    def status(self) -> Status | None:
        """The controller's latest status, if it is fresh."""
        found = self._status.latest()
        if found is None or found[1] >= 1.0 or found[0].monotonic_ns < self._since_ns:
            return None
        return found[0]

    @property
    def state(self) -> State | None:
        status = self.status
        return None if status is None else status.state

    def value(self, signal_: Signal) -> float | None:
        """What the controller reads of the unit."""
        status = self.status
        return None if status is None else status.value(UNIT, signal_)

    def findings(self) -> dict[str, str]:
        """Rows of the active findings, and their reactions."""
        status = self.status
        return {} if status is None else {f.row: f.reaction for f in status.findings}

    def command(self, command: Command) -> Reply:
        with ControlClient(self.files.control_socket) as client:
            return client.command(command)

    def send_plan(self, plan: Plan) -> Reply:
        with ControlClient(self.files.control_socket) as client:
            return client.send(PlanMessage(plan=plan))

    def send_raw(self, content: dict[str, Any]) -> Reply:
        """A message without Holdfast's own types around it."""
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
        """What the plant's storage unit is really like."""
        unit: dict[str, Any] = self.plant()["units"][UNIT]
        return unit

    @property
    def power_w(self) -> float:
        """What the inverter really does, + charging."""
        power_w: float = self.unit[Signal.BATTERY_POWER_W]
        return power_w

    @property
    def is_safe(self) -> bool:
        """0 W and the contactor open."""
        unit = self.unit
        return unit[Signal.BATTERY_POWER_W] == 0.0 and unit[Signal.CONTACTOR_CLOSED] == 0.0

    @property
    def is_connected(self) -> bool:
        return bool(self.unit[Signal.CONTACTOR_CLOSED] == 1.0)

    def set(self, **properties: object) -> None:
        ask_plant(self.files.state_dir, {"set": properties})

    def fault(
        self, role: str, kind: str, value: float | None = None, *, of: str | None = None
    ) -> None:
        """``of`` a load, or of the storage unit or site."""
        unit = of or ("site" if role in {"meter", "emergency_input"} else UNIT)
        content = {"unit": unit, "role": role, "kind": kind, "value": value}
        ask_plant(self.files.state_dir, {"fault": content})

    def clear(self) -> None:
        """End all faults."""
        ask_plant(self.files.state_dir, {"clear": {}})

    def damage(self) -> dict[str, int]:
        return plant_damage(self.files.state_dir)

    # ------------------------------------------------------------------ waiting

    def until(self, holds: Callable[[], object], what: str, within_s: float = PATIENCE_S) -> float:
        """Wait until ``holds``; the time that it took."""
        began_s = time.monotonic()
        while not holds():
            if time.monotonic() - began_s > within_s:
                raise AssertionError(f"not within {within_s:g} s: {what}; {self._what_is()}")
            time.sleep(0.01)
        return time.monotonic() - began_s

    def until_state(self, state: State, within_s: float = PATIENCE_S) -> None:
        self.until(lambda: self.state is state, f"state {state.name}", within_s)

    def until_power(self, power_w: float, within_s: float = PATIENCE_S) -> None:
        """Wait for a power at the real inverter."""
        self.until(
            lambda: abs(self.power_w - power_w) <= 50.0, f"{power_w:g} W at the inverter", within_s
        )

    def to_running(self) -> None:
        """From wherever it is back to RUNNING on the local rule, with everything well."""
        self.clear()
        self.set(emergency_loop_closed=True, inverter_runaway_w=None, contactor_welded=False)
        self.until_running(self._covers_its_load, "its load covered by the battery")

    def until_running(self, holds: Callable[[], object], what: str) -> None:
        """Wait until it is RUNNING and ``holds``; reset and start it as often as it takes.

        Prints what was latched, each time.
        """
        before = None

        def is_there() -> bool:
            nonlocal before
            state = self.state
            if state in _LATCHED and before not in _LATCHED:
                print(f"on the way to RUNNING: {self._what_is()}")  # noqa: T201 - if it fails
            before = state
            self._step_to_running(state)
            return state is State.RUNNING and bool(holds())

        self.until(lambda: self.state is not None, "a status")
        # A BMS that was lost is held at zero for 30 s.
        self.until(is_there, f"RUNNING, and {what}", 90.0)

    def _step_to_running(self, state: State | None) -> None:
        with suppress(NotRunning):
            if state in _LATCHED:
                self.command(Command.SERVICE_RESET)
            elif state is State.IDLE:
                self.command(Command.START)
        time.sleep(0.05)

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

    def _what_is(self) -> str:
        status = self.status
        if status is None:
            return "no fresh status"
        found = [f"{f.owner}/{f.row}: {f.text}" for f in status.findings]
        latched = status.latched_faults
        return (
            f"{status.state.name}, waits for {status.waits_for}, finds {found}, latched {latched}"
            + "".join(f"\n  {line}" for line in self._why_latched(latched))
        )

    def _why_latched(self, latched: tuple[str, ...], last: int = 8) -> list[str]:
        """The last lines of the audit log that tell of trips, and of what is latched."""
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


Slot = tuple[float, float, float]
"""Start and end in seconds from now, and battery power in W."""


def plan_of(*slots: Slot, expires_s: float = 60.0, plan_id: str = "test") -> Plan:
    """A plan made now."""
    now = datetime.now(UTC)
    return Plan(
        plan_id=plan_id,
        created=now,
        expires=now + timedelta(seconds=expires_s),
        status=PlanStatus.OPTIMAL,
        expected_cost=0.0,
        slots=tuple(
            PlanSlot(
                start=now + timedelta(seconds=start_s),
                end=now + timedelta(seconds=end_s),
                mode=SlotMode.POWER,
                battery_power_w=power_w,
                grid_power_w=0.0,
                soc_end_pct=50.0,
                import_price_per_kwh=0.3,
                reason="a test asks for it",
            )
            for start_s, end_s, power_w in slots
        ),
    )
