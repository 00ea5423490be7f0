"""The plain pages: one step stops the site, whoever asks; two steps start it, for who may."""

import json
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import pytest

from holdfast.core.state_machine import State
from holdfast.core.units import NS_PER_S
from holdfast.site.site_lock import hold_lock
from holdfast.ui.emergency_interface import start
from tests.monitoring.statuses import found, power
from tests.ui.bench import (
    GatewayBench,
    Told,
    WellFormed,
    at_rest,
    controller_at,
    reply,
    stopping,
)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[GatewayBench]:
    with GatewayBench(tmp_path) as bench:
        yield bench


def page(told: Told) -> WellFormed:
    assert told.headers["content-type"] == "text/html; charset=utf-8"
    return WellFormed(told.text)


# ---------------------------------------------------------------------- at a glance


def test_the_home_page_shows_the_site_at_a_glance_and_the_button_first(
    bench: GatewayBench,
) -> None:
    bench.publish()
    told = bench.get("/")
    shown = page(told)
    assert told.status == 200
    assert told.headers["refresh"] == "3"
    buttons = [tag for tag in shown.tags if tag in {"h1", "button", "h2"}]
    assert buttons[:3] == ["h1", "button", "h2"]
    for words in ("EMERGENCY STOP", "SAFE", "The battery charges with 1200 W, 54 %.", "RUNNING"):
        assert words in shown.text
    assert ("form", "action", "/estop") in shown.attributes
    assert "script" not in told.text


def test_it_can_be_held_still(bench: GatewayBench) -> None:
    bench.publish()
    told = bench.get("/?still")
    assert "refresh" not in told.headers
    assert "does not renew itself" in page(told).text


def test_contacts_can_be_called(bench: GatewayBench) -> None:
    shown = page(bench.get("/"))
    assert ("a", "href", "tel:+4930123") in shown.attributes
    assert ("a", "href", "mailto:ann@example.org") in shown.attributes
    assert "Solar Ltd (service)" in shown.text


@pytest.mark.parametrize("age_s", [None, 60.0])
def test_without_fresh_data_nothing_looks_safe_and_the_button_is_there(
    bench: GatewayBench, age_s: float | None
) -> None:
    if age_s is not None:
        bench.publish(age_s)
    shown = page(bench.get("/"))
    assert "NOT KNOWN" in shown.text
    assert "SAFE" not in shown.text
    assert "EMERGENCY STOP" in shown.text


def test_what_is_latched_comes_with_who_may_reset_it_and_the_steps(bench: GatewayBench) -> None:
    bench.publish(
        state=State.ERROR,
        quantities=(power(0.0),),
        latched_faults=("battery/cell_heating",),
        findings=(found("bms_data_lost", "ramp_to_zero"),),
    )
    shown = page(bench.get("/"))
    assert "a cell heated up fast" in shown.text
    assert "service only, after an inspection" in shown.text
    assert "call the fire brigade" in shown.text
    assert "holdfast reset --service" in shown.text
    assert "bms_data_lost: text" in shown.text
    assert "/start" not in [value for _, name, value in shown.attributes if name == "href"]


def test_it_speaks_german_where_that_is_liked_best(bench: GatewayBench) -> None:
    bench.publish()
    for liked in ("de-CH,de;q=0.9,en;q=0.8", "fr, de;q=0.5, en;q=0.3"):
        shown = page(bench.get("/", Accept_Language=liked))
        assert ("html", "lang", "de") in shown.attributes
        assert "NOT-HALT" in shown.text
    for liked in ("en", "", "fr", "de;q=0", "de;q=x", "en,de"):
        assert ("html", "lang", "en") in page(bench.get("/", Accept_Language=liked)).attributes


def test_no_text_of_a_site_becomes_markup(tmp_path: Path) -> None:
    wicked = "<script>alert(1)</script>'\"&"
    people = [{"name": wicked, "role": wicked, "phone": "112"}]
    with GatewayBench(tmp_path, name=wicked, contacts=people) as bench:
        row = found("<b>row", "<i>reaction", "<u>level", "<s>owner")
        bench.publish(
            request_reason=wicked,
            request_source=wicked,
            latched_faults=(f"{wicked}/{wicked}",),
            findings=(row,),
            waits_for=(wicked,),
        )
        for path in ("/", "/start"):
            told = bench.get(path)
            shown = page(told)
            assert not {"script", "b>row", "i", "u", "s"} & set(shown.tags)
            assert wicked in shown.text
            assert "<script" not in told.text


