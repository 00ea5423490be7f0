"""The folder of a site's state: its own, or the site does not start, and the reason helps."""

import os
from pathlib import Path

import pytest

from holdfast.core.errors import ConfigError
from holdfast.site.files import SiteFiles, write_atomically


@pytest.fixture
def files(tmp_path: Path) -> SiteFiles:
    files = SiteFiles(state_dir=tmp_path / "state")
    files.create()
    return files


def test_one_that_was_just_made_is_its_own(files: SiteFiles) -> None:
    (files.state_dir / "models").mkdir()
    (files.state_dir / "models" / "pv.model").touch()
    files.create()
    files.state_dir.chmod(0o775)  # a group is its owner's business
    files.create()


def test_one_that_all_may_write_to_is_refused(files: SiteFiles) -> None:
    files.state_dir.chmod(0o777)
    what = f"every user of this computer may write to {files.state_dir}: chmod o-w"
    with pytest.raises(ConfigError, match=what):
        files.create()


def test_one_of_another_user_is_refused(files: SiteFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    what = f"belongs to user {owner}, and this runs as user {owner + 1}: run it as its owner"
    with pytest.raises(ConfigError, match=what):
        files.create()


@pytest.mark.parametrize("place", ["latches.json", "log/controller.log", "audit", "models/a/b"])
def test_a_link_in_it_is_refused_and_named(files: SiteFiles, tmp_path: Path, place: str) -> None:
    link = files.state_dir / place
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(tmp_path)
    with pytest.raises(ConfigError, match=f"{link} is a link; put the file itself there"):
        files.create()
    link.unlink()
    link.symlink_to("nowhere")
    with pytest.raises(ConfigError, match=f"{link} is a link"):
        files.create()


def test_the_way_to_it_may_be_a_link(files: SiteFiles, tmp_path: Path) -> None:
    (tmp_path / "way").symlink_to(files.state_dir)
    SiteFiles(state_dir=tmp_path / "way").create()
    assert (tmp_path / "way").is_symlink()


def test_a_link_that_waits_for_a_write_is_not_followed(files: SiteFiles, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.write_text("theirs")
    (files.state_dir / "latches.json.new").symlink_to(theirs)
    write_atomically(files.latches, b"ours")
    assert theirs.read_text() == "theirs"
    assert files.latches.read_bytes() == b"ours"
