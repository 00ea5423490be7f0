"""The supervisor: starts again what ends, with patience, not for ever, and stops in order."""

import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from holdfast.client.messages import ProcessMessage
from holdfast.core.commands import Command
from holdfast.core.state_machine import State
from holdfast.core.texts import MAX_REASON
from holdfast.monitoring.audit.events import ChildEnded, ChildStarted
from holdfast.runtime import supervisor as module
from holdfast.runtime.control_socket import serve
from holdfast.runtime.supervisor import (
    BACKOFF_S,
    BEGINS_S,
    CRASHES,
    DIFFERENT_S,
    HANGS_S,
    LATER_S,
    PROCESSES,
    LifeSign,
    SupervisedProcess,
    Supervisor,
)
from holdfast.site.files import SiteFiles
from holdfast.site.shared_memory import Heartbeat
from tests.runtime.audit.test_writer import AuditedBench, of
from tests.runtime.bench import LoopBench

FOREVER = "import time; time.sleep(60)"
STUBBORN = (
    "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "print('deaf', flush=True); time.sleep(60)"
)
CRASH = "import sys; sys.stderr.write('first line\\nwhy it ended\\n'); sys.exit(3)"


def child_of(
    files: SiteFiles,
    script: str,
    name: str = "planner",
    note: Callable[[ProcessMessage], None] = lambda _: None,
) -> SupervisedProcess:
    child = SupervisedProcess(name, Path("site.yaml"), files, note)
    child._command = [sys.executable, "-c", script]
    return child


@pytest.fixture
def files(tmp_path: Path) -> SiteFiles:
    files = SiteFiles(state_dir=tmp_path)
    files.create()
    return files


@pytest.fixture
def ended() -> Iterator[list[SupervisedProcess]]:
    children: list[SupervisedProcess] = []
    yield children
    for child in children:
        if child._process is not None and child._process.poll() is None:
            child._process.kill()
            child._process.wait()


def crash(child: SupervisedProcess) -> None:
    assert child._process is not None
    child._process.wait(10.0)


def test_a_process_that_ended_is_started_again_later_and_later(
    files: SiteFiles, ended: list[SupervisedProcess]
) -> None:
    child = child_of(files, CRASH, "controller")
    ended.append(child)
    told: list[str] = []
    child.start()
    now_s = 1000.0
    for wait_s in BACKOFF_S[: CRASHES - 1]:
        crash(child)
        child.look(now_s, told.append)
        assert told[-1] == f"controller ended with code 3; again in {wait_s:g} s: why it ended"
        child.look(now_s + wait_s - 0.01, told.append)
        assert child.pid is None
        now_s += wait_s
        child.look(now_s, told.append)
        assert child._process is not None
    crash(child)
    child.look(now_s, told.append)
    assert "given up" in told[-1]
    assert child.given_up
    child.look(now_s + 1e6, told.append)
    assert child._process is None
    assert len(told) == CRASHES


def test_one_that_is_not_vital_is_tried_again_for_ever(
    files: SiteFiles, ended: list[SupervisedProcess]
) -> None:
    """The address that it listens on may come with the network, minutes after the computer."""
    child = child_of(files, CRASH, "gateway")
    ended.append(child)
    told: list[str] = []
    child.start()
    now_s = 1000.0
    for _ in range(CRASHES + 2):
        crash(child)
        child.look(now_s, told.append)
        now_s += LATER_S
        child.look(now_s, told.append)
        assert child._process is not None
    assert f"again in {LATER_S:g} s" in told[-1]
    assert not child.given_up


def test_crashes_that_lie_far_apart_are_no_crash_loop(
    files: SiteFiles, ended: list[SupervisedProcess]
) -> None:
    child = child_of(files, CRASH)
    ended.append(child)
    told: list[str] = []
    child.start()
    for hour in range(1, 8):
        crash(child)
        child.look(hour * 3600.0, told.append)
        assert "again in 0.5 s" in told[-1]
        child.look(hour * 3600.0 + 0.5, told.append)
    assert not child.given_up


def test_what_runs_is_left_alone(files: SiteFiles, ended: list[SupervisedProcess]) -> None:
    child = child_of(files, FOREVER)
    ended.append(child)
    child.start()
    pid = child.pid
    assert pid is not None
    child.look(1.0, pytest.fail)
    assert child.pid == pid
    assert child.stop() not in {None, 0}
    assert child.pid is None