# ---------------------------------------------------------------------- stop


def test_one_press_stops_and_the_answer_says_what_is_so(bench: GatewayBench) -> None:
    bench.publish()
    with controller_at(bench.files.stop_socket, stopping(bench)) as heard:
        told = bench.post("/estop")
    assert [json.loads(line)["command"] for line in heard] == ["estop"]
    shown = page(told)
    assert told.status == 200
    for words in (
        "The stop was taken", "latched, also over a restart", "0 W are measured at every battery",
        "estop done", "STOPPED", "an operator, at the site's computer", "holdfast reset", "Ann",
    ):  # fmt: skip
        assert words in shown.text
    assert "refresh" not in told.headers


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"quantities": (power(-800.0),)}, "0 W are NOT YET MEASURED"),
        ({"quantities": (power(None),)}, "0 W are NOT YET MEASURED"),
        ({"quantities": ()}, "0 W are NOT YET MEASURED"),
        ({"latches_on_disk": False, "quantities": (power(0.0),)}, "NOT ON THE DISK"),
    ],
)
def test_sent_is_never_shown_as_done(
    bench: GatewayBench, changes: dict[str, object], words: str
) -> None:
    def answer(_: bytes) -> bytes:
        bench.publish(state=State.STOPPED, emergency_stop_latched=True, **changes)
        return reply(accepted=True, reason="estop done", state="stopped")

    with controller_at(bench.files.stop_socket, answer):
        assert words in page(bench.post("/estop")).text


def test_it_goes_where_all_is_taken_if_there_is_no_place_for_stops(bench: GatewayBench) -> None:
    with controller_at(bench.files.control_socket, stopping(bench)):
        assert bench.post("/estop").status == 200


def test_without_a_controller_it_says_at_once_that_nothing_was_stopped_and_what_to_do(
    bench: GatewayBench,
) -> None:
    begun_s = time.monotonic()
    told = bench.post("/estop")
    assert time.monotonic() - begun_s < 5.0
    assert told.status == 503
    shown = page(told)
    for words in (
        "NOT STOPPED", "no controller answers", "Press the emergency button at the site",
        "Switch the inverter off", "holdfast estop", "Solar Ltd", "No watchdog runs", "STOP AGAIN",
    ):  # fmt: skip
        assert words in shown.text


def test_a_controller_that_hangs_is_told_as_such_within_moments(bench: GatewayBench) -> None:
    with (
        hold_lock(bench.files, "controller"),
        hold_lock(bench.files, "watchdog"),
        controller_at(bench.files.stop_socket, lambda _: None),
    ):
        begun_s = time.monotonic()
        told = bench.post("/estop")
        took_s = time.monotonic() - begun_s
    assert told.status == 503
    assert took_s < 5.0
    shown = page(told)
    assert "NOT KNOWN TO BE STOPPED" in shown.text
    assert "did not answer within a second" in shown.text
    assert "The watchdog runs" in shown.text


@pytest.mark.parametrize(
    "answer",
    [
        reply(accepted=False, reason="the control cycle failed", state="error"),
        reply(accepted=True, reason="something else", state="running"),
        b"nonsense\n",
        b"\n",
        b"{}\n",
    ],
)
def test_an_answer_that_is_no_stop_is_never_shown_as_one(
    bench: GatewayBench, answer: bytes
) -> None:
    with controller_at(bench.files.stop_socket, lambda _: answer):
        told = bench.post("/estop")
    assert told.status == 503
    assert "NOT KNOWN TO BE STOPPED" in page(told).text


def test_one_that_was_turned_away_at_the_door_asks_again(bench: GatewayBench) -> None:
    """The controller lets one process in so often and no more; a stop does not end with that."""
    busy = [True, True]

    def answer(line: bytes) -> bytes:
        if busy:
            busy.pop()
            return reply(accepted=False, reason="more than 20 in a second", state="running")
        return stopping(bench)(line)

    with controller_at(bench.files.stop_socket, answer):
        assert bench.post("/estop").status == 200


