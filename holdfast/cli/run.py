"""``holdfast run`` runs a site, or the demonstration."""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

from holdfast.cli.arguments import add_config
from holdfast.cli.status_line import status_line
from holdfast.client.control import ControlClient
from holdfast.client.status_outline import OutlineReader, StatusOutline
from holdfast.core.commands import Command
from holdfast.core.errors import ConfigError, NotRunning
from holdfast.core.state_machine import State
from holdfast.monitoring.status.comms import silence
from holdfast.runtime.begun_site import ONE_EACH, SUPERVISOR
from holdfast.runtime.child import ChildFailed
from holdfast.runtime.errands import begin, give_back_all
from holdfast.runtime.feeders import SystemdFeeder
from holdfast.runtime.realtime import end_with_parent
from holdfast.runtime.supervisor import Supervisor
from holdfast.simulation.servers.plant_client import plant_damage
from holdfast.site.files import SiteFiles
from holdfast.site.memory_folder import remove_memory_folder
from holdfast.site.site_lock import hold_lock, refuse_second

if TYPE_CHECKING:
    from holdfast.cli.live_view import LiveView
    from holdfast.simulation.demo_site import DemoSite

DESCRIPTION = """\
Start and supervise the five processes of a site: controller, watchdog, planner, gateway, api.
Ctrl-C takes the site to 0 W, opens the contactors, saves its state, and ends.

The site waits in IDLE until somebody runs `holdfast start`. The demonstration starts itself:
a simulated house with a battery on CAN, inverter and meter on Modbus TCP, and sample prices,
in the folder demo-site. --demo TABLE puts the device in it that a table is about, such as
foxess_h3 or shelly_pro_3em (`holdfast devices list` prints them); one behind a broker needs
mosquitto installed.
"""
LOOK_EVERY_S = 0.1
LINE_EVERY_S = 5.0
JOURNAL_EVERY_S = 900.0
"""A journal is kept: what it gets all the time wears out an SD card, and hides what happened."""
FRESH_S = 1.0
PLANT_READY_S = 15.0
DEMO_SOC_PCT = 15.0
"""It is low enough that the cheap hour, which begins about now, is one to charge in."""
_PLAIN = ""
"""The demonstration has plain devices."""
_BROKER = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence false
user root
"""
"""It would become another user, and outlive us, where root has started it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    add_config(parser)
    parser.add_argument(
        "--demo",
        nargs="?",
        const=_PLAIN,
        metavar="TABLE",
        help="run the simulated demonstration site; with the name of a device table, on such a box",
    )
    parser.add_argument(
        "--over-mqtt",
        action="store_true",
        help="the box of --demo TABLE, a Growatt's, is behind a stick with OpenInverterGateway",
    )
    parser.add_argument(
        "--folder", type=Path, default=Path("demo-site"), help="the demonstration's folder"
    )
    parser.add_argument(
        "--for", dest="seconds", type=float, metavar="SECONDS", help="end by itself after this long"
    )
    parser.add_argument("--plain", action="store_true", help="print lines instead of a live view")


def execute(options: argparse.Namespace) -> int:
    """Runs until Ctrl-C, SIGTERM, or the end of the time."""
    with _told_to_end() as end:
        if options.demo is None:
            return SupervisedSite(options.config, options, end).until_the_end()
        # Before its folder is made anew: its files may be in use.
        refuse_second(SiteFiles(state_dir=options.folder / "state"), SUPERVISOR, *ONE_EACH)
        from holdfast.simulation.demo_site import make_demo_site

        table = None if options.demo is _PLAIN else options.demo
        demo = make_demo_site(options.folder, datetime.now(UTC), table, over_mqtt=options.over_mqtt)
        print(f"simulated site in {options.folder}; metrics at {demo.metrics_url}")
        print(f"from another terminal: holdfast status --config {demo.config}")
        with _broker(demo), _plant(demo):
            return SupervisedSite(demo.config, options, end).until_the_end()


