"""How long a wish lasts."""

from holdfast.control.mode_manager import REQUEST_LIFETIME_NS, ModeManager, Request, Source
from holdfast.core.state_machine import State
from holdfast.core.units import NS_PER_S
from tests.builders import T0, build_site, snapshot_of


def test_a_wish_lasts_for_a_second():
    assert REQUEST_LIFETIME_NS == NS_PER_S
    asked = ModeManager(build_site()).request(snapshot_of(), None, State.RUNNING)
    assert asked.expires_ns == T0 + NS_PER_S


def test_a_request_that_says_nothing_of_it_asks_for_no_export():
    request = Request(power_w=1.0, source=Source.PLAN, reason="", expires_ns=T0)
    assert request.export_limit_w == 0.0
