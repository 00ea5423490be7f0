"""Updates: what is signed, newer and well runs in the end, and nothing else does."""

import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import pytest

from holdfast.core.commands import Command
from holdfast.core.state_machine import State
from holdfast.deployment.backup.restoring import read_backup
from holdfast.deployment.release.facts import here
from holdfast.deployment.release.repository import make_keys
from holdfast.deployment.site_states import BEFORE
from holdfast.testing.processes import Process
from holdfast.testing.rig import Rig
from holdfast.testing.waiting import until
from tests.deployment.update.world import BROKEN, SICK, WebServer, World


@pytest.fixture
def server(world: World, tmp_path: Path) -> Iterator[str]:
    web = WebServer(world.repository, tmp_path / "web.log")
    try:
        yield until(web.url, "a web server")
    finally:
        web.end()


def test_the_next_release_runs_in_the_other_slot_and_the_one_before_is_kept(world: World) -> None:
    world.publish(world.bundle("0.2.0"))
    ended = world.update()
    assert ended.code == 0, ended.err
    assert world.runs("0.2.0")
    assert world.prefix.current == "b"
    assert world.prefix.version("a") == "0.1.0"
    assert ended.out.endswith("0.2.0 runs\n")
    again = world.update()
    assert (again.code, again.out) == (0, "0.2.0 is the newest release\n")
    assert world.update("--back").code == 0
    assert world.runs("0.1.0")
    told = world.update("--status").out
    assert "slot a runs: 0.1.0" in told
    assert "not tried again: 0.2.0" in told
    assert world.update().code == 2  # it was taken back by somebody
    assert world.update("--again", "0.2.0").code == 0
    assert world.update().code == 0
    assert world.runs("0.2.0")


def test_it_comes_over_http_as_well_and_a_look_changes_nothing(world: World, server: str) -> None:
    world.publish(world.bundle("0.2.0"))
    looked = world.update("--from", server, "--check")
    assert looked.code == 1
    assert "0.2.0 is there, and 0.1.0 is installed" in looked.out
    assert world.runs("0.1.0")
    assert not (world.prefix.folder / "b").exists()
    assert world.update(where=server).code == 0
    assert world.runs("0.2.0")


@pytest.mark.parametrize("health", [SICK, BROKEN])
def test_a_release_that_is_not_well_is_left_and_not_tried_again(world: World, health: str) -> None:
    world.publish(world.bundle("0.2.0", health=health))
    ended = world.update()
    assert ended.code == 2
    assert "was not kept" in ended.err
    assert world.runs("0.1.0")
    assert "0.2.0 was tried here" in world.update().err
    world.publish(world.bundle("0.2.1"))
    assert world.update().code == 0
    assert world.runs("0.2.1")


def test_a_release_that_fails_its_self_test_is_not_switched_to(world: World) -> None:
    why = "import sys; sys.exit('the history cannot be brought to layout 2')"
    world.publish(world.bundle("0.2.0", self_test=why))
    ended = world.update()
    assert ended.code == 2
    assert "0.2.0 would not do here: the history cannot be brought" in ended.err
    assert world.runs("0.1.0")
    assert world.prefix.failed == ()  # the site may be mended, and it can be tried


def _bundle_of(world: World) -> Path:
    (file,) = (world.repository / "targets").iterdir()
    return file


def _tampered(world: World) -> None:
    file = _bundle_of(world)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def _longer(world: World) -> None:
    file = _bundle_of(world)
    file.write_bytes(file.read_bytes() + b"more")


def _forged(world: World) -> None:
    """Somebody changes what is said of it, and cannot sign."""
    path = world.repository / "metadata" / "1.targets.json"
    path.write_text(path.read_text().replace("0.2.0", "0.3.0"))


def _other_key(world: World) -> None:
    """Somebody with keys of his own makes a repository of his own."""
    other = World(world.folder / "other")
    other.install(world.prefix.folder)
    other.publish(other.bundle("0.9.0"))
    world.repository = other.repository


def _one_root_key(world: World) -> None:
    """Who has one key of the root signs himself new keys."""
    root = json.loads((world.repository / "metadata" / "1.root.json").read_text())
    root["signed"]["version"] = 2
    root["signatures"] = root["signatures"][:1]
    (world.repository / "metadata" / "2.root.json").write_text(json.dumps(root))


def _frozen(world: World) -> None:
    world.publish(days_ago=20.0)


def _gone(world: World) -> None:
    world.repository = world.folder / "nothing"


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (_tampered, "not the one that was signed"),
        (_longer, "not the one that was signed"),
        (_forged, "not the one that was signed|no repository|not signed"),
        (_other_key, "not signed by the keys"),
        (_one_root_key, "not signed by the keys"),
        (_frozen, "has expired: .* clock is wrong .* the sites go on"),
        (_gone, "no repository of releases"),
    ],
)
def test_what_is_not_signed_now_by_who_is_trusted_is_refused(
    world: World, harm: Callable[[World], None], told: str
) -> None:
    world.publish(world.bundle("0.2.0"))
    harm(world)
    ended = world.update()
    assert ended.code == 2
    assert re.search(told, ended.err), ended.err
    assert "Traceback" not in ended.err
    assert world.runs("0.1.0")