@contextmanager
def _told_to_end() -> Iterator[threading.Event]:
    """Gives an event that Ctrl-C, SIGTERM and a terminal that goes away set.

    An exception in their place could strike between starting a process and knowing of it.
    """
    end = threading.Event()
    # What is ignored stays so: nohup means it.
    wanted = [
        number
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) is not signal.SIG_IGN
    ]
    before = {number: signal.signal(number, lambda *_: end.set()) for number in wanted}
    try:
        yield end
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _broker(demo: "DemoSite") -> Iterator[None]:
    """Runs the broker that a device of the demonstration is behind, if one is."""
    if demo.broker_port is None:
        yield
        return
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        raise ConfigError("this device is behind a broker: install mosquitto (apt) to simulate it")
    config = demo.config.with_name("mosquitto.conf")
    config.write_text(_BROKER.format(port=demo.broker_port))
    process = subprocess.Popen(
        [program, "-c", config],
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=partial(end_with_parent, os.getpid()),
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(PLANT_READY_S)


@contextmanager
def _plant(demo: "DemoSite") -> Iterator[None]:
    """Runs the simulated site in a process of its own."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "holdfast.simulation.servers.site_server",
            "--config",
            str(demo.config),
            "--soc",
            str(DEMO_SOC_PCT),
        ],
        stdout=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=partial(end_with_parent, os.getpid()),
    )
    try:
        assert process.stdout is not None
        if not process.stdout.readline().startswith(b"plant ready"):
            raise ConfigError("the simulated site did not start")
        yield
    finally:
        process.terminate()
        process.wait(PLANT_READY_S)


class PlainLines:
    """Tells of a site in lines alone."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def tell(self, line: str) -> None:
        """Prints a line."""
        print(line, flush=True)


class SupervisedSite:
    """Runs a site once, and tells of it."""

    def __init__(self, config: Path, options: argparse.Namespace, end: threading.Event) -> None:
        self._end = end
        self._begun = begin(config)
        self._files = SiteFiles(state_dir=self._begun.state_dir)
        self._demo = options.demo is not None
        self._seconds: float | None = options.seconds
        self._screen = _screen(self._files, self._begun.timezone, plain=options.plain)
        self._supervisor = Supervisor(config, self._files, self._tell)
        self._status = OutlineReader(self._files)
        self._state: State | None = None
        self._silent: dict[str, str] = {}
        self._ran = self._planned = False
        self._started_s = time.monotonic()
        self._look_s = self._line_s = 0.0
        # systemd sets it where it keeps what is printed (systemd.exec(5)).
        self._line_every_s = JOURNAL_EVERY_S if "JOURNAL_STREAM" in os.environ else LINE_EVERY_S

    def until_the_end(self) -> int:
        """Runs; 0 if the site came to rest, and in the demonstration did what it is to show."""
        with hold_lock(self._files, SUPERVISOR):
            refuse_second(self._files, *ONE_EACH)
            for line in self._begun.lines:
                self._tell(line)
            try:
                self._supervisor.start()
                with self._screen:
                    self._watch()
            finally:
                SystemdFeeder().tell("STOPPING=1")
                # Whatever ended it, nothing is left behind without a supervisor.
                rested = self._supervisor.stop()
                remove_memory_folder(self._files.state_dir)
        if rested and self._supervisor.lost is None:
            self._give_back()
        return self._conclude(rested=rested)

    def _give_back(self) -> None:
        try:
            lines = give_back_all(self._begun)
        except ChildFailed as error:
            lines = (f"what may be given back to its own rule is not: {error}",)
        for line in lines:
            self._tell(line)

    def _watch(self) -> None:
        while self._seconds is None or time.monotonic() - self._started_s < self._seconds:
            if self._end.wait(LOOK_EVERY_S):
                self._tell("ending" if self._begun.observes else "ending: 0 W, contactors open")
                return
            self._supervisor.look()
            if self._supervisor.lost is not None:
                self._tell(f"{self._supervisor.lost} keeps ending; see {self._files.logs}")
                return
            status = self._status.fresh(FRESH_S)
            if status is not None:
                self._show(status)

    def _show(self, status: StatusOutline) -> None:
        if status.state is not self._state:
            self._tell(f"{self._state.name if self._state else '–'} -> {status.state.name}")
            self._state = status.state
        self._ran |= status.state is State.RUNNING
        self._planned |= status.state is State.RUNNING and status.request_source == "plan"
        if isinstance(self._screen, PlainLines):
            self._tell_lines(status, time.monotonic())
        else:
            self._screen.show()
        if self._demo and status.state is State.IDLE and not self._ran:
            self._ran = self._start()

    def _tell_lines(self, status: StatusOutline, now_s: float) -> None:
        if now_s >= self._look_s:
            self._look_s = now_s + LINE_EVERY_S
            self._tell_silent(status)
        if now_s >= self._line_s:
            self._line_s = now_s + self._line_every_s
            self._tell(status_line(status))

    def _tell_silent(self, status: StatusOutline) -> None:
        """Tells of devices that have fallen silent, or are so for another reason."""
        silent = {
            name: text for name, comms in status.comms.items() if (text := silence(name, comms))
        }
        why = {name: status.comms[name].why_silent for name in silent}
        for name, text in silent.items():
            if why[name] != self._silent.get(name):
                self._tell(f"no answer from {text}")
        self._silent = why

    def _start(self) -> bool:
        try:
            with ControlClient(self._files.control_socket) as client:
                reply = client.command(Command.START)
        except NotRunning:
            return False
        self._tell(f"start: {reply.reason}")
        return reply.accepted

    def _tell(self, text: str) -> None:
        self._screen.tell(f"{time.monotonic() - self._started_s:7.1f} s  {text}")

    def _conclude(self, *, rested: bool) -> int:
        self._tell("at rest" if rested else "NOT seen at rest: look at the devices")
        if not self._demo:
            return 0 if rested and self._supervisor.lost is None else 1
        damage = plant_damage(self._files.state_dir)
        self._tell(
            f"reached RUNNING: {_yes(self._ran)}; followed a plan: {_yes(self._planned)}; "
            f"plant damaged: {_yes(bool(damage))}"
        )
        return 0 if rested and self._ran and self._planned and not damage else 1


def _screen(files: SiteFiles, timezone: str, *, plain: bool) -> "PlainLines | LiveView":
    """Returns what tells of the site; a view loads what a service never shows."""
    if plain or not sys.stdout.isatty():
        return PlainLines()
    from holdfast.cli.live_view import LiveView

    return LiveView(files, timezone)


def _yes(value: bool) -> str:  # noqa: FBT001 - a word for it
    return "yes" if value else "no"
