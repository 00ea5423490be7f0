"""Discovery: where the models of a device are, whatever it answers."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.devices.sunspec.discovery import (
    BASES,
    MOST_MODELS,
    FoundModel,
    NoSunSpec,
    discover,
)
from tests.devices.sunspec.devices import COMMON, Asked, laid_out


@pytest.mark.parametrize("base", BASES)
def test_models_are_found_at_each_base(base):
    found = discover(Asked(laid_out([COMMON, (103, 50), (124, 24)], base=base)))
    assert found.base == base
    assert found.models == (
        FoundModel(id=1, address=base + 2, length=66),
        FoundModel(id=103, address=base + 70, length=50),
        FoundModel(id=124, address=base + 122, length=24),
    )


def test_the_first_model_of_a_number_counts():
    found = discover(Asked(laid_out([COMMON, (203, 105), COMMON, (203, 105)])))
    first = found.first(203)
    assert first is not None
    assert first.address == 40070
    assert found.first(802) is None


def test_who_the_device_is_tells_its_common_model():
    registers = laid_out([COMMON, (103, 50)])
    registers[40004] = 0x4672
    assert discover(Asked(registers)).identity == (0x4672, *[0] * 65)
    assert discover(Asked(laid_out([(103, 50)]))).identity == ()


def test_a_long_common_model_is_asked_for_in_one_request():
    asked = Asked(laid_out([(1, 200)]))
    assert len(discover(asked).identity) == 125
    assert max(count for _, count in asked.requests) == 125


REFUSES = laid_out([COMMON, (103, 50)])
del REFUSES[40122]
NO_IDENTITY = laid_out([COMMON, (103, 50)])
del NO_IDENTITY[40020]


@pytest.mark.parametrize(
    ("registers", "why"),
    [
        ({}, "no SunS at any of 40000, 0, 50000"),
        (dict.fromkeys(range(65536), 0), "no SunS"),
        (laid_out([COMMON], end=(0, 0)), "at 40070 there is no model: number 0, length 0"),
        (laid_out([COMMON], end=(103, 0)), "number 103, length 0"),
        (laid_out([COMMON, (0, 5)]), "number 0, length 5"),
        (laid_out([COMMON], end=()), "refuses to tell which model is at 40070"),
        (REFUSES, "refuses to tell which model is at 40122"),
        (NO_IDENTITY, "refuses to tell its maker"),
        (laid_out([(9, 25_531)], end=()), "no end before the last register"),
        (laid_out([(103, 1)] * 101), "more than 100 models"),
    ],
)
def test_what_is_no_sunspec_is_told_in_words(registers, why):
    with pytest.raises(NoSunSpec, match=why):
        discover(Asked(registers))


def test_a_device_may_have_a_hundred_models_and_end_with_the_last_register():
    many = discover(Asked(laid_out([(103, 1)] * 100)))
    assert len(many.models) == MOST_MODELS == 100
    (model,) = discover(Asked(laid_out([(9, 25_530)]))).models
    assert model.address + 2 + model.length == 65_534


WORDS = st.one_of(st.integers(0, 0xFFFF), st.sampled_from([0, 1, 0xFFFF, 0x5375, 0x6E53]))


@given(answers=st.lists(st.one_of(st.none(), st.tuples(WORDS, WORDS)), max_size=300))
def test_whatever_it_answers_discovery_ends_with_a_map_or_its_own_error(answers):
    """The mark is there, or nothing behind it would ever be asked for."""
    left = iter(answers)
    asked = 0

    def read(address, count):
        nonlocal asked
        asked += 1
        assert 0 <= address < address + count <= 0x1_0000
        if asked == 1:
            return [0x5375, 0x6E53]
        answer = next(left, (3, 1))
        return None if answer is None else [*answer, *[7] * (count - 2)][:count]

    with suppress(NoSunSpec):
        assert len(discover(read).models) <= MOST_MODELS
    assert asked <= MOST_MODELS + 6


@given(registers=st.dictionaries(st.integers(0, 65535), WORDS, max_size=400))
def test_random_registers_are_no_sunspec(registers):
    with pytest.raises(NoSunSpec):
        discover(Asked({place: word for place, word in registers.items() if word != 0x5375}))
