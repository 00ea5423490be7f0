"""Texts from outside: how long they may be, what may stand in them, and what is shown of others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.texts import (
    MAX_ID,
    MAX_NAME,
    MAX_NOTE,
    MAX_REASON,
    MAX_VALUE,
    is_shown,
    shown,
    wrong_with,
)

MOST = st.integers(1, 40)


@pytest.mark.parametrize(
    "text", ["", "a", "Zählerschrank 2: 5\u00a0kW", "20\u202f°C", "電池", "“so”"]
)
def test_what_people_write_is_right(text):
    assert wrong_with(text, 100) is None
    assert shown(text, 100) == text


@pytest.mark.parametrize(
    ("character", "name"),
    [
        ("\0", "0000"), ("\n", "000A"), ("\x1b", "001B"), ("\x7f", "007F"), ("\u200b", "200B"),
        ("\u202e", "202E"), ("\u2028", "2028"), ("\ud800", "D800"), ("\U000e0001", "E0001"),
    ],
)  # fmt: skip
def test_what_steers_a_terminal_or_hides_is_named(character, name):
    what = f"holds U+{name}, which is no character that can be shown"
    assert wrong_with(f"ab{character}", 3) == what
    assert shown(f"a{character}b", 3) == "a b"


def test_how_long_texts_may_be_is_known_to_those_who_send_them():
    bounds = (MAX_ID, MAX_NAME, MAX_REASON, MAX_NOTE, MAX_VALUE)
    assert bounds == (64, 100, 300, 1000, 1000)


def test_one_character_too_many_is_counted():
    assert wrong_with("abc", 3) is None
    assert wrong_with("abcd", 3) == "has 4 characters, and 3 are permitted"
    assert (shown("abc", 3), shown("abcd", 3)) == ("abc", "ab…")


@given(text=st.text(max_size=60), most=MOST)
def test_what_is_shown_is_always_right_and_what_was_right_stays(text, most):
    told = shown(text, most)
    assert wrong_with(told, most) is None
    assert all(is_shown(character) for character in told)
    if wrong_with(text, most) is None:
        assert told == text
