"""Asking the controller: whoever asks gets an answer, or learns that there is none."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from holdfast.client.control import ControlClient
from holdfast.client.messages import Reply, encode
from holdfast.core.commands import Command
from holdfast.core.errors import NotRunning
from holdfast.core.state_machine import State


@contextmanager
def answering(path: Path, answer: bytes | None) -> Iterator[None]:
    """A server at ``path`` that gives one answer; None: it hangs."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        server.settimeout(30.0)

        def serve() -> None:
            connection, _ = server.accept()
            with connection, connection.makefile("rb") as lines:
                lines.readline()
                if answer is None:
                    lines.read()
                else:
                    connection.sendall(answer)

        thread = Thread(target=serve)
        thread.start()
        yield
        thread.join(30.0)


def ask(path: Path, timeout_s: float = 30.0) -> Reply:
    with ControlClient(path, timeout_s) as client:
        return client.command(Command.STOP)


def test_who_asks_is_answered(tmp_path: Path) -> None:
    reply = Reply(accepted=True, reason="so it is", state=State.IDLE)
    with answering(tmp_path / "s", encode(reply)):
        assert ask(tmp_path / "s") == reply


def test_nobody_answers(tmp_path: Path) -> None:
    with pytest.raises(NotRunning, match="no controller answers"):
        ask(tmp_path / "s")


def test_a_controller_that_hangs_is_not_waited_for(tmp_path: Path) -> None:
    with (
        answering(tmp_path / "s", None),
        pytest.raises(NotRunning, match="does not answer"),
    ):
        ask(tmp_path / "s", 0.1)


def test_a_controller_that_ends_gives_no_answer(tmp_path: Path) -> None:
    with (
        answering(tmp_path / "s", b""),
        pytest.raises(NotRunning, match="closed the connection"),
    ):
        ask(tmp_path / "s")


def test_who_asks_loads_nothing_that_takes_long() -> None:
    """A stop waits for no library: not even for the models of messages and configuration."""
    heavy = "asyncio numpy pydantic pydantic_core pymodbus can highspy rich matplotlib"
    program = (
        "import sys, holdfast.client.control\n"
        f"print(*({set(heavy.split())!r} & sys.modules.keys()))\n"
        "print(*(name for name in sys.modules if name.startswith('holdfast.runtime')))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert found.stdout.split() == []
