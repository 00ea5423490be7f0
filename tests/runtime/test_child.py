"""A child process that answers: whatever becomes of it, who asks hears of it and can ask again."""

import os
import signal
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NoReturn

import pytest

from holdfast.core.errors import PlanFailed
from holdfast.runtime.child import Child, ChildFailed
from tests.runtime.bench import until

LONG_S, SHORT_S = 60.0, 0.2


def doing() -> Callable[[str], str]:
    """What the child does in these tests."""
    done = [0]

    def answer(question: str) -> str:
        done[0] += 1
        return {"die": die, "hang": hang, "half": half, "refuse": refuse, "fail": fail}.get(
            question, lambda: f"{question[:9]} is number {done[0]}"
        )()

    return answer


def die() -> NoReturn:
    os._exit(3)


def hang() -> NoReturn:
    while True:
        signal.pause()


def half() -> NoReturn:
    """Begin an answer of 1000 bytes."""
    os.write(int(sys.argv[-1]), struct.pack("!i", 1000) + b"x")
    hang()


def refuse() -> NoReturn:
    raise PlanFailed("not today")


def fail() -> NoReturn:
    raise ZeroDivisionError("by zero")


def no_beginning() -> NoReturn:
    fail()


def variable(name: str) -> Callable[[str], str]:
    return lambda _: os.environ[name]


@pytest.fixture
def child() -> Iterator[Child[str, str]]:
    with Child("test", doing, timeout_s=LONG_S) as child:
        yield child


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def running(child: Child[str, str]) -> int:
    assert child.ask("one") == "one is number 1"
    assert child.pid is not None
    return child.pid


def assert_begins_anew(child: Child[str, str], before: int) -> None:
    assert is_gone(before)
    assert running(child) != before


def test_it_is_started_when_needed_and_answers_until_it_is_closed(child: Child[str, str]) -> None:
    assert child.pid is None
    pid = running(child)
    assert child.ask("two") == "two is number 2"
    assert child.pid == pid
    child.close()
    assert is_gone(pid)
    assert child.pid is None


@pytest.mark.parametrize(("question", "said"), [("die", "exit code 3"), ("fail", "exit code 1")])
def test_one_that_dies_is_told_and_the_next_question_goes_to_a_new_one(
    child: Child[str, str], question: str, said: str
) -> None:
    pid = running(child)
    with pytest.raises(ChildFailed, match=said):
        child.ask(question)
    assert_begins_anew(child, pid)


def test_one_that_was_killed_between_two_questions_is_told(child: Child[str, str]) -> None:
    pid = running(child)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(ChildFailed, match="ended: Killed"):
        child.ask("two")
    assert_begins_anew(child, pid)


def test_why_it_failed_is_on_standard_error(
    child: Child[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ChildFailed):
        child.ask("fail")
    assert "ZeroDivisionError: by zero" in capfd.readouterr().err


@pytest.mark.parametrize("question", ["hang", "half"])
def test_one_that_hangs_is_ended(child: Child[str, str], question: str) -> None:
    pid = running(child)
    child._timeout_s = SHORT_S
    with pytest.raises(ChildFailed, match=r"no answer within 0\.2 s"):
        child.ask(question)
    child._timeout_s = LONG_S
    assert_begins_anew(child, pid)


def test_one_that_stands_still_cannot_hold_up_a_question_that_is_longer_than_the_pipe(
    child: Child[str, str],
) -> None:
    pid = running(child)
    os.kill(pid, signal.SIGSTOP)
    child._timeout_s = SHORT_S
    with pytest.raises(ChildFailed, match="no answer within"):
        child.ask("x" * 4_000_000)
    child._timeout_s = LONG_S
    assert child.ask("x" * 4_000_000) == "xxxxxxxxx is number 1"
    assert is_gone(pid)


def test_what_it_refuses_is_told_as_it_is_and_it_goes_on(child: Child[str, str]) -> None:
    pid = running(child)
    with pytest.raises(PlanFailed, match="not today"):
        child.ask("refuse")
    assert child.ask("three") == "three is number 3"
    assert child.pid == pid


def test_one_that_cannot_begin_is_told() -> None:
    with (
        Child("test", no_beginning, timeout_s=LONG_S) as child,
        pytest.raises(ChildFailed, match="exit code 1"),
    ):
        child.ask("one")


def test_where_no_process_can_be_started_that_is_told(
    child: Child[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", "/no/python")
        with pytest.raises(ChildFailed, match="cannot begin"):
            child.ask("one")
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors
    running(child)


async def test_who_waits_is_woken_when_another_thread_ends_it(child: Child[str, str]) -> None:
    pid = running(child)
    heard: list[str] = []

    def ask() -> None:
        try:
            child.ask("hang")
        except ChildFailed as error:
            heard.append(str(error))

    thread = threading.Thread(target=ask)
    thread.start()
    child.kill()
    await until(lambda: not thread.is_alive())
    assert heard == ["its process ended: Killed"]
    assert_begins_anew(child, pid)


def test_it_ends_when_who_asks_is_gone(child: Child[str, str]) -> None:
    running(child)
    assert child._process is not None
    assert child._connection is not None
    child._connection.close()
    assert child._process.wait(LONG_S) == 0


def test_it_gets_an_environment_of_its_own() -> None:
    begin = partial(variable, "HOLDFAST_TEST")
    with Child("test", begin, timeout_s=LONG_S, environment={"HOLDFAST_TEST": "yes"}) as child:
        assert child.ask("") == "yes"
    assert "HOLDFAST_TEST" not in os.environ
