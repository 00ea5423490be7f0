"""A number whose power of ten the device tells: read with it, written by it, refused without."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from holdfast.core.signals import Signal
from holdfast.devices.scaled import ScaledPart, ScaledRead, ScaledStep

POWER = {"address": 14, "type": "int16", "scale_from": 20}
ABSENT = 0x8000


def image(**words):
    """Holding registers, ``r14=523``."""
    return {(None, "holding", int(name[1:])): word for name, word in words.items()}


def read(**more):
    return ScaledRead(signal=Signal.GRID_POWER_W, **{**POWER, **more})


def step(**more):
    return ScaledStep(**{**POWER, "function": "multiple", "value": "power", **more})


@pytest.mark.parametrize(
    ("raw", "power", "value"),
    [(523, 0, 523.0), (523, 1, 5230.0), (523, 0xFFFE, 5.23), (0xFFFF, 2, -100.0)],
)
def test_it_is_what_the_device_makes_of_it(raw, power, value):
    assert read().value(image(r14=raw, r20=power)) == pytest.approx(value)
    flipped = read(scale=-1).value(image(r14=raw, r20=power))
    assert flipped == pytest.approx(-value)


@pytest.mark.parametrize("power", [ABSENT, 11, 0xFFF5, 0x7FFF])
def test_without_a_power_of_ten_that_can_be_there_is_no_value(power):
    assert math.isnan(read().value(image(r14=523, r20=power)))


def test_what_is_not_available_stays_so():
    assert math.isnan(read().value(image(r14=ABSENT, r20=0)))


def test_value_and_power_are_read_in_one_request():
    ((*run,),) = read().runs
    assert [place[2] for place in run] == list(range(14, 21))
    ((*run,),) = read(scale_from=3).runs
    assert [place[2] for place in run] == list(range(3, 15))
    ((*run,),) = read(scale_from=None, type="int32").runs
    assert [place[2] for place in run] == [14, 15]


def test_without_one_of_its_own_it_is_a_plain_register():
    plain = read(scale_from=None, scale=0.1)
    assert plain.value(image(r14=523)) == pytest.approx(52.3)
    assert (plain.resolution, read(scale=0.1).resolution) == (0.1, 0.0)


def test_parts_have_powers_of_their_own():
    row = read(also=[ScaledPart(address=15, type="uint16", scale=-1, scale_from=21)])
    assert row.value(image(r14=7, r20=1, r15=3, r21=0)) == 67.0


@pytest.mark.parametrize("scale_from", [0, 65535])
def test_a_power_of_ten_is_in_any_register_there_is(scale_from):
    row = read(scale_from=scale_from)
    assert row.value(image(r14=5) | {(None, "holding", scale_from): 1}) == 50.0
    with pytest.raises(ValidationError, match="scale_from"):
        read(scale_from={0: -1, 65535: 65536}[scale_from])


@pytest.mark.parametrize(
    ("more", "resolution", "basis"),
    [
        ({}, 0.0, [[20]]),
        ({"scale_from": None, "scale": -0.1}, 0.1, []),
        ({"scale_from": None, "share_of": (30, None)}, 0.0, [[30]]),
        ({"share_of": (30, 28)}, 0.0, [[20], [28, 29, 30]]),
    ],
)
def test_a_step_between_powers_is_known_only_if_the_table_says_it(more, resolution, basis):
    if "share_of" in more:
        address, scale_from = more["share_of"]
        more["share_of"] = ScaledPart(address=address, type="uint16", scale_from=scale_from)
    row = step(**more)
    assert row.resolution == resolution
    assert [[address for _, _, address in run] for run in row.basis] == basis


def test_a_power_is_written_as_the_device_keeps_it_and_never_more():
    assert step().words_of(1239.0, image(r20=1)) == (123,)
    assert step(scale=-1).words_of(1239.0, image(r20=0)) == (0x10000 - 1239,)


def test_a_share_is_one_of_what_the_device_tells():
    share = ScaledPart(address=2, type="uint16", scale_from=18, not_available=[0xFFFF])
    row = step(scale=0.01, share_of=share)
    told = image(r20=0xFFFE, r2=60, r18=2)  # 60 x 100 W are 100.00 %
    assert row.words_of(1500.0, told) == (2500,)
    assert row.value_in({**told, **image(r14=2500)}) == pytest.approx(1500.0)
    assert row.words_of(-6000.0, told) == (0x10000 - 10_000,)
    for beyond_w in (6001.0, -6001.0):
        with pytest.raises(ValueError, match="takes no more than 6000 W, which are its 100 %"):
            row.words_of(beyond_w, told)
    assert {place[2] for run in row.basis for place in run} == {20, *range(2, 19)}
    for wrong in (image(r2=0xFFFF), image(r2=0), image(r18=ABSENT), image(r20=ABSENT)):
        with pytest.raises(ValueError, match="has not told in which steps"):
            row.words_of(1500.0, {**told, **wrong})


def test_nothing_is_written_before_the_power_of_ten_is_known():
    for known in ({}, image(r20=ABSENT)):
        with pytest.raises(ValueError, match="has not told in which steps"):
            step().words_of(100.0, known)
    assert step(value=0).words_of(0.0) == (0,), "0 is 0 at any power"


def test_longer_steps_than_the_table_says_are_refused():
    row = step(coarsest_w=10)
    assert row.words_of(1230.0, image(r20=1)) == (123,)
    with pytest.raises(ValueError, match=r"in steps of 100 W.* no longer than 10 W"):
        row.words_of(1230.0, image(r20=2))


@pytest.mark.parametrize(
    ("scale", "power", "grain_w"), [(-1, 2, 100), (-1, 1, 10), (0.1, 2, 10), (0.1, 3, 100)]
)
def test_a_step_is_as_long_as_scale_and_power_of_ten_make_it(scale, power, grain_w):
    row = step(scale=scale, coarsest_w=10)
    if grain_w == 10:
        (word,) = row.words_of(120.0, image(r20=power))
        assert row.value_in(image(r20=power, r14=word)) == pytest.approx(120.0)
    else:
        with pytest.raises(ValueError, match="in steps of 100 W"):
            row.words_of(120.0, image(r20=power))


def test_the_longest_step_that_a_table_names_is_longer_than_nothing():
    assert step(coarsest_w=0.5).words_of(1.0, image(r20=0xFFFF)) == (10,)
    with pytest.raises(ValidationError, match="coarsest_w"):
        step(coarsest_w=0)


@given(value=st.floats(-1e6, 1e6), power=st.integers(-10, 10), scale=st.sampled_from([1, -1, 0.01]))
def test_what_is_written_is_never_more_than_was_asked(value, power, scale):
    row, known = step(type="int32", scale=scale), image(r20=power & 0xFFFF)
    raw = value / scale / 10.0**power
    if not -(2**31) < raw < 2**31 - 1:
        return
    words = row.words_of(value, known)
    shown = row.value_in({**known, **image(r14=words[0], r15=words[1])})
    assert abs(shown) <= abs(value) * (1 + 1e-9)
    assert abs(shown - value) <= abs(scale) * 10.0**power * 1.000001
