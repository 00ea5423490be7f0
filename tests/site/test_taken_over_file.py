"""What an inverter held is on disk before the first write, once, and for that device alone."""

import multiprocessing
import threading
from pathlib import Path

import pytest

from holdfast.core.config import Site
from holdfast.core.role import Role
from holdfast.devices.taking_over import TakenOver
from holdfast.site import taken_over_file as module
from holdfast.site.files import SiteFiles
from holdfast.site.taken_over_file import TakenOverFile, taken_over_file
from tests.builders import UNIT, build_site, device, unit_content

FOUND = TakenOver(
    words={(None, "holding", 44000): 0, (227, "holding", 37): 65_535, (None, "coil", 3): 1},
    commanded=False,
)
OTHER = TakenOver(words={(None, "holding", 44000): 1}, commanded=True)


def site(folder: Path, host: str = "10.0.0.5", table: str = "foxess_h3") -> Site:
    unit = unit_content(inverter=device(table, host), inverter_hardware={"revert_timeout_s": 60})
    return build_site(unit, state_dir=str(folder), authority="observe")


def file_of(folder: Path, **changes: str) -> TakenOverFile:
    one = site(folder, **changes)
    return TakenOverFile.of(one, one.storage[0])


def test_what_was_kept_is_read_by_every_later_process(tmp_path: Path) -> None:
    file = file_of(tmp_path)
    assert file.is_needed
    assert file.read() is None
    file.keep(FOUND)
    assert not file.is_needed
    assert file_of(tmp_path).read() == FOUND
    assert not file_of(tmp_path).is_needed


def test_who_comes_second_changes_nothing(tmp_path: Path) -> None:
    first, second = file_of(tmp_path), file_of(tmp_path)
    assert second.is_needed
    first.keep(FOUND)
    second.keep(OTHER)
    assert file_of(tmp_path).read() == FOUND
    assert [path.name for path in SiteFiles(state_dir=tmp_path).taken_over.iterdir()] == [
        f"{UNIT}.json"
    ]


def _keeps(folder: Path, start: threading.Event) -> None:
    file = file_of(folder)
    start.wait()
    file.keep(FOUND)


def test_two_processes_at_once_leave_one_whole_file(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    start = context.Event()
    both = [context.Process(target=_keeps, args=(tmp_path, start)) for _ in range(2)]
    for process in both:
        process.start()
    start.set()
    for process in both:
        process.join(20.0)
    assert file_of(tmp_path).read() == FOUND


def test_once_given_back_the_next_start_keeps_anew(tmp_path: Path) -> None:
    file = file_of(tmp_path)
    file.keep(FOUND)
    file.forget()
    assert file.is_needed
    file.forget()
    file.keep(OTHER)
    assert file_of(tmp_path).read() == OTHER


@pytest.mark.parametrize("changes", [{"host": "10.0.0.6"}, {"table": "foxess_h1_g2"}])
def test_what_another_device_held_is_not_this_ones(tmp_path: Path, changes: dict[str, str]) -> None:
    file_of(tmp_path).keep(FOUND)
    file = file_of(tmp_path, **changes)
    assert file.is_needed
    assert file.read() is None
    file.keep(OTHER)
    assert file_of(tmp_path, **changes).read() == OTHER


@pytest.mark.parametrize("content", [b"", b"{}\n0\n", b"\xff", b"[" * 100_000])
def test_a_file_that_nobody_can_trust_counts_as_none(tmp_path: Path, content: bytes) -> None:
    file_of(tmp_path).keep(FOUND)
    path = SiteFiles(state_dir=tmp_path).taken_over / f"{UNIT}.json"
    path.write_bytes(content)
    assert file_of(tmp_path).is_needed
    assert path.with_suffix(".corrupt").read_bytes() == content


def test_a_disk_that_does_not_take_it_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "taken_over").write_text("no folder")
    file = file_of(tmp_path)
    file.keep(FOUND)
    assert not file.is_needed
    assert "is not on disk" in caplog.text


def test_a_disk_that_hangs_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    goes_on = threading.Event()
    monkeypatch.setattr(module, "SAVED_WITHIN_S", 0.05)
    monkeypatch.setattr(module, "write_atomically", lambda *_: goes_on.wait(20.0))
    file_of(tmp_path).keep(FOUND)
    goes_on.set()
    assert "the disk takes long" in caplog.text


def test_what_cannot_be_read_is_told_and_not_asked_for_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = file_of(tmp_path)
    file.give_up("exception 2")
    assert not file.is_needed
    assert f"{UNIT}: what it held before cannot be read: exception 2" in caplog.text


def test_only_an_inverter_has_such_a_file(tmp_path: Path) -> None:
    one = site(tmp_path)
    assert taken_over_file(one, {Role.METER: "site"}) is None
    assert taken_over_file(one, {Role.INVERTER: UNIT}) is not None
