"""A reset takes a site back to the state as installed, and never clears what is latched."""

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from holdfast.api.access import UserRole
from holdfast.api.auth.account_edits import added
from holdfast.api.auth.account_store import AccountStore
from holdfast.api.auth.accounts import Account
from holdfast.cli.main import main
from holdfast.client.audit_reader import lines_backwards, verify_folder
from holdfast.core.commands import Command
from holdfast.core.latches import Latches
from holdfast.core.state_machine import State
from holdfast.deployment.erasing import PROCESSES
from holdfast.monitoring.audit.events import LogDeleted, OperatorActed, ProcessEnded
from holdfast.monitoring.audit.log_lines import event_of
from holdfast.runtime.audit.folder import AuditFolder, Entry
from holdfast.runtime.latch_file import load_latches, save_latches
from holdfast.site.files import SiteFiles
from holdfast.site.push_book import PushShelf, with_browser, with_key
from holdfast.site.site_file import load_site
from holdfast.site.site_lock import hold_lock
from holdfast.testing.rig import Rig
from holdfast.testing.sites import example_content
from tests.runtime.notification.push_service import Telephone

NOON = datetime(2026, 4, 10, 12, tzinfo=UTC)
LATCHED = Latches(emergency_stop=True, faults=("battery/contactor_welded",))


