"""A device that does not answer is named with its address and the reason."""

from dataclasses import replace

from holdfast.core.ports import CommsCounters
from holdfast.core.units import NS_PER_S
from holdfast.monitoring.status.comms import TOLD_OF, comms_status, silence, trouble

NOW_NS = 100 * NS_PER_S


def counted(*, heard_s: float | None = None, tries: int = 1) -> CommsCounters:
    counters = CommsCounters(where="192.0.2.12:502, device 1")
    if heard_s is not None:
        counters.heard(int(heard_s * NS_PER_S))
    for _ in range(tries):
        counters.silent("connection refused")
    return counters


def told(counters: CommsCounters, name: str = "battery/inverter") -> str:
    return silence(name, comms_status(counters, NOW_NS))


def test_one_that_never_answered() -> None:
    where = "battery/inverter at 192.0.2.12:502, device 1: connection refused"
    assert told(counted()) == where
    assert told(counted(tries=12)) == f"{where}, 12 tries in a row"


def test_one_that_has_fallen_silent() -> None:
    assert told(counted(heard_s=66, tries=12)).endswith(
        ": connection refused, 12 tries in a row, last heard 34 s ago"
    )


def test_a_lost_answer_is_no_silence() -> None:
    assert told(counted(heard_s=98.1)) == ""
    assert told(counted(heard_s=98.0)) != ""


def test_one_that_answers_says_nothing() -> None:
    assert told(counted(tries=0)) == ""
    assert told(counted(heard_s=10, tries=0)) == ""


def test_devices_of_the_site_are_called_by_their_role() -> None:
    assert told(counted(), "site/meter").startswith("meter at 192.0.2.12:502, device 1: ")


def test_counters_are_handed_on() -> None:
    status = comms_status(replace(counted(heard_s=40, tries=3), writes=7), NOW_NS)
    assert (status.reads, status.writes, status.errors, status.tries) == (1, 7, 3, 3)
    assert (status.heard_s_ago, status.last_error) == (60.0, "connection refused")
    assert comms_status(counted(), NOW_NS).heard_s_ago is None


def failing(failures: int, of: int = 200) -> CommsCounters:
    """A device that answers now; the failures are spread over what came."""
    counters = CommsCounters(where="192.0.2.12:502, device 1")
    for count in range(of):
        if count >= of - failures:
            counters.failed("exception 6 (device busy)")
        counters.heard(NOW_NS)
    return counters


def troubled(counters: CommsCounters) -> str:
    return trouble("battery/inverter", comms_status(counters, NOW_NS))


def test_one_that_answers_and_refuses_again_and_again_says_why() -> None:
    where = "battery/inverter at 192.0.2.12:502, device 1"
    why = "of the last 100 requests failed, the last: exception 6 (device busy)"
    assert troubled(failing(TOLD_OF)) == f"{where}: {TOLD_OF} {why}"
    assert troubled(failing(TOLD_OF - 1)) == ""
    assert troubled(failing(200)) == f"{where}: 50 {why}"


def test_failures_of_long_ago_are_no_trouble_now() -> None:
    counters = failing(50)
    for _ in range(100):
        counters.heard(NOW_NS)
    assert troubled(counters) == ""
    assert comms_status(counters, NOW_NS).errors == 50


def test_one_that_is_silent_is_told_of_once() -> None:
    counters = counted(heard_s=10, tries=20)
    assert told(counters)
    assert troubled(counters) == ""
