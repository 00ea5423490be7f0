"""The power may go at any step: what ran or what is new is whole, starts, and a second run ends it.

Of the updater, before a change that it makes to the disk; of what switches, before each program
that it runs. All that they have started ends with them.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.deployment.update.world import SICK, WELL, World

DEEP = int(os.environ.get("HOLDFAST_DEEP", "1"))
_KILLER = """\
import os, runpy, signal, sys
prefix, count, last = sys.argv.pop(1), int(sys.argv.pop(1)), [0]
changes = {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.symlink", "shutil.rmtree"}
def hook(event, words):
    changed = event in changes and str(words[0]).startswith(prefix)
    changed |= event == "open" and str(words[0]).startswith(prefix) and words[2] & 3 != 0
    if changed or event == "subprocess.Popen":
        last[0] += 1
        if last[0] == count:
            os.killpg(0, signal.SIGKILL)
sys.addaudithook(hook)
try:
    runpy.run_module("holdfast", run_name="__main__", alter_sys=True)
finally:
    sys.stderr.write(f"changes: {last[0]}")
"""
_PROGRAM = """\
#!/bin/sh
number=$(cat {folder}/number)
number=$((number + 1))
echo $number >{folder}/number
[ $number = {last} ] && kill -KILL 0
exec {program} "$@"
"""
_PROGRAMS = ("sync", "mv", "ln", "rm", "grep", "timeout", "systemctl")
MANY = 1000


def killed_update(world: World, count: int) -> subprocess.CompletedProcess[str]:
    """Runs an update that is killed with all it has started before its change number ``count``."""
    words = world.command()[2:]
    return subprocess.run(
        [sys.executable, "-c", _KILLER, str(world.prefix.folder), str(count), *words],
        capture_output=True,
        text=True,
        check=False,
        env=world.environment,
        start_new_session=True,
    )


@pytest.fixture(scope="module")
def changes(tmp_path_factory: pytest.TempPathFactory, installed: Path) -> int:
    """How often an update changes something."""
    world = World(tmp_path_factory.mktemp("counted"))
    world.install(installed)
    world.publish(world.bundle("0.2.0"))
    ended = killed_update(world, MANY)
    assert world.runs("0.2.0"), ended.stderr
    return int(ended.stderr.rpartition("changes: ")[2])


@pytest.mark.parametrize("part", range(8 * DEEP))
def test_an_updater_that_is_killed_leaves_what_runs_and_goes_on_at_the_next_run(
    part: int, changes: int, world: World
) -> None:
    assert changes > 8
    world.publish(world.bundle("0.2.0"))
    count = 1 + part * (changes - 1) // (8 * DEEP - 1)
    assert killed_update(world, count).returncode == -signal.SIGKILL
    assert world.starts() in {"0.1.0\n", "0.2.0\n"}
    ended = world.update()
    assert ended.code == 0, ended.err
    assert world.runs("0.2.0")


@pytest.mark.parametrize("after_s", [0.05, 0.4])
def test_it_may_be_killed_while_pip_unpacks(after_s: float, world: World) -> None:
    world.publish(world.bundle("0.2.0"))
    process = subprocess.Popen(
        [sys.executable, *world.command()],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=world.environment,
        start_new_session=True,
    )
    wheels = world.prefix.room / "wheels"
    while process.poll() is None and not list(wheels.glob("tinything*")):
        time.sleep(0.005)
    time.sleep(after_s)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert world.starts() == "0.1.0\n"
    assert world.update().code == 0
    assert world.runs("0.2.0")


class Switch:
    """What switches, killed at one of the programs that it runs."""

    def __init__(self, world: World, installed: Path, health: str) -> None:
        self.world = world
        shutil.copytree(installed / "a", world.prefix.folder / "b", symlinks=True)
        packages = next((world.prefix.folder / "b").glob("lib/python3*/site-packages"))
        (packages / "holdfast-0.1.0.dist-info").rename(packages / "holdfast-0.2.0.dist-info")
        metadata = packages / "holdfast-0.2.0.dist-info" / "METADATA"
        metadata.write_text(metadata.read_text().replace("0.1.0", "0.2.0"))
        (packages / "holdfast" / "__main__.py").write_text("print('0.2.0')\n")
        (packages / "holdfast" / "deployment" / "health.py").write_text(health)
        world.prefix.before.write_text("[]")
        self._folder = world.folder / "killing"
        self._folder.mkdir()
        self._path = f"{self._folder}:{world.environment['PATH']}"

    def run(self, *words: str, last: int = 0) -> tuple[int, int]:
        """Returns how it ended, and how many programs it has run; the ``last`` does not begin."""
        (self._folder / "number").write_text("0\n")
        for name in _PROGRAMS:
            program = shutil.which(name, path=self.world.environment["PATH"])
            text = _PROGRAM.format(folder=self._folder, program=program, last=last)
            (self._folder / name).write_text(text)
            (self._folder / name).chmod(0o755)
        ended = subprocess.run(
            [str(self.world.prefix.program), *words],
            capture_output=True,
            check=False,
            env=os.environ | {"PATH": self._path},
            start_new_session=True,
        )
        return ended.returncode, int((self._folder / "number").read_text())


@pytest.fixture
def switch(world: World, installed: Path, request: pytest.FixtureRequest) -> Switch:
    return Switch(world, installed, request.param)


def _reset(world: World, words: tuple[str, ...]) -> None:
    """Puts the computer back to where ``words`` begin."""
    folder = world.prefix.folder
    runs = "b" if words == ("back",) else "a"
    for name in ("trial", "failed", "current"):
        (folder / name).unlink(missing_ok=True)
    (folder / "current").symlink_to(runs)
    world.running.write_text({"a": "0.1.0\n", "b": "0.2.0\n"}[runs])


@pytest.mark.parametrize(
    ("switch", "words", "ends_in"),
    [
        (WELL, ("try", "b", "0.2.0", "1"), {"0.2.0", "0.1.0"}),
        (SICK, ("try", "b", "0.2.0", "1"), {"0.1.0"}),
        (WELL, ("back",), {"0.1.0", "0.2.0"}),
    ],
    indirect=["switch"],
)
def test_a_switch_that_is_cut_off_anywhere_ends_in_one_whole_release(
    switch: Switch, words: tuple[str, ...], ends_in: set[str]
) -> None:
    """The first time it is not cut off, and tells how many programs it runs."""
    world = switch.world
    _reset(world, words)
    _, programs = switch.run(*words)
    expected = world.starts().strip()
    assert expected in ends_in
    assert world.runs(expected)
    assert programs > 8
    for number in range(1, programs + 1):
        for power_goes in (True, False) if DEEP > 1 else (number % 2 == 1,):
            _reset(world, words)
            code, _ = switch.run(*words, last=number)
            assert code == -signal.SIGKILL, number
            assert world.starts().strip() in {"0.1.0", "0.2.0"}, number
            if power_goes:
                world.boot()
            else:
                world.slot("resume")
            final = world.starts().strip()
            assert world.runs(final), (number, power_goes, final)
            assert final in ends_in, (number, power_goes, final)


@pytest.mark.parametrize("switch", [WELL], indirect=True)
def test_a_release_that_resets_the_computer_each_time_has_three_attempts(switch: Switch) -> None:
    world = switch.world
    folder = world.prefix.folder
    (folder / "trial").write_text("b a 3 0.2.0 10 -\n")
    for left in (2, 1, 0):
        assert world.slot("boot").returncode == 0
        assert world.prefix.current == "b"
        trial = world.prefix.trial
        assert trial is not None
        assert trial.attempts_left == left
    assert world.slot("boot").returncode == 0
    assert world.prefix.current == "a"
    assert world.prefix.trial is None
    assert world.prefix.failed == ("0.2.0",)


@pytest.mark.parametrize("switch", [WELL], indirect=True)
def test_a_slot_that_is_not_whole_is_not_started_when_there_is_another(switch: Switch) -> None:
    world = switch.world
    (world.prefix.folder / "a" / "bin" / "python").unlink()
    assert world.slot("boot").returncode == 0
    assert world.starts() == "0.2.0\n"


@pytest.mark.parametrize("switch", [WELL], indirect=True)
def test_an_unfinished_slot_is_never_tried(switch: Switch) -> None:
    world = switch.world
    world.prefix.unfinished("b").touch()
    ended = world.slot("try", "b", "0.2.0", "1")
    assert ended.returncode == 2
    assert "slot b is not whole" in ended.stderr
    assert "nothing to go back to" in world.slot("back").stderr
    assert world.runs("0.1.0")


@pytest.mark.parametrize("switch", [WELL], indirect=True)
def test_a_trial_that_cannot_be_counted_is_none(switch: Switch) -> None:
    """A disk without room: attempts would not be counted, so none is made."""
    world = switch.world
    (world.prefix.folder / "trial").write_text("b a 3 0.2.0 10 -\n")
    limited = f"ulimit -f 0; trap '' XFSZ; {world.prefix.program} boot"
    assert world.run(["/bin/sh", "-c", limited]).returncode == 0
    assert world.prefix.current == "a"
    assert world.prefix.trial is None