def test_a_process_that_does_not_end_is_killed(
    files: SiteFiles, ended: list[SupervisedProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STOP_S", 0.3)
    child = child_of(files, STUBBORN, "controller")
    ended.append(child)
    child.start()
    log = files.logs / "controller.err"
    deadline_s = time.monotonic() + 10.0
    while "deaf" not in log.read_text() and time.monotonic() < deadline_s:
        time.sleep(0.01)
    assert child.stop() == -9


def test_each_start_and_end_is_noted(files: SiteFiles, ended: list[SupervisedProcess]) -> None:
    noted: list[ProcessMessage] = []
    child = child_of(files, CRASH, note=noted.append)
    ended.append(child)
    child.start()
    first = child.pid
    crash(child)
    child.look(1000.0, lambda _: None)
    child._command = [sys.executable, "-c", FOREVER]
    child.look(1000.5, lambda _: None)
    second = child.pid
    code = child.stop()
    assert [(n.process, n.pid, n.starts, n.code, n.asked, n.note) for n in noted] == [
        ("planner", first, 1, None, False, ""),
        ("planner", first, 1, 3, False, "again in 0.5 s: why it ended"),
        ("planner", second, 2, None, False, ""),
        ("planner", second, 2, code, True, ""),
    ]
    assert [n.utc for n in noted] == sorted(n.utc for n in noted)


def test_one_that_had_ended_before_it_was_told_to_is_noted_as_such(
    files: SiteFiles, ended: list[SupervisedProcess]
) -> None:
    noted: list[ProcessMessage] = []
    child = child_of(files, "print('x' * 1000); raise SystemExit(3)", note=noted.append)
    ended.append(child)
    assert child.stop() is None
    assert noted == []
    child.start()
    crash(child)
    child.look(1000.0, lambda _: None)
    assert len(noted[-1].note) == MAX_REASON
    child.look(1001.0, lambda _: None)
    crash(child)
    assert child.stop() == 3
    assert (noted[-1].code, noted[-1].asked) == (3, False)


async def test_the_ends_of_what_stops_before_the_controller_are_on_record(
    tmp_path: Path, ended: list[SupervisedProcess]
) -> None:
    bench = AuditedBench(tmp_path)
    supervisor = supervisor_of(bench.files, ended, FOREVER)
    server = await serve(bench.files.control_socket, bench.loop, bench.plans, audit=bench.trail)
    supervisor.start()
    await asyncio.to_thread(supervisor.look)
    await asyncio.to_thread(supervisor.stop)
    await server.close()
    found = bench.end()
    assert [event.process for event in of(ChildStarted, found)] == list(PROCESSES)
    # Here the one who listens does not end with "the controller".
    names = [event.process for event in of(ChildEnded, found)]
    assert names == ["api", "gateway", "planner", "controller"]
    assert all(event.asked for event in of(ChildEnded, found))


def supervisor_of(files: SiteFiles, ended: list[SupervisedProcess], script: str) -> Supervisor:
    supervisor = Supervisor(Path("site.yaml"), files, lambda _: None)
    for child in supervisor.children.values():
        child._command = [sys.executable, "-c", script]
        ended.append(child)
    return supervisor


def test_they_stop_one_after_the_other_the_watchdog_last(
    files: SiteFiles, ended: list[SupervisedProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor = supervisor_of(files, ended, FOREVER)
    supervisor.start()
    order: list[str] = []
    stop = SupervisedProcess.stop

    def note(child: SupervisedProcess) -> int | None:
        assert child.pid is not None
        order.append(child.name)
        code = stop(child)
        assert child.pid is None
        return code

    monkeypatch.setattr(SupervisedProcess, "stop", note)
    assert supervisor.stop() is False  # none of them knew how to come to rest
    assert order == ["api", "gateway", "planner", "controller", "watchdog"]
    assert sorted(order) == sorted(PROCESSES)


def test_a_controller_that_came_to_rest_is_told_from_one_that_did_not(
    files: SiteFiles, ended: list[SupervisedProcess]
) -> None:
    for script, rested in (("pass", True), ("raise SystemExit(71)", False)):
        supervisor = supervisor_of(files, ended, script)
        supervisor.start()
        for child in supervisor.children.values():
            crash(child)
        assert supervisor.stop() is rested


@pytest.mark.parametrize(
    ("state", "asked", "anew"),
    [
        (State.IDLE, b'{"by": "anna"}', True),
        (None, b'{"by": "anna"}', True),
        (State.RUNNING, b'{"by": "anna"}', False),
        (State.IDLE, b"no json", False),
        (State.IDLE, b"[]", False),
    ],
)
async def test_all_are_started_anew_once_when_somebody_has_site_yaml_applied(
    files: SiteFiles,
    ended: list[SupervisedProcess],
    tmp_path: Path,
    state: State | None,
    asked: bytes,
    anew: bool,
) -> None:
    files.apply.write_bytes(asked)  # of a supervisor before this one
    supervisor = supervisor_of(files, ended, FOREVER)
    told: list[str] = []
    supervisor._tell = told.append
    supervisor.start()
    supervisor.look()
    before = {name: child.pid for name, child in supervisor.children.items()}
    if state is not None:
        bench = LoopBench(tmp_path)
        await bench.to_idle()
        if state is State.RUNNING:
            await bench.loop.command(Command.START)
        bench.show_next()
        await bench.cycle()
    supervisor.children["gateway"].given_up = True
    files.apply.write_bytes(asked)
    supervisor.look()
    supervisor.look()
    after = {name: child.pid for name, child in supervisor.children.items()}
    assert None not in after.values()
    assert set(after.values()).isdisjoint(before.values()) is anew
    assert not files.apply.exists()
    assert len(told) == anew
    assert supervisor.children["gateway"].given_up is not anew


@pytest.mark.parametrize(
    ("name", "lost"),
    [
        ("controller", "controller"),
        ("watchdog", "watchdog"),
        ("planner", None),
        ("gateway", None),
        ("api", None),
    ],
)
def test_without_controller_or_watchdog_nothing_goes_on(
    files: SiteFiles, name: str, lost: str | None
) -> None:
    supervisor = Supervisor(Path("site.yaml"), files, lambda _: None)
    assert supervisor.lost is None
    supervisor.children[name].given_up = True
    assert supervisor.lost == lost


def test_only_time_in_which_somebody_looked_counts_as_silence(files: SiteFiles) -> None:
    with Heartbeat(files.heartbeat) as heart:
        life = LifeSign(files.heartbeat)
        heart.beat(1)
        life.started()  # what beat before says nothing of the new process
        assert life.digest == 0
        assert life.hangs(1000.0) is None
        assert life.hangs(1e6) is None  # and nobody was there to see whether it did
        now_s = silence(life, 1e6, BEGINS_S - 0.5)
        assert life.hangs(now_s + 0.5) == pytest.approx(BEGINS_S + 0.5)
        heart.beat(2)
        assert life.hangs(now_s + 1.0) is None
        now_s = silence(life, now_s + 1.0, HANGS_S)
        assert life.hangs(now_s + 0.5) == pytest.approx(HANGS_S + 0.5)
        life.started()
        assert life.hangs(now_s + 1.0) is None


def silence(life: LifeSign, now_s: float, for_s: float) -> float:
    """Looks often while nothing is heard; returns when it ended, within what is permitted."""
    for count in range(round(for_s / 0.5)):
        assert life.hangs(now_s + 0.5 * (count + 1)) is None
    return now_s + for_s


def test_one_that_hangs_is_killed_told_of_and_counted_as_a_crash(
    files: SiteFiles, ended: list[SupervisedProcess]
) -> None:
    child = child_of(files, FOREVER, "watchdog")
    ended.append(child)
    told: list[str] = []
    child.start()
    first = child.pid
    now_s = 1000.0
    while len(told) < 2:
        now_s += 0.5
        child.look(now_s, told.append)
    assert told == [
        "watchdog hangs: no sign of life for 60 s; it is killed",
        "watchdog ended with code -9; again in 0.5 s",
    ]
    child.look(now_s + 0.5, told.append)
    assert child.pid not in {None, first}


def test_the_older_of_two_that_run_different_configurations_is_started_anew(
    files: SiteFiles, ended: list[SupervisedProcess]
) -> None:
    told: list[str] = []
    supervisor = Supervisor(Path("site.yaml"), files, told.append)
    pair = [supervisor.children["watchdog"], supervisor.children["controller"]]
    with Heartbeat(files.heartbeat, 1) as old, Heartbeat(files.heartbeat, 2) as new:
        watchdog = Heartbeat(files.watchdog, 2)
        for child in pair:
            child._command = [sys.executable, "-c", FOREVER]
            ended.append(child)
        for child in reversed(pair):  # the controller first
            child.start()
        before = [child.pid for child in pair]

        def look(beats: list[Heartbeat], from_s: float) -> None:
            for count in range(round(DIFFERENT_S / 0.5) + 1):
                for beat in beats:
                    beat.beat(time.monotonic_ns())
                for child in pair:
                    child.look(from_s + 0.5 * count, told.append)
                supervisor._keep_to_one_configuration(from_s + 0.5 * count)

        look([watchdog, new], 1000.0)
        assert told == []
        look([watchdog, old], 2000.0)
        assert told == ["site.yaml was changed; the controller is started anew with it"]
        assert pair[0].pid == before[0]
        assert pair[1].pid not in {None, before[1]}
        told.clear()
        look([watchdog], 3000.0)  # the new one has not begun
        look([watchdog, new], 4000.0)
        assert told == []
        watchdog.close()