def test_what_was_there_before_is_not_believed_again(world: World, tmp_path: Path) -> None:
    world.publish(world.bundle("0.2.0"))
    shutil.copytree(world.repository, tmp_path / "old")
    world.publish(world.bundle("0.3.0"))
    assert world.update("--from", str(world.repository), "--check").code == 1
    ended = world.update(where=str(tmp_path / "old"))
    assert ended.code == 2
    assert "older than what was seen already" in ended.err


def test_an_older_release_is_never_gone_to(world: World) -> None:
    world.publish(world.bundle("0.0.9"))
    assert world.update().out == "0.1.0 is the newest release\n"
    assert world.runs("0.1.0")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"platform": "cp399-linux-riscv64"},
            f"no release for {here()}; there is cp399-linux-risc",
        ),
        ({"min_version": "0.1.5"}, "0.2.0 follows 0.1.5 or newer, and 0.1.0 is installed"),
        ({"history_layout": 3, "history_since": 2}, "there would be no way back"),
    ],
)
def test_what_does_not_fit_is_refused(world: World, changes: dict[str, object], told: str) -> None:
    world.publish(world.bundle("0.2.0", **changes))
    ended = world.update()
    assert ended.code == 2
    assert told in ended.err
    assert world.runs("0.1.0")


def test_the_way_leads_over_a_release_between(world: World) -> None:
    world.publish(world.bundle("0.1.5"), world.bundle("0.2.0", min_version="0.1.5"))
    assert world.update().code == 0
    assert world.runs("0.1.5")
    assert world.update().code == 0
    assert world.runs("0.2.0")


def test_keys_can_be_replaced_by_those_who_have_two_of_the_root(world: World) -> None:
    world.publish(world.bundle("0.2.0"))
    for name in ("targets", "snapshot", "timestamp"):
        (world.keys / f"{name}.pem").rename(world.keys / f"{name}.stolen")
    fresh = world.folder / "fresh"
    make_keys(fresh)
    for name in ("targets", "snapshot", "timestamp"):
        (fresh / f"{name}.pem").rename(world.keys / f"{name}.pem")
    world.sign_root()
    world.publish()
    assert world.update().code == 0
    assert world.runs("0.2.0")


@pytest.mark.parametrize("room", [0, 2, 8])
def test_a_full_disk_changes_nothing_and_the_next_run_has_room(world: World, room: int) -> None:
    """No file may become larger than so many half kilobytes."""
    world.publish(world.bundle("0.2.0"))
    limited = f"ulimit -f {room}; exec {shlex.join([sys.executable, *world.command()])}"
    ended = world.run(["/bin/sh", "-c", limited])
    assert ended.returncode == 2, ended.stderr
    assert "Traceback" not in ended.stderr
    assert world.runs("0.1.0")
    assert world.update().code == 0
    assert world.runs("0.2.0")


def test_it_waits_for_a_site_that_runs_and_keeps_what_it_was(world: World) -> None:
    (world.sites / "home").mkdir()
    world.publish(world.bundle("0.2.0"))
    with Rig(world.sites / "home") as rig:
        rig.start_plant()
        rig.start("watchdog", "controller")
        rig.to_running()
        refused = world.update()
        assert refused.code == 2
        assert "home is RUNNING: `holdfast stop` first, or --when-idle" in refused.err
        assert world.runs("0.1.0")
        with mock.patch.dict(os.environ, world.environment):
            waits = Process(world.folder / "update.log", *world.command(), "--when-idle")
        try:
            rig.until(lambda: "waiting until home" in waits.output, "an update that waits")
            assert rig.state is State.RUNNING
            assert world.runs("0.1.0")
            rig.command(Command.STOP)
            assert waits.wait(300.0) == 0, waits.output
        finally:
            waits.end()
        assert world.runs("0.2.0")
        (before,) = BEFORE.validate_json(world.prefix.before.read_bytes())
        assert before.config == str(rig.config)
        kept = world.prefix.room / "kept"
        assert (kept / "home.yaml").read_bytes() == rig.config.read_bytes()
        assert read_backup(kept / "home.holdfast.zip").site == rig.site.name


def test_two_updates_at_once_do_not_meet(world: World) -> None:
    world.publish(world.bundle("0.2.0"))
    with world.prefix.alone():
        ended = world.update()
    assert ended.code == 2
    assert "another update" in ended.err


def test_a_folder_that_is_no_installation_is_left_alone(world: World) -> None:
    world.publish(world.bundle("0.2.0"))
    (world.prefix.folder / "current").unlink()
    assert "no installation that can be updated" in world.update().err
