"""The door of a socket: some at once, then a rest, and a path that leads there whatever happens."""

import asyncio
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.runtime import door as module
from holdfast.runtime.door import AT_ONCE, REST_S, Door
from tests.runtime.bench import until


class Host:
    """Counts who is let in, and when, and sends them away."""

    def __init__(self, path: Path) -> None:
        self.times_s: list[float] = []
        self.door = Door(path, self._let_in)

    def _let_in(self, connection: socket.socket) -> None:
        self.times_s.append(time.monotonic())
        connection.close()


def knock(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        connection.connect(str(path))
    except OSError:
        connection.close()
        raise
    return connection


async def test_between_two_crowds_there_is_time_for_all_else(tmp_path: Path) -> None:
    path = tmp_path / "door.sock"
    host = Host(path)
    knocking = []
    for _ in range(6):
        try:
            while len(knocking) < 100:
                knocking.append(knock(path))
        except BlockingIOError:  # the kernel holds no more
            before = len(host.times_s)
            await until(lambda before=before: len(host.times_s) > before)
            assert len(host.times_s) - before <= AT_ONCE
    await until(lambda: len(host.times_s) >= len(knocking))
    gaps_s = sorted(b - a for a, b in zip(host.times_s, host.times_s[1:], strict=False))
    assert gaps_s[-1] >= REST_S
    for connection in knocking:
        connection.close()
    host.door.close()


def _delete(path: Path) -> None:
    path.unlink()


def _replace(path: Path) -> None:
    path.unlink()
    path.write_text("rubbish")


def _link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/null")


def _another(path: Path) -> None:
    path.unlink()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
        other.bind(str(path))


@pytest.mark.parametrize("spoil", [_delete, _replace, _link, _another])
async def test_a_socket_that_was_taken_away_is_there_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Path], None]
) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0.01)
    path = tmp_path / "door.sock"
    host = Host(path)
    for count in (1, 2):
        spoil(path)
        await until(path.is_socket)
        await until(lambda: knocks(path))
        await until(lambda count=count: len(host.times_s) >= count)
        assert path.stat().st_mode & 0o777 == 0o600
    assert not path.with_name("door.sock.new").exists()
    host.door.close()


def knocks(path: Path) -> bool:
    try:
        knock(path).close()
    except OSError:
        return False
    return True


async def test_where_nobody_can_listen_that_is_told_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0.01)
    path = tmp_path / "door.sock"
    host = Host(path)
    path.unlink()
    (tmp_path / "door.sock" / "full").mkdir(parents=True)
    await until(lambda: "nobody finds it any more" in caplog.text)
    (tmp_path / "door.sock" / "full").rmdir()
    path.rmdir()
    await until(path.is_socket)
    await until(lambda: knocks(path))
    host.door.close()


async def test_who_cannot_be_let_in_is_told_of_and_the_door_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "door.sock"
    host = Host(path)
    true, host.door._socket = host.door._socket, _Full(host.door._socket)  # type: ignore[assignment]
    connection = knock(path)
    await until(lambda: "nobody can be let in" in caplog.text)
    host.door._socket = true
    await until(lambda: len(host.times_s) == 1)
    connection.close()
    host.door.close()
    await asyncio.sleep(0)


class _Full:
    """A socket in a process that may have no more open files."""

    def __init__(self, true: socket.socket) -> None:
        self._true = true

    def accept(self) -> tuple[socket.socket, str]:
        raise OSError(24, "Too many open files")

    def fileno(self) -> int:
        return self._true.fileno()
