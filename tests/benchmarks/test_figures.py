"""The figures that benchmarks tell: percentiles, verdicts, and what is made of cyclictest."""

import json
import math
from argparse import Namespace

import pytest

from benchmarks.background import CyclicTest, summarise_threads
from benchmarks.estop import share
from benchmarks.report import (
    CannotRun,
    Report,
    at_least,
    at_most,
    percentile,
    run,
    summarise,
)
from holdfast.core.state_machine import State


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(value) for value in range(1, 1001)]
    assert percentile(values, 50.0) == 500.0
    assert percentile(values, 99.0) == 990.0
    assert percentile(values, 99.9) == 999.0
    assert percentile([7.0], 99.9) == 7.0


def test_the_worst_value_is_the_p99_of_few() -> None:
    assert summarise([3.0, 1.0, 2.0]) == {
        "count": 3,
        "p50": 2.0,
        "p99": 3.0,
        "p99_9": 3.0,
        "max": 3.0,
    }


def test_nothing_measured_is_no_figure() -> None:
    with pytest.raises(CannotRun):
        summarise([])


@pytest.mark.parametrize(("measured", "met"), [(1.9, True), (2.0, True), (2.1, False)])
def test_a_budget_is_met_up_to_its_bound(measured: float, met: bool) -> None:
    assert at_most("something", "ms", 2.0, measured).met is met
    assert at_least("something", "x", 2.0, measured).met is (not met or measured == 2.0)


def test_what_is_no_number_meets_no_budget() -> None:
    assert not at_most("something", "ms", 2.0, math.nan).met
    assert not at_least("something", "x", 2.0, math.nan).met


def test_cyclictest_threads_become_one_reference() -> None:
    threads = [
        {"histogram": {"10": 98, "20": 1}, "cycles": 100, "min": 10, "max": 45_000},
        {"histogram": {"10": 100}, "cycles": 100, "min": 10, "max": 10},
    ]
    found = summarise_threads(threads, interval_us=20_000)
    assert found["count"] == 200
    assert found["p50"] == 10
    assert found["p99_9"] == 45_000, "beyond the histogram, but not forgotten"
    assert found["max"] == 45_000
    assert found["over_1_ms"] == 1
    assert found["missed"] == 2


def test_without_cyclictest_the_figures_stand_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with CyclicTest(20_000, 1.0) as reference:
        pass
    assert reference.result is None
    assert "not installed" in reference.note
    assert reference.value("max") == 0.0


@pytest.mark.parametrize("tries", [1, 20, 1000])
def test_every_state_gets_tries_and_running_most(tries: int) -> None:
    found = share(tries)
    assert found.keys() == set(State)
    assert min(found.values()) >= 1
    assert max(found.values()) == found[State.RUNNING]
    assert sum(found.values()) == max(tries, 5)


def test_a_missed_budget_is_told_and_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    def measure() -> Report:
        missed = at_most("something", "ms", 1.0, math.inf)
        return Report(settings={}, results={"it": {"p50": 2.0}}, unit="ms", budgets=[missed])

    assert run("something", Namespace(json=True), measure) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["budgets"][0]["met"] is False
    assert told["budgets"][0]["measured"] is None
    assert run("something", Namespace(json=False), measure) == 0
    assert "MISSED" in capsys.readouterr().out


def test_what_cannot_run_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    def measure() -> Report:
        raise CannotRun("there is no site")

    assert run("something", Namespace(json=False), measure) == 1
    assert "there is no site" in capsys.readouterr().err
