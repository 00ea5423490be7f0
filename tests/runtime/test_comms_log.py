"""The log names a device that does not answer at once, and does not fill up with it."""

import logging

import pytest

from holdfast.core.units import NS_PER_S
from holdfast.runtime.comms_log import AGAIN_NS, LEAST_NS, CommsLog
from tests.runtime.bench import FakeDriver


@pytest.fixture
def driver() -> FakeDriver:
    driver = FakeDriver("battery/inverter")
    driver.counters.where = "192.0.2.12:502, device 1"
    return driver


class Bench:
    def __init__(self, driver: FakeDriver, caplog: pytest.LogCaptureFixture) -> None:
        self.log, self._caplog = CommsLog([driver]), caplog
        caplog.set_level(logging.INFO)

    def lines(self, now_ns: int) -> list[str]:
        self._caplog.clear()
        self.log.look(now_ns)
        return [f"{record.levelname} {record.message}" for record in self._caplog.records]


@pytest.fixture
def bench(driver: FakeDriver, caplog: pytest.LogCaptureFixture) -> Bench:
    return Bench(driver, caplog)


REFUSED = "WARNING no answer from battery/inverter at 192.0.2.12:502, device 1: connection refused"


def test_silence_is_told_at_once_and_then_rarely(driver: FakeDriver, bench: Bench) -> None:
    assert bench.lines(0) == []
    driver.counters.silent("connection refused")
    assert bench.lines(1) == [REFUSED]
    driver.counters.silent("connection refused")
    assert bench.lines(2) == bench.lines(AGAIN_NS) == []
    assert bench.lines(AGAIN_NS + 1) == [f"{REFUSED}, 2 tries in a row"]
    assert bench.lines(AGAIN_NS + 2) == []


def test_the_answer_is_told_once(driver: FakeDriver, bench: Bench) -> None:
    driver.counters.silent("connection refused")
    bench.lines(0)
    driver.counters.heard(LEAST_NS)
    answers = "INFO battery/inverter at 192.0.2.12:502, device 1 answers again"
    assert bench.lines(LEAST_NS) == [answers]
    assert bench.lines(LEAST_NS + 1) == bench.lines(2 * AGAIN_NS) == []


def test_one_that_comes_and_goes_does_not_fill_the_log(driver: FakeDriver, bench: Bench) -> None:
    lines = []
    for second in range(0, 60, 2):
        now_ns = second * NS_PER_S
        driver.counters.silent("connection refused" if second % 4 else "no route")
        lines += bench.lines(now_ns)
    assert len(lines) == 6


def test_another_reason_is_told(driver: FakeDriver, bench: Bench) -> None:
    driver.counters.silent("connection refused")
    bench.lines(0)
    driver.counters.silent("exception 2 (illegal data address)")
    assert bench.lines(LEAST_NS - 1) == []
    (line,) = bench.lines(LEAST_NS)
    assert "exception 2 (illegal data address), 2 tries in a row" in line


def test_trouble_with_one_that_answers_is_told_at_once_and_then_rarely(
    driver: FakeDriver, bench: Bench
) -> None:
    lines = []
    for second in range(601):
        now_ns = second * NS_PER_S
        driver.counters.failed("exception 6 (device busy)")
        driver.counters.heard(now_ns)
        lines += [(second, line) for line in bench.lines(now_ns)]
    where = "WARNING trouble with battery/inverter at 192.0.2.12:502, device 1"
    why = "of the last 100 requests failed, the last: exception 6 (device busy)"
    assert lines == [(2, f"{where}: 3 {why}")]
    assert bench.lines(602 * NS_PER_S) == [f"{where}: 50 {why}"]
