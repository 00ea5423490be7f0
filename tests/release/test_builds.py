"""A source distribution has the same bytes whenever it is packed."""

import io
import subprocess
import tarfile
from pathlib import Path

import pytest

from release.builds import CannotRelease, commit_of, settle, time_of

EPOCH_S = 1_790_000_000


def packed(path: Path, names: list[str], mtime: int, uid: int) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size, member.mtime, member.uid = len(name), mtime, uid
            member.mode = 0o664 if uid else 0o600
            archive.addfile(member, io.BytesIO(name.encode()))
    return path


def test_time_order_and_owner_leave_no_trace(tmp_path: Path) -> None:
    one = packed(tmp_path / "one.tar.gz", ["a/b", "a/c"], 1, 0)
    other = packed(tmp_path / "other.tar.gz", ["a/c", "a/b"], 99, 1000)
    for path in (one, other):
        settle(path, EPOCH_S)
    assert one.read_bytes() == other.read_bytes()
    with tarfile.open(one) as archive:
        assert [member.name for member in archive] == ["a/b", "a/c"]
        content = archive.extractfile("a/b")
        assert content is not None
        assert content.read() == b"a/b"


def test_what_is_released_is_a_commit(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(["git", *who, "-C", str(tmp_path), *words], check=True, capture_output=True)

    git("init")
    (tmp_path / "file").write_text("1")
    with pytest.raises(CannotRelease, match="file"):
        commit_of(tmp_path)
    git("add", "file")
    git("commit", "-m", "one", "--date", "2026-04-10T12:00:00Z")
    assert time_of(tmp_path, commit_of(tmp_path)) > EPOCH_S - 10**9
    (tmp_path / "file").write_text("2")
    with pytest.raises(CannotRelease, match="in none"):
        commit_of(tmp_path)