def test_presses_that_come_together_are_all_answered(bench: GatewayBench) -> None:
    with (
        controller_at(bench.files.stop_socket, stopping(bench)) as heard,
        ThreadPoolExecutor(20) as people,
    ):
        told = list(people.map(lambda _: bench.post("/estop").status, range(20)))
    assert told == [200] * 20
    assert 1 <= len(heard) <= 20


def test_a_stop_needs_no_body_and_no_length_of_one_refuses_it(bench: GatewayBench) -> None:
    head = f"POST /estop HTTP/1.1\r\nHost: 127.0.0.1:{bench.port}\r\n"
    with controller_at(bench.files.stop_socket, stopping(bench)) as heard:
        for more in ("", "Content-Length: 9999999\r\n", "Transfer-Encoding: chunked\r\n"):
            answer = bench.raw((head + more + "\r\n").encode() + b"x" * 10_000)
            assert answer.startswith(b"HTTP/1.1 200 ")
    assert len(heard) == 3


def test_a_stop_works_for_a_site_that_cannot_be_shown(
    bench: GatewayBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("on purpose")

    monkeypatch.setattr("holdfast.ui.safety_display.display.verdict", fail)
    told = bench.get("/")
    assert told.status == 500
    assert "The button works all the same" in page(told).text
    assert ("form", "action", "/estop") in page(told).attributes
    with controller_at(bench.files.stop_socket, stopping(bench)):
        told = bench.post("/estop")
    assert told.status == 200
    assert "The stop was taken" in page(told).text


def test_a_site_that_is_only_observed_says_that_its_stop_is_in_vain(tmp_path: Path) -> None:
    with GatewayBench(tmp_path, authority="observe") as bench:
        bench.publish(authority="observe")
        assert "This button stops nothing" in page(bench.get("/")).text


# ---------------------------------------------------------------------- who may not ask


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "http://[::1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Referer": "http://evil.example/x", "Origin": ""},
    ],
)
def test_no_other_page_stops_or_starts_the_site(
    bench: GatewayBench, headers: dict[str, str]
) -> None:
    with controller_at(bench.files.stop_socket, stopping(bench)) as heard:
        for path in ("/estop", "/start"):
            told = bench.post(path, **headers)
            assert told.status == 403
            assert "nothing was done" in page(told).text
    assert heard == []


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:9464",
        "127.0.0.1.evil.example",
        "user@127.0.0.1",
        "a b",
        "",
        "[::1",
        "localhost.evil.com",
    ],
)
def test_a_name_that_somebody_outside_pointed_here_is_refused(
    bench: GatewayBench, host: str
) -> None:
    with controller_at(bench.files.stop_socket, stopping(bench)) as heard:
        headers = {"Host": host, "Origin": f"http://{host}"}
        for told in (bench.get("/", **headers), bench.post("/estop", **headers)):
            assert told.status == 421
            assert "Open the page by its address in numbers" in page(told).text
    assert heard == []


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:{port}",
        "localhost:{port}",
        "[::1]:{port}",
        "raspberrypi:{port}",
        "holdfast.local:{port}",
        "EMS.LAN:{port}",
        "192.168.7.7:{port}",
    ],
)
def test_the_own_page_stops_by_every_name_of_the_local_network(
    bench: GatewayBench, host: str
) -> None:
    host = host.format(port=bench.port)
    with controller_at(bench.files.stop_socket, stopping(bench)):
        headers = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
        assert bench.post("/estop", **headers).status == 200


