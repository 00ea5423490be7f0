"""Learning in a child: it may fail, hang or be ended, and the planner goes on without it."""

import logging
import os
import signal

import numpy as np
import pytest

from holdfast.forecasting.array_file import ArrayFile
from holdfast.forecasting.workshop import missing_library
from holdfast.runtime.child_workshop import ChildWorkshop

NOTHING = ArrayFile(about={}, arrays={})


@pytest.fixture(autouse=True)
def _needs_the_library() -> None:
    if missing_library("forest") is not None:
        pytest.skip("needs scikit-learn")


def pid_of(workshop: ChildWorkshop, name: str) -> int:
    pid = workshop._orders[name].child.pid
    assert pid is not None
    return pid


def test_a_child_that_fails_gives_no_answer_and_its_order_can_be_given_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    workshop = ChildWorkshop()
    assert workshop.submit("load", "forest", NOTHING)
    assert not workshop.submit("load", "forest", NOTHING), "one of a name at a time"
    workshop._orders["load"].join()
    assert workshop.collect("load") is None
    assert "load: the work gave no answer: its process ended" in caplog.text
    assert workshop.collect("load") is None
    assert workshop.submit("load", "forest", NOTHING)
    workshop.close()


def test_while_a_child_works_there_is_no_answer_and_nobody_waits(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    workshop = ChildWorkshop()
    large = ArrayFile(about={}, arrays={"x": np.zeros(1_000_000)})
    assert workshop.submit("load", "forest", large)
    os.kill(pid_of(workshop, "load"), signal.SIGSTOP)
    assert workshop.collect("load") is None
    assert not caplog.records
    workshop.close()


def test_at_the_end_no_child_is_left() -> None:
    workshop = ChildWorkshop()
    assert workshop.submit("load", "forest", NOTHING)
    assert workshop.submit("pv_w", "forest", NOTHING)
    pids = [pid_of(workshop, name) for name in ("load", "pv_w")]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    workshop.close()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert workshop.collect("load") is None
