"""What is sent by who acts as the inverter, and when it is not."""

import pytest

from holdfast.core.units import NS_PER_S
from holdfast.devices.drivers.can_sender import CanSender
from holdfast.devices.profile import parse_profile

TABLE = """
name: x
protocol: can
roles: [bms]
source: test
extended: true
burst_period_s: 1
{sends}
frames:
  - id: 0x4210
    fields:
      - {{signal: soc_pct, byte: 0, type: uint8}}
"""
ASK = "asks: [{id: 0x4200, data: [2, 0], every_s: 2}]"
KEEP_ALIVE = "keep_alive_id: 0x8305"


def sender(sends, *, acts_as_inverter=True):
    profile = parse_profile(TABLE.format(sends=sends), source="x.yaml")
    return CanSender(profile, acts_as_inverter=acts_as_inverter)


def sent(one, at_s, heard):
    messages = one.due(at_s * NS_PER_S, heard)
    return [(sent.arbitration_id, bytes(sent.data), sent.is_extended_id) for sent in messages]


ASKED, KEPT = (0x4200, b"\x02\x00", True), (0x8305, bytes(8), True)


@pytest.mark.parametrize("sends", [ASK, KEEP_ALIVE, f"{ASK}\n{KEEP_ALIVE}"])
def test_who_does_not_act_as_the_inverter_sends_nothing(sends):
    one = sender(sends, acts_as_inverter=False)
    assert [sent(one, at_s, at_s) for at_s in range(1, 9)] == [[]] * 8


def test_a_battery_is_asked_again_and_again_while_it_answers():
    one = sender(ASK)
    assert [sent(one, at_s, at_s) for at_s in range(1, 7)] == [[ASKED], []] * 3


def test_a_battery_that_says_nothing_is_asked_three_times():
    one = sender(ASK)
    silent = [sent(one, at_s, 0) for at_s in range(1, 20, 2)]
    assert silent == [[ASKED]] * 3 + [[]] * 7
    assert sent(one, 21, 1) == [ASKED], "it has spoken by itself"


def test_one_answer_that_is_lost_changes_nothing():
    one = sender(ASK)
    heard = [0, 0, 1, 1, 1, 2]
    assert [sent(one, 1 + 2 * n, count) for n, count in enumerate(heard)] == [[ASKED]] * 6


def test_a_keep_alive_follows_upon_what_was_heard_once_a_second():
    one = sender(KEEP_ALIVE)
    assert sent(one, 1, 0) == []
    assert sent(one, 1, 1) == [KEPT]
    assert sent(one, 1.5, 9) == []
    assert sent(one, 2, 9) == [KEPT]
    assert sent(one, 9, 9) == []
    assert sent(one, 10, 10) == [KEPT]


def test_what_is_asked_and_the_keep_alive_do_not_wait_for_each_other():
    one = sender(f"{ASK}\n{KEEP_ALIVE}")
    assert [sent(one, at_s, at_s - 1) for at_s in (1, 2, 3)] == [[ASKED], [KEPT], [KEPT, ASKED]]
