"""Backup and restore: all of a site that is worth keeping, whole or not at all."""

import json
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from holdfast.cli.main import main
from holdfast.client.audit_reader import verify_folder
from holdfast.client.status_reader import StatusReader
from holdfast.core.commands import Command
from holdfast.core.state_machine import State
from holdfast.deployment.backup.manifest import NAME, BackupError
from holdfast.deployment.backup.restoring import restore
from holdfast.deployment.backup.retention import backup_name
from holdfast.deployment.backup.writing import write_backup
from holdfast.monitoring.history.database import is_whole, open_to_write
from holdfast.monitoring.history.place import HistoryPlace
from holdfast.runtime.audit.folder import AuditFolder
from holdfast.site.files import SiteFiles
from holdfast.site.site_file import load_site
from holdfast.testing.rig import Rig
from holdfast.testing.sites import example_content


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A site with something of each kind in its state."""
    folder = tmp_path / "house"
    folder.mkdir()
    content = example_content(folder, bms_on_can=False) | {"rules": "rules.yaml"}
    path = folder / "site.yaml"
    path.write_text(yaml.safe_dump(content))
    (folder / "rules.yaml").write_text("rules: []\n")
    files = SiteFiles(state_dir=folder / "state")
    files.create()
    (files.state_dir / "wear.json").write_text("wear")
    (files.state_dir / "running.json").write_text("running")
    (files.state_dir / "controller.lock").write_text("17")
    files.accounts.mkdir()
    (files.accounts / "accounts.json").write_text("accounts")
    (files.accounts / "sessions.json").write_text("sessions")
    (files.logs / "controller.log").write_text("line\n")
    open_to_write(HistoryPlace.in_file(files.history_db)).dispose()
    return path


def back_up(config: Path, name: str = "b.zip") -> Path:
    target = config.parent.parent / name
    write_backup(config, load_site(config), target)
    return target


def names(file: Path) -> set[str]:
    with zipfile.ZipFile(file) as archive:
        return set(archive.namelist())


def test_what_is_worth_keeping_is_in_it_and_what_belongs_to_processes_is_not(config: Path) -> None:
    file = back_up(config)
    assert file.stat().st_mode & 0o777 == 0o600
    assert names(file) == {
        NAME, "site/site.yaml", "site/rules.yaml", "site/state/wear.json",
        "site/state/accounts/accounts.json", "site/state/history.db",
    }  # fmt: skip


def test_it_comes_back_as_it_was_for_its_owner_only(config: Path, tmp_path: Path) -> None:
    restored = restore(back_up(config), tmp_path / "other" / "house")
    assert restored.notes == ()
    folder = restored.config.parent
    assert restored.config.read_bytes() == config.read_bytes()
    assert (folder / "state" / "wear.json").read_text() == "wear"
    assert is_whole(folder / "state" / "history.db")
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.rglob("*"))
    assert main(["check", "--config", str(restored.config)]) == 0


def test_the_history_is_of_one_moment_while_another_writes_it(config: Path, tmp_path: Path) -> None:
    database = SiteFiles(state_dir=config.parent / "state").history_db
    engine = open_to_write(HistoryPlace.in_file(database))
    ended, begun = threading.Event(), threading.Event()

    def write() -> None:
        number = 0
        while not ended.is_set():
            number += 1
            with engine.begin() as connection:  # two rows that belong together
                for half in "ab":
                    connection.exec_driver_sql(
                        "INSERT INTO series (key, unit, first_s, last_s) VALUES (?, 'W', 0, 0)",
                        (f"{number}{half}",),
                    )
            begun.set()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        assert begun.wait(10.0)
        files = [back_up(config, f"{number}.zip") for number in range(3)]
    finally:
        ended.set()
        thread.join()
        engine.dispose()
    for file in files:
        folder = restore(file, tmp_path / file.stem).config.parent
        found = open_to_write(HistoryPlace.in_file(folder / "state" / "history.db"))
        with found.connect() as connection:
            count = connection.exec_driver_sql("SELECT count(*) FROM series").scalar_one()
        found.dispose()
        assert count > 0
        assert count % 2 == 0


def test_files_elsewhere_are_kept_and_told_of(config: Path, tmp_path: Path) -> None:
    token = tmp_path / "secrets" / "rules.yaml"
    token.parent.mkdir()
    token.write_text("rules: []\n")
    content = yaml.safe_load(config.read_text()) | {
        "rules": str(token),
        "state_dir": str(tmp_path / "far" / "state"),
    }
    config.write_text(yaml.safe_dump(content))
    (tmp_path / "far" / "state").mkdir(parents=True)
    (tmp_path / "far" / "state" / "wear.json").write_text("far")
    restored = restore(back_up(config), tmp_path / "new")
    kept = tmp_path / "new" / "elsewhere" / token.relative_to("/")
    assert kept.read_text() == "rules: []\n"
    assert any(str(token) in note for note in restored.notes)
    assert (tmp_path / "new" / "state" / "wear.json").read_text() == "far"
    assert any("state_dir elsewhere" in note for note in restored.notes)


def test_a_folder_that_is_not_empty_is_left_alone(config: Path, tmp_path: Path) -> None:
    file, into = back_up(config), tmp_path / "full"
    into.mkdir()
    (into / "mine").write_text("mine")
    with pytest.raises(BackupError, match="not empty"):
        restore(file, into)
    assert [path.name for path in into.iterdir()] == ["mine"]


def rewritten(file: Path, **changes: object) -> Path:
    """The backup with another manifest."""
    with zipfile.ZipFile(file) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(contents[NAME]) | changes
    contents[NAME] = json.dumps(manifest).encode()
    return packed(file, contents)


def packed(file: Path, contents: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return file


def _cut(file: Path) -> Path:
    file.write_bytes(file.read_bytes()[:-200])
    return file


def _flipped(file: Path) -> Path:
    content = bytearray(file.read_bytes())
    content[content.index(b"site/site.yaml") + 40] ^= 1
    file.write_bytes(content)
    return file


def _with(file: Path, content: bytes, **row: object) -> Path:
    name = str(row["name"])
    with zipfile.ZipFile(file) as archive:
        contents = {one: archive.read(one) for one in archive.namelist()}
    manifest = json.loads(contents[NAME])
    manifest["files"] += [row] if len(row) > 1 else []
    return packed(file, contents | {name: content} | {NAME: json.dumps(manifest).encode()})


def _out(file: Path) -> Path:
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    return _with(file, b"", name="../out", bytes=0, sha256=empty)


def _bomb(file: Path) -> Path:
    return _with(file, b"0" * 10_000_000, name="site/b", bytes=10, sha256="0" * 64)


def _huge(file: Path) -> Path:
    return _with(file, b"0", name="site/b", bytes=10**15, sha256="0" * 64)


def _link(file: Path) -> Path:
    info = zipfile.ZipInfo("site/wear.json")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(info, "/etc/passwd")
    return file


BAD = {
    "is damaged, or no backup": _cut,
    "damaged": _flipped,
    "newer one first": lambda file: rewritten(file, holdfast="99.0"),
    "leads out of the folder": _out,
    "is not what was backed up": _bomb,
    "MB free": _huge,
    "other files than its manifest says": lambda file: _with(file, b"x", name="site/more"),
    "other files": _link,
    "its manifest is damaged": lambda file: rewritten(file, files="none"),
    "no manifest": lambda file: packed(file, {"x": b"y"}),
    "there is no": lambda file: file.with_name("nothing"),
}


@pytest.mark.parametrize("told", BAD)
def test_what_cannot_be_trusted_is_refused_and_nothing_is_written(
    told: str, config: Path, tmp_path: Path
) -> None:
    file = BAD[told](back_up(config))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(BackupError, match=told):
        restore(file, tmp_path / "new")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_disk_that_is_full_leaves_the_backup_of_before(config: Path, tmp_path: Path) -> None:
    target = back_up(config)
    before = target.read_bytes()
    (config.parent / "state" / "wear.json").write_bytes(os.urandom(300_000))
    code = (
        "import resource, sys, pathlib; from holdfast.deployment.backup.writing import *;"
        "from holdfast.site.site_file import load_site; import signal;"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000));"
        "config, target = map(pathlib.Path, sys.argv[1:]);"
        "write_backup(config, load_site(config), target)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, config, target], capture_output=True, text=True, check=False
    )
    assert "cannot be written" in ended.stderr
    assert target.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.zip", "house"]


def test_only_so_many_are_kept_and_what_is_not_ours_stays(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    old = [
        folder / backup_name("example", datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day))
        for day in range(4)
    ]
    others = [folder / backup_name("other", datetime(2020, 1, 1, tzinfo=UTC)), folder / "mine"]
    for path in (*old, *others):
        path.write_text("x")
    assert main(["backup", "--config", str(config), "--to", str(folder), "--keep", "2"]) == 0
    left = set(folder.iterdir())
    assert left >= {old[-1], *others}
    assert len(left) == 4
    assert "passwords and keys" in capsys.readouterr().out


@pytest.fixture
def rig(short_path: Path) -> Iterator[Rig]:
    (short_path / "live").mkdir()
    with Rig(short_path / "live") as rig:
        yield rig


def test_a_running_site_is_backed_up_and_runs_from_what_was_put_back(
    rig: Rig, short_path: Path
) -> None:
    rig.start_plant()
    rig.start("watchdog", "controller")
    rig.to_running()
    rig.command(Command.EMERGENCY_STOP)
    rig.until_state(State.STOPPED)
    rig.until(lambda: rig.status is not None and rig.status.latches_on_disk, "the latch on disk")
    assert rig.cli("backup", "--to", str(short_path / "b.zip")).returncode == 0
    assert rig.state is State.STOPPED
    for process in rig.processes.values():
        process.end()

    restored = restore(short_path / "b.zip", short_path / "put-back")
    assert restored.notes == ()
    rig.config = restored.config
    rig.site = load_site(rig.config)
    rig.files = SiteFiles.of(rig.site)
    rig._status = StatusReader(rig.files)
    assert verify_folder(rig.files.audit).problem is None
    AuditFolder(rig.files.audit).open()
    rig.start_plant()
    rig.start("watchdog", "controller")
    rig.until_state(State.STOPPED)
    rig.to_running()
    assert rig.damage() == {}
    assert rig.cli("audit", "verify").returncode == 0