class Site:
    """A site that has run for a while."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "site.yaml"
        self.config.write_text(yaml.safe_dump(example_content(folder)))
        self.name = load_site(self.config).name
        self.files = SiteFiles.of(load_site(self.config))
        self.files.create()
        save_latches(self.files.latches, LATCHED)
        account = Account(name="anna", role=UserRole.ADMIN, made=NOON, password_hash="$argon2id$")
        AccountStore(self.files.accounts).change(lambda accounts: added(accounts, account))
        self.phone = Telephone(endpoint="https://web.push.apple.com/annas")
        browser = self.phone.of("anna", "my telephone")
        PushShelf(self.files.web_push).change(lambda book: with_browser(with_key(book), browser))
        log = AuditFolder(self.files.audit, file_bytes=300)
        for number in range(6):
            event = ProcessEnded(reason=f"number {number}")
            log.append([Entry(utc=NOON, monotonic_ns=number, event=event)])
        log.save_head()
        log.close()
        self.last = next(lines_backwards(self.files.audit)).place
        for path in (self.files.wear, self.files.plan, self.files.history_db, self.files.weather):
            path.write_text("{}")
        self.files.models.mkdir()
        (self.files.models / "load.packed").touch()

    def run(self, *words: str) -> int:
        return main([*words, "--config", str(self.config)])

    def reset(self, *words: str) -> int:
        return self.run("factory-reset", "--no-archive", "--yes", self.name, *words)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_reset_leaves_what_is_latched_and_what_tells_of_hardware(site: Site) -> None:
    assert site.reset() == 0
    assert load_latches(site.files.latches) == LATCHED
    left = {path.name for path in site.files.state_dir.iterdir()}
    locks = {f"{name}.lock" for name in (*PROCESSES, "web-push")}
    assert left - locks == {"latches.json", "wear.json", "audit"}


def test_a_latch_file_that_was_taken_away_is_still_found_out_after_a_reset(site: Site) -> None:
    site.files.latches.unlink()
    assert site.reset() == 0
    assert load_latches(site.files.latches, site.files.traces).faults


def test_the_log_that_is_left_is_whole_and_says_who_deleted_what(site: Site) -> None:
    assert site.reset() == 0
    verdict = verify_folder(site.files.audit)
    assert verdict.problem is None
    assert verdict.files == 1
    events = [event_of(line) for line in lines_backwards(site.files.audit)]
    reset = events[0]
    assert isinstance(reset, OperatorActed)
    assert reset.what == "factory_reset"
    assert "accounts" in reset.detail
    deleted = [event for event in events if isinstance(event, LogDeleted)]
    assert deleted[0].last_sequence == site.last.sequence
    assert deleted[0].last_hash == site.last.hash
    assert all(event.asked for event in deleted)
    assert "number" not in "".join(path.read_text() for path in site.files.audit.iterdir())


def test_a_log_that_goes_on_after_a_reset_can_be_verified(site: Site) -> None:
    assert site.reset() == 0
    log = AuditFolder(site.files.audit)
    log.append([Entry(utc=NOON, monotonic_ns=9, event=ProcessEnded(reason="later"))])
    log.save_head()
    log.close()
    assert verify_folder(site.files.audit).problem is None


def test_a_log_that_was_forged_before_does_not_become_right_by_a_reset(site: Site) -> None:
    (site.files.audit / "audit.head").write_text('{"seq":99,"hash":"%s"}\n' % ("a" * 64))
    assert site.reset() == 0
    assert verify_folder(site.files.audit).problem is not None


def test_a_site_that_never_ran_gets_no_log_by_a_reset(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(yaml.safe_dump(example_content(tmp_path)))
    name = load_site(tmp_path / "site.yaml").name
    words = ("--no-archive", "--yes", name, "--config", str(tmp_path / "site.yaml"))
    assert main(["factory-reset", *words]) == 0
    files = SiteFiles.of(load_site(tmp_path / "site.yaml"))
    assert load_latches(files.latches, files.traces) == Latches()


@pytest.mark.parametrize("name", PROCESSES)
def test_nothing_is_deleted_while_a_process_runs(
    site: Site, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with hold_lock(site.files, name):
        assert site.reset() == 2
    assert "nothing was deleted" in capsys.readouterr().err
    assert site.files.plan.exists()


def test_somebody_has_to_say_what_becomes_of_the_record_and_which_site_it_is(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    assert site.run("factory-reset", "--yes", site.name) == 2
    assert "--archive FILE" in capsys.readouterr().err
    assert site.run("factory-reset", "--no-archive", "--yes", "another") == 2
    assert site.name in capsys.readouterr().err
    assert site.files.plan.exists()


def test_without_the_name_typed_nothing_is_deleted(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Typed:
        def readline(self) -> str:
            return "yes\n"

    monkeypatch.setattr("sys.stdin", Typed())
    assert site.run("factory-reset", "--no-archive") == 2
    assert site.files.plan.exists()


def test_what_cannot_be_deleted_is_told_and_the_next_try_ends_it(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(path: Path) -> None:
        raise OSError(5, "Input/output error", str(path))

    with monkeypatch.context() as broken:
        broken.setattr("shutil.rmtree", fails)
        assert site.reset() == 2
    assert "try it again" in capsys.readouterr().err
    assert len(verify_folder(site.files.audit).notes) == 0  # the record of before is still whole
    assert site.reset() == 0
    assert not site.files.models.exists()


def test_what_is_not_ours_is_left_and_told(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    foreign = site.files.state_dir / "notes.txt"
    foreign.write_text("mine")
    assert site.reset() == 0
    assert foreign.read_text() == "mine"
    assert "notes.txt" in capsys.readouterr().err
    assert site.config.exists()


def test_the_archive_has_all_about_persons_and_no_secret(site: Site) -> None:
    target = site.folder / "mine.zip"
    words = ("factory-reset", "--archive", str(target), "--yes", site.name)
    assert site.run(*words) == 2  # history.db is no database: nothing was deleted
    site.files.history_db.unlink()
    assert site.run(*words) == 0
    assert target.stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(target) as archive:
        told = json.loads(archive.read("accounts.json"))
        whole = b"".join(archive.read(name) for name in archive.namelist())
        assert any(name.startswith("audit/") for name in archive.namelist())
        (browser,) = json.loads(archive.read("browsers-told.json"))
    assert told["accounts"][0]["name"] == "anna"
    assert (browser["account"], browser["name"]) == ("anna", "my telephone")
    assert b"argon2id" not in whole
    for secret in ("PRIVATE KEY", "annas", site.phone.address.auth):
        assert secret.encode() not in whole


def test_an_archive_that_is_there_is_not_overwritten_and_nothing_deleted(site: Site) -> None:
    target = site.folder / "mine.zip"
    target.write_text("before")
    assert site.run("factory-reset", "--archive", str(target), "--yes", site.name) == 2
    assert target.read_text() == "before"
    assert site.files.plan.exists()


def test_a_wipe_deletes_what_is_about_persons_and_nothing_else(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    assert site.run("personal-data", "list") == 0
    assert "accounts" in capsys.readouterr().out
    assert site.run("personal-data", "wipe", "--no-archive", "--yes", site.name) == 0
    assert not site.files.accounts.exists()
    assert not site.files.history_db.exists()
    assert not site.files.web_push.exists()
    assert site.files.weather.exists()
    assert load_latches(site.files.latches) == LATCHED


def test_an_emergency_stop_outlives_a_reset_of_a_real_site(tmp_path: Path) -> None:
    with Rig(tmp_path) as rig:
        rig.start_plant()
        rig.start("watchdog", "controller")
        rig.until_state(State.IDLE)
        target = tmp_path / "mine.zip"
        words = ["--to", str(target), "--config", str(rig.config)]
        assert main(["personal-data", "export", *words]) == 0
        rig.command(Command.EMERGENCY_STOP)
        rig.until_state(State.STOPPED)
        reset = ["--no-archive", "--yes", rig.site.name, "--config", str(rig.config)]
        assert main(["factory-reset", *reset]) == 2  # it runs
        rig.processes["controller"].end()
        rig.processes["watchdog"].end()
        assert main(["factory-reset", *reset]) == 0
        rig.start("watchdog", "controller")
        rig.until_state(State.STOPPED)
        told = [event_of(line) for line in lines_backwards(rig.files.audit)]
        assert verify_folder(rig.files.audit).problem is None
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
        assert any(name.startswith("audit/") for name in archive.namelist())
    assert any(isinstance(one, OperatorActed) and one.what == "factory_reset" for one in told)
