"""What a device held before the first write: what of it is kept, and how it is put back."""

import pytest

from holdfast.core.commands import Point
from holdfast.devices.profile import load_profile, parse_profile
from holdfast.devices.taking_over import (
    TakenOver,
    differing,
    owned_blocks,
    restoring,
    setpoint_of,
    taken_over,
)
from tests.devices.test_mode_write import MODES
from tests.devices.test_verbs import HEAD, VERBS, table

# 20 puts 21 and 22 in force; 30 is not shown.
TABLE = """
writes:
  - point: setpoint_w
    readback: setpoint_readback_w
    verbs:
      charge:
        - {address: 30, type: uint16, value: timeout, shown: false}
        - {address: 21, type: int16, value: power}
        - {address: 22, type: uint16, function: multiple, value: 5}
        - {address: 23, type: uint16, function: multiple, value: 6, joined: true}
        - {address: 20, type: uint16, value: 1}
      discharge: &discharge
        - {address: 21, type: int16, value: power}
        - {address: 20, type: uint16, value: 2}
        - {address: 24, device_id: 9, type: uint16, value: 3}
      idle: *discharge
      release:
        - {address: 20, type: uint16, value: 0}
  - point: export_limit_w
    address: 40
    type: int32
    function: multiple
    readback: export_limit_readback_w
"""
LIMIT = "  - {signal: export_limit_readback_w, address: 40, type: int32}\n"
OWNERS = {20: 0, 21: 7, 22: 8, 23: 9, 24: 1, 40: 0, 41: 900}
OURS = {20: 1, 21: 2000, 22: 5, 23: 6, 24: 3, 40: 0, 41: 0}


def profile_of(text=TABLE):
    return parse_profile(HEAD + LIMIT + text, source="x.yaml")


def image(**changed):
    """All that is shown, and something that the table does not write."""
    words = OWNERS | {int(name[1:]): word for name, word in changed.items()}
    shown = {(9 if at == 24 else None, "holding", at): word for at, word in words.items()}
    return shown | {(None, "holding", 900): 77}


def ours(**changed):
    return image(**{f"r{at}": word for at, word in OURS.items()} | changed)


def sent(now, before=None, text=TABLE):
    profile = profile_of(text)
    before = taken_over(profile, image()) if before is None else before
    return [
        (request.address, request.words, request.function)
        for request in restoring(profile, before, now)
    ]


def test_all_that_is_written_and_shown_is_kept_and_nothing_else():
    found = taken_over(profile_of(), image())
    assert {place[2]: word for place, word in found.words.items()} == OWNERS
    assert not found.commanded
    read = {place[2] for block in owned_blocks(profile_of()) for place in block.places}
    assert read == set(OWNERS)


@pytest.mark.parametrize(
    ("shown", "commanded"),
    [
        ({"r20": 1, "r22": 5, "r23": 6, "r21": 300}, True),
        ({"r20": 2, "r24": 3}, True),
        ({"r20": 0}, False),
        ({"r20": 4}, False),
        ({"r20": 1, "r22": 8}, False),
    ],
)
def test_one_that_shows_a_verb_was_commanded(shown, commanded):
    assert taken_over(profile_of(), image(**shown)).commanded is commanded


def test_one_in_a_mode_of_its_own_was_not():
    held = {(None, "holding", 10): 0, (None, "holding", 11): 9, (None, "holding", 12): 0}
    assert not taken_over(table(VERBS + MODES), held).commanded
    other = held | {(None, "holding", 11): 1}
    assert taken_over(table(VERBS + MODES), other).commanded


def test_one_whose_mode_is_a_number_in_a_register_is_commanded_by_its_verbs_alone():
    number = "  - {point: device_mode, readback: device_mode, address: 50, type: uint16}\n"
    read = "  - {signal: device_mode, address: 50, type: uint16}\n"
    profile = parse_profile(HEAD + LIMIT + read + TABLE + number, source="x.yaml")
    assert taken_over(profile, image(r20=2, r24=3, r50=0)).commanded
    assert not taken_over(profile, image(r20=0, r50=0)).commanded


def test_a_register_that_goes_out_alone_and_with_others_is_put_back_once():
    alone = "        - {address: 23, type: uint16, value: 0}\n"
    text = TABLE.replace("      release:\n", f"      release:\n{alone}")
    assert sent(image(r23=6), text=text) == [(23, (9,), "single")]


def test_the_only_register_that_is_known_is_put_back():
    (place,) = (place for place in image() if place[2] == 21)
    before = TakenOver(words={place: 7}, commanded=False)
    assert sent(ours(), before) == [(21, (7,), "single")]


def test_it_is_put_back_in_the_reverse_order_and_what_goes_together_together():
    assert sent(ours()) == [
        (40, (0, 900), "multiple"),
        (24, (1,), "single"),
        (20, (0,), "single"),
        (22, (8, 9), "multiple"),
        (21, (7,), "single"),
    ]
    profile = profile_of()
    requests = restoring(profile, taken_over(profile, image()), ours())
    (of_another,) = (request for request in requests if request.address == 24)
    assert (of_another.device_id, of_another.table) == (9, "holding")


def test_what_is_there_already_is_not_written():
    assert sent(image()) == []
    assert sent(image(r23=6)) == [(22, (8, 9), "multiple")]
    assert sent(image(r41=0)) == [(40, (0, 900), "multiple")]


def test_what_is_not_known_is_left_alone():
    known = taken_over(profile_of(), image()).words
    before = TakenOver(
        words={place: word for place, word in known.items() if place[2] not in {23, 41}},
        commanded=False,
    )
    assert [address for address, *_ in sent(ours(), before)] == [24, 20, 21]
    assert sent({}, TakenOver(words={}, commanded=False)) == []


def test_a_command_is_not_put_back_and_a_limit_is():
    profile = profile_of()
    before = taken_over(profile, image(r20=2, r24=3))
    assert before.commanded
    assert sent(image(r20=0, r24=0, r41=0), before) == [(40, (0, 900), "multiple")]
    assert differing(profile, before, image(r20=0, r24=0, r41=0)) == (41,)


def test_a_mode_that_was_commanded_is_not_put_back_either():
    profile = table(VERBS + MODES)
    held = {(None, "holding", 10): 0, (None, "holding", 11): 1, (None, "holding", 12): 30}
    before = taken_over(profile, held)
    assert before.commanded
    assert restoring(profile, before, held | {(None, "holding", 11): 9}) == ()


def test_what_differs_is_named_by_its_address():
    profile = profile_of()
    before = taken_over(profile, image())
    assert differing(profile, before, image()) == ()
    assert sorted(differing(profile, before, image(r21=1, r24=0))) == [21, 24]
    assert sorted(differing(profile, before, {})) == sorted(OWNERS)


def test_one_that_cannot_be_given_back_is_not_read():
    text = TABLE[: TABLE.index("      release:")] + TABLE[TABLE.index("  - point: export") :]
    assert owned_blocks(profile_of(text)) == ()
    assert setpoint_of(profile_of(text)) is None
    profile = profile_of()
    assert setpoint_of(profile) is profile.points[Point.SETPOINT_W]
    plain = load_profile("generic_hybrid")
    assert setpoint_of(plain) is None
    assert owned_blocks(plain) == ()
    found = taken_over(plain, dict.fromkeys(((None, "holding", at) for at in range(20)), 1))
    assert not found.commanded
