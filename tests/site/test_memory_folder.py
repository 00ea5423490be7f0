"""Shared memory lies in RAM, in a folder that its site alone has, and that nobody else can take."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.site import memory_folder as module
from holdfast.site.files import SiteFiles
from holdfast.site.memory_folder import (
    make_memory_folder,
    memory_folder,
    remove_memory_folder,
)


@pytest.fixture
def ram(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What stands for /dev/shm."""
    root = tmp_path / "shm"
    root.mkdir()
    monkeypatch.setattr(module, "ROOT", root)
    return root


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site" / "state"
    folder.mkdir(parents=True)
    return folder


def test_it_is_in_ram_for_its_owner_only_and_found_by_everyone(ram: Path, site: Path) -> None:
    make_memory_folder(site)
    make_memory_folder(site)  # each process does
    folder = memory_folder(site)
    assert folder.parent == ram
    assert folder.stat().st_mode & 0o777 == 0o700
    files = SiteFiles(state_dir=site)
    assert {files.status.parent, files.heartbeat.parent, files.watchdog.parent} == {folder}
    assert files.latches.parent == site


def test_all_ways_to_a_state_dir_lead_to_one_folder(
    ram: Path, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_memory_folder(site)
    (tmp_path / "link").symlink_to(site)
    monkeypatch.chdir(site.parent)
    ways = [site, tmp_path / "link", Path("state"), site / ".." / "state"]
    assert {memory_folder(way) for way in ways} == {memory_folder(site)}


def test_sites_and_copies_of_a_site_are_apart(ram: Path, site: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(site, copy)
    for state_dir in (site, copy):
        make_memory_folder(state_dir)
    assert len({memory_folder(site), memory_folder(copy)}) == len(list(ram.iterdir())) == 2


def test_a_site_that_takes_the_place_of_another_does_not_hear_its_heartbeat(
    ram: Path, site: Path
) -> None:
    make_memory_folder(site)
    first = memory_folder(site)
    site.rename(site.with_name("old"))
    site.mkdir()
    make_memory_folder(site)
    assert memory_folder(site) != first


def test_without_ram_it_is_the_state_dir(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROOT", tmp_path / "no-shm")
    make_memory_folder(site)
    assert memory_folder(site) == site
    remove_memory_folder(site)
    assert site.exists()


def _open_to_others(folder: Path, elsewhere: Path) -> None:
    folder.chmod(0o755)


def _a_link(folder: Path, elsewhere: Path) -> None:
    folder.rmdir()
    elsewhere.mkdir(mode=0o700)
    folder.symlink_to(elsewhere)


def _a_file(folder: Path, elsewhere: Path) -> None:
    folder.rmdir()
    folder.touch(mode=0o700)


@pytest.mark.parametrize("spoil", [_open_to_others, _a_link, _a_file])
def test_what_is_no_private_folder_is_left_alone(
    ram: Path, site: Path, tmp_path: Path, spoil: Callable[[Path, Path], None]
) -> None:
    make_memory_folder(site)
    folder = memory_folder(site)
    spoil(folder, tmp_path / "elsewhere")
    make_memory_folder(site)
    assert memory_folder(site) == site
    remove_memory_folder(site)
    assert folder.lstat()


def test_a_folder_of_another_user_is_left_alone(
    ram: Path, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_memory_folder(site)
    folder, lstat = memory_folder(site), Path.lstat
    theirs = list(folder.lstat())
    theirs[4] = folder.stat().st_uid + 4711
    monkeypatch.setattr(
        Path, "lstat", lambda path: os.stat_result(theirs) if path == folder else lstat(path)
    )
    assert memory_folder(site) == site


def test_the_ram_is_given_back(ram: Path, site: Path) -> None:
    make_memory_folder(site)
    (memory_folder(site) / "status.shm").write_bytes(b"x")
    remove_memory_folder(site)
    assert list(ram.iterdir()) == []
    assert memory_folder(site) == site
