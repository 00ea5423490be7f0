"""The red button in a browser: the real gateway stops a real site, with nothing else running."""

import json
import signal
import urllib.error
import urllib.request

import pytest

from holdfast.core.state_machine import State
from holdfast.testing.rig import Rig


@pytest.fixture
def with_gateway(rig: Rig) -> Rig:
    """In operation, with controller, watchdog and gateway; no planner, no API, no pages."""
    if "gateway" not in rig.processes:
        rig.start("gateway")
        rig.until(lambda: asked(rig, "GET", "/")[0] == 200, "the gateway's page", 60.0)
    return rig


def asked(rig: Rig, method: str, path: str) -> tuple[int, str]:
    """Asks as a browser on the page itself does; status 0: nobody answers."""
    place = f"http://127.0.0.1:{rig.gateway_port}"
    request = urllib.request.Request(place + path, method=method, headers={"Origin": place})
    try:
        with urllib.request.urlopen(request, timeout=30.0) as told:
            return told.status, told.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


def test_one_press_takes_a_running_site_to_zero_and_says_what_was_seen(with_gateway: Rig) -> None:
    rig = with_gateway
    assert asked(rig, "GET", "/health")[0] == 200
    status, text = asked(rig, "POST", "/estop")
    assert status == 200, text
    assert rig.state is State.STOPPED
    assert "0 W are measured at every battery" in text
    rig.until(lambda: rig.is_safe, "the contactor open", 2.0)
    status, text = asked(rig, "GET", "/")
    assert "Emergency stop: the power is off" in text
    assert "holdfast reset" in text
    status, text = asked(rig, "GET", "/health")
    assert (status, json.loads(text)["why"]) == (503, ["an emergency stop is latched"])


def test_a_hanging_controller_is_told_and_the_watchdog_does_its_work(with_gateway: Rig) -> None:
    rig = with_gateway
    controller = rig.processes["controller"]
    controller.signal(signal.SIGSTOP)
    try:
        status, text = asked(rig, "POST", "/estop")
        assert status == 503
        assert "NOT KNOWN TO BE STOPPED" in text
        assert "The watchdog runs" in text
        rig.until(lambda: rig.power_w == 0.0, "0 W by the watchdog", 2.0)
    finally:
        controller.signal(signal.SIGCONT)
    # What was sent while it hung is carried out.
    rig.until_state(State.STOPPED)


def test_without_a_controller_the_page_says_so_and_what_to_press(with_gateway: Rig) -> None:
    rig = with_gateway
    rig.processes["controller"].end()
    status, text = asked(rig, "POST", "/estop")
    assert status == 503
    assert "NOT STOPPED" in text
    assert "Press the emergency button" in text
    rig.until(lambda: "NOT KNOWN" in asked(rig, "GET", "/")[1], "that nothing is known")
    rig.start("controller")
    rig.until(lambda: asked(rig, "GET", "/health")[0] == 200, "health again", 60.0)