def test_text_browsers_and_scripts_without_origin_may_stop(bench: GatewayBench) -> None:
    with controller_at(bench.files.stop_socket, stopping(bench)):
        assert bench.ask("POST", "/estop").status == 200
        assert bench.raw(b"POST /estop HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "estop"])
def test_only_a_post_stops(bench: GatewayBench, method: str) -> None:
    with controller_at(bench.files.stop_socket, stopping(bench)) as heard:
        told = bench.ask(method, "/estop")
    assert told.status == 405
    assert told.headers["allow"] == "POST"
    assert heard == []


@pytest.mark.parametrize(
    "path",
    ["/x", "//estop", "/estop/", "/ESTOP", "/%65stop", "/../estop", "/./", "/..%2f..%2fetc/passwd",
     "/style.css/..", "/index.html", "/estop;x", "//evil.example/estop"],
)  # fmt: skip
def test_a_path_is_one_of_ours_or_none(bench: GatewayBench, path: str) -> None:
    with controller_at(bench.files.stop_socket, stopping(bench)) as heard:
        assert bench.ask("GET", path).status == 404
        assert bench.post(path).status == 404
    assert heard == []


def test_every_answer_bears_the_strict_policy(bench: GatewayBench) -> None:
    for path in ("/", "/start", "/style.css", "/metrics", "/health", "/x"):
        headers = bench.get(path).headers
        assert "default-src 'none'; style-src 'self';" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "same-origin"
    told = bench.get("/")
    assert not re.search(r"style=|<style|<script|javascript:| on[a-z]+=|https?://", told.text)


# ---------------------------------------------------------------------- start


class OneMan:
    """Lets Ann in, with her password."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str, str]] = []
        self.wait = threading.Event()
        self.wait.set()

    def why_not(self, name: str, password: str, code: str, address: str) -> str | None:
        self.asked.append((name, password, code, address))
        assert self.wait.wait(30.0)
        return None if (name, password) == ("ann", "sésam") else "name or password is wrong"


@pytest.fixture
def gate() -> OneMan:
    return OneMan()


@pytest.fixture
def guarded(tmp_path: Path, gate: OneMan) -> Iterator[GatewayBench]:
    with GatewayBench(tmp_path, gate) as bench:
        yield bench


def mark_of(bench: GatewayBench) -> str:
    shown = page(bench.get("/start"))
    at = shown.attributes.index(("input", "name", "mark"))
    mark = shown.attributes[at + 1][2]
    assert mark
    return mark


def form(mark: str, name: str = "ann", password: str = "sésam") -> str:
    return urlencode({"mark": mark, "name": name, "password": password, "code": "123456"})


STARTS = reply(accepted=True, reason="start done", state="running")


def test_two_steps_start_the_site_for_who_may(guarded: GatewayBench, gate: OneMan) -> None:
    at_rest(guarded)
    assert ("a", "href", "/start") in page(guarded.get("/")).attributes
    first = page(guarded.get("/start"))
    assert "power flows: 5000 W charging and 5000 W discharging" in first.text
    assert "Is nobody working at the battery" in first.text
    assert gate.asked == []
    with controller_at(guarded.files.control_socket, lambda _: STARTS) as heard:
        told = guarded.post("/start", form(mark_of(guarded)))
    assert told.status == 200
    assert "start done" in page(told).text
    assert gate.asked == [("ann", "sésam", "123456", "127.0.0.1")]
    assert [json.loads(line)["command"] for line in heard] == ["start"]


def test_who_may_not_starts_nothing_and_hears_why(guarded: GatewayBench) -> None:
    at_rest(guarded)
    with controller_at(guarded.files.control_socket, lambda _: STARTS) as heard:
        told = guarded.post("/start", form(mark_of(guarded), password="x"))
    assert told.status == 409
    assert "NOT STARTED" in page(told).text
    assert "name or password is wrong" in page(told).text
    assert heard == []


def test_a_form_starts_once_and_not_later_and_none_is_made_up(
    guarded: GatewayBench, gate: OneMan, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_rest(guarded)
    used, old = mark_of(guarded), mark_of(guarded)
    other = start.Forms().make()
    with controller_at(guarded.files.control_socket, lambda _: STARTS) as heard:
        assert guarded.post("/start", form(used)).status == 200
        monkeypatch.setattr(start, "FORM_LIVES_S", 0.0)
        assert guarded.post("/start", form(old)).status == 403
        monkeypatch.undo()
        for mark in (used, other, "", "::", "1:2:3", "ü", f"{10 * NS_PER_S}:ab:{other[-64:]}"):
            told = guarded.post("/start", form(mark))
            assert told.status == 403
            assert "open the page anew" in page(told).text
    assert len(gate.asked) == 1
    assert len(heard) == 1


def test_what_the_controller_refuses_is_told(guarded: GatewayBench) -> None:
    at_rest(guarded)
    no = reply(accepted=False, reason="not ready: the BMS is silent", state="idle")
    with controller_at(guarded.files.control_socket, lambda _: no):
        told = guarded.post("/start", form(mark_of(guarded)))
    assert told.status == 409
    assert "not ready: the BMS is silent" in page(told).text
    told = guarded.post("/start", form(mark_of(guarded)))
    assert told.status == 409
    assert "no controller answers" in page(told).text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": State.RUNNING}, "the site is in RUNNING"),
        ({"state": State.STOPPED, "emergency_stop_latched": True}, "the site is in STOPPED"),
        ({"waits_for": ("the BMS is silent",)}, "the BMS is silent"),
    ],
)
def test_a_site_that_cannot_be_started_has_no_form_and_says_why(
    guarded: GatewayBench, changes: dict[str, object], words: str
) -> None:
    at_rest(guarded, **changes)
    shown = page(guarded.get("/start"))
    assert words in shown.text
    assert "input" not in shown.tags


def test_without_a_gatekeeper_nobody_logs_in_and_no_password_is_asked_for(
    bench: GatewayBench,
) -> None:
    at_rest(bench)
    shown = page(bench.get("/start"))
    assert "Log in at the pages of this site" in shown.text
    assert "input" not in shown.tags
    told = bench.post("/start", form("x"))
    assert told.status == 403
    assert "Log in at the pages" in page(told).text


@pytest.mark.parametrize(
    ("body", "headers", "code"),
    [
        ("{}", {"Content-Type": "application/json"}, 415),
        ("name=%ff", {}, 400),
        ("name=a&name=b", {}, 400),
        ("&".join(f"f{i}=1" for i in range(40)), {}, 400),
        ("x" * 5000, {}, 413),
    ],
)
def test_a_form_that_is_none_is_refused(
    guarded: GatewayBench, gate: OneMan, body: str, headers: dict[str, str], code: int
) -> None:
    told = guarded.post("/start", body, **headers)
    assert told.status == code
    assert "not understood" in page(told).text
    assert gate.asked == []


def test_logins_that_wait_hold_up_no_stop_and_more_are_turned_away(
    guarded: GatewayBench, gate: OneMan
) -> None:
    at_rest(guarded)
    marks = [mark_of(guarded) for _ in range(start.AT_ONCE + 1)]
    gate.wait.clear()
    with (
        controller_at(guarded.files.control_socket, lambda _: STARTS),
        controller_at(guarded.files.stop_socket, stopping(guarded)),
        ThreadPoolExecutor(len(marks)) as people,
    ):
        told = [people.submit(guarded.post, "/start", form(mark)) for mark in marks]
        first = next(one for one in iter(lambda: [t for t in told if t.done()], None) if one)[0]
        assert first.result().status == 429
        assert guarded.post("/estop").status == 200
        gate.wait.set()
        assert sorted(one.result().status for one in told) == [200] * start.AT_ONCE + [429]


# ---------------------------------------------------------------------- for programs


def test_health_fails_by_state_and_readiness_by_what_is_waited_for(bench: GatewayBench) -> None:
    told = bench.get("/health")
    assert told.status == 503
    assert json.loads(told.text) == {
        "healthy": False, "state": None, "why": ["no controller tells anything"]
    }  # fmt: skip
    at_rest(bench, waits_for=("the BMS is silent",))
    assert json.loads(bench.get("/health").text) == {"healthy": True, "state": "IDLE", "why": []}
    told = bench.get("/ready")
    assert told.status == 503
    assert json.loads(told.text)["why"] == ["the BMS is silent"]
    bench.publish()
    assert (bench.get("/health").status, bench.get("/ready").status) == (200, 200)
    assert bench.get("/ready").headers["content-type"] == "application/json"


def test_metrics_are_where_they_were_by_any_name_of_this_computer(bench: GatewayBench) -> None:
    bench.publish()
    told = bench.get("/metrics", Host="ems.example.com:9464")
    assert told.status == 200
    assert told.headers["content-type"].startswith("text/plain; version=")
    assert "holdfast_up 1.0" in told.text
    accept = "application/openmetrics-text; version=1.0.0"
    assert bench.get("/metrics", Accept=accept).text.endswith("# EOF\n")


def test_a_head_has_no_body(bench: GatewayBench) -> None:
    answer = bench.raw(b"HEAD /style.css HTTP/1.1\r\nHost: localhost\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert body == b""
    assert re.search(rb"Content-Length: [1-9][0-9]{2,}", head)
    assert bench.get("/favicon.ico").status == 204
