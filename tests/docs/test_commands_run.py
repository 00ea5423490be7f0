"""Whoever types what a page shows, in its order, gets what the page says."""

import os
import shlex
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.cli.main import main
from holdfast.client.control import ControlClient
from holdfast.client.status_reader import StatusReader
from holdfast.core.commands import Command
from holdfast.core.state_machine import State
from holdfast.site.files import SiteFiles
from holdfast.testing.processes import Process
from holdfast.testing.waiting import until
from tests.docs.shown_commands import (
    INSTEAD,
    NOT_RUN,
    PAGES,
    ROOT,
    RUN,
    Shown,
    commands_of,
    files_of,
    missing,
)

SHOWN = {page: tuple(commands_of(page.read_text("utf-8"))) for page in PAGES}
WITH_COMMANDS = [page for page, shown in SHOWN.items() if shown]
PATIENCE_S = 20.0
"""A person who is told "not yet" tries again; a self-test takes its time."""


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a simulated site that runs, with the data that pages speak of."""
    home = tmp_path_factory.mktemp("docs")
    folder = home / "demo-site"
    arguments = ("run", "--demo", "--plain", "--folder", str(folder))
    process = Process(home / "run.log", "-m", "holdfast.cli.main", *arguments)
    status = StatusReader(SiteFiles(state_dir=folder / "state"))

    def follows_a_plan() -> bool:
        found = status.latest()
        return found is not None and found[0].request_source == "plan"

    try:
        until(follows_a_plan, "a plan", 60.0)
        (folder / "demo-site").symlink_to(folder)  # as seen from the folder above, too
        (folder / "year.csv").write_text(measured_days())
        (folder / "sites").mkdir()
        (folder / "sites" / "north").symlink_to(folder)
        yield folder
    finally:
        process.end()


def measured_days() -> str:
    """Two days of a house, hour by hour: who has a year waits longer."""
    rows = ["time_utc,load_w,pv_w,import_price_per_kwh,export_price_per_kwh"]
    rows += [
        f"2026-03-{2 + day:02}T{hour:02}:00:00Z,{400 + 20 * hour},{100 * hour},0.{20 + hour},0.08"
        for day in range(2)
        for hour in range(24)
    ]
    return "\n".join(rows)


@pytest.fixture
def running(site: Path) -> Path:
    """The same, in RUNNING: whatever the page before has left behind."""
    files = SiteFiles(state_dir=site / "state")
    status = StatusReader(files)

    def runs() -> bool:
        found = status.latest()
        if found is None or found[0].state is State.RUNNING:
            return found is not None
        latched = found[0].state in {State.ERROR, State.STOPPED}
        with ControlClient(files.control_socket) as client:
            client.command(Command.RESET if latched else Command.START)
        return False

    until(runs, "RUNNING", PATIENCE_S)
    return site


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=name_of)
def test_the_commands_of_a_page(
    page: Path,
    running: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, text in files_of(page.read_text("utf-8")):
        (running / name).write_text(text)
    for shown in SHOWN[page]:
        if shown.command not in NOT_RUN:
            own = shown.fresh and shown.command != RUN
            monkeypatch.chdir(tmp_path if own else running)
            assert tried(shown, capsys) == "", f"{name_of(page)}: {shown.command}"


def tried(shown: Shown, capsys: pytest.CaptureFixture[str]) -> str:
    """Types the command, again where it is not yet as the page says; says what it was not."""
    before = dict(os.environ)
    end_s = time.monotonic() + PATIENCE_S
    again = False
    while True:
        capsys.readouterr()
        code = typed({**INSTEAD, RUN: "holdfast stop"}.get(shown.command, shown.command))
        out, err = capsys.readouterr()
        if shown.into:
            Path(shown.into).write_text(out)
        absent = missing(shown.prints, out)
        problem = f"ended with {code}: {err}" if code != shown.code else ""
        problem = problem or (absent and f"{absent!r} is not in:\n{out}{err}")
        if again and "changes nothing in" in err:
            problem = ""  # the try before was carried out, and its answer came too late
        if not problem or time.monotonic() > end_s or code == 2:
            os.environ.clear()
            os.environ.update(before)
            return problem
        again = True
        time.sleep(0.2)


def typed(command: str) -> int:
    try:
        return main(shlex.split(command)[1:])
    except SystemExit as ended:
        return int(ended.code or 0)


def test_what_is_not_run_is_shown_somewhere() -> None:
    every = {shown.command for commands in SHOWN.values() for shown in commands}
    assert {*NOT_RUN, *INSTEAD} - every == set()


def test_what_pages_say_is_understood() -> None:
    text = """
   ```
   $ holdfast estop
   done … ; the site
   next
   $ holdfast check --connect   # or so; exits with 1
   ```
```sh
holdfast init
holdfast limits > limits.txt     # each
make demo
```
"""
    assert list(commands_of(text)) == [
        Shown(command="holdfast estop", prints=("done … ; the site", "next")),
        Shown(command="holdfast check --connect", code=1),
        Shown(command="holdfast init", fresh=True),
        Shown(command="holdfast limits", into="limits.txt", fresh=True),
    ]


@pytest.mark.parametrize(
    ("wanted", "printed", "absent"),
    [
        (("a … c",), "x\na  b c\n", ""),
        (("a", "b"), "b\na\n", "b"),
        (("a",), "ab\n", "a"),
    ],
)
def test_a_line_that_is_not_printed_is_noticed(
    wanted: tuple[str, ...], printed: str, absent: str
) -> None:
    assert missing(wanted, printed) == absent
