"""What strangers send is read within bounds, and nothing of it raises an error."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.devices.json_path import (
    MAX_BYTES,
    MAX_PATH,
    Document,
    NoNumber,
    NotThere,
    Unreadable,
    number_of,
    parse_document,
    parse_path,
    value_at,
    word_of,
)

LEAVES = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8)
JSON = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["a", "b", "1.7.0"]), inner, max_size=3)
    ),
    max_leaves=12,
)
PATHS = st.sampled_from(["", "a", "a.b", "a[0]", "a[0].b", "[1]", '["1.7.0"].a', "a[9999]"])


def content(payload: bytes, **options: bool) -> object:
    parsed = parse_document(payload, **options)
    assert isinstance(parsed, Document)
    return parsed.content


def at(path: str, document: object) -> object:
    return value_at(parse_path(path), Document(content=document))


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a.b[1].c", 7.0),
        ('a["1-0:1.7.0"]', 8.0),
        ("a.b", [1.0, {"c": 7.0}]),
        ("a.b[2]", None),
        ("a.b.c", None),
        ("a[0]", None),
        ("x", None),
        ("a.n", None),
        ("a.n.m", None),
    ],
)
def test_a_path_leads_to_a_value_or_to_nothing(path: str, found: object) -> None:
    text = b'{"a": {"b": [1, {"c": 7}], "1-0:1.7.0": 8, "n": null}}'
    assert at(path, content(text)) == found


def test_an_empty_path_leads_to_the_whole_document() -> None:
    assert at("", content(b"12.5")) == 12.5


@pytest.mark.parametrize(
    "path", [".a", "a..b", "a.", "a[", "a[x]", "a[-1]", "a[99999]", "a b", 'a["', "$.a", "a.[0]"]
)
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="is no path such as"):
        parse_path(path)


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"\xff\xfe", "is no text"),
        (b"", "is no JSON: ''"),
        (b"<html>\n</html>", "is no JSON: '<html> </html>'"),
        (b"x" * 100, "is no JSON: '" + "x" * 39 + "…'"),
        (b"[" * MAX_BYTES, "is no JSON"),
        (b" " * (MAX_BYTES + 1), f"has {MAX_BYTES + 1} bytes, and {MAX_BYTES} are permitted"),
    ],
)
def test_what_is_no_document_is_told(payload: bytes, why: str) -> None:
    parsed = parse_document(payload)
    assert isinstance(parsed, Unreadable)
    assert parsed.why.startswith(why)


def test_a_document_may_be_as_long_as_is_permitted() -> None:
    assert content(b"1" + b" " * (MAX_BYTES - 1)) == 1.0


def test_a_text_is_a_document_where_that_is_permitted() -> None:
    assert content(b" ON\n", or_text=True) == "ON"
    assert content(b'"ON"', or_text=True) == "ON"
    assert isinstance(parse_document(b" " * (MAX_BYTES + 1), or_text=True), Unreadable)


def test_a_number_of_any_length_is_a_float() -> None:
    assert content(b"7") == 7.0
    assert isinstance(content(b"7"), float)
    assert content(b"9" * 6000) == math.inf


WORDS = {"on": 1.0, "true": 1.0, "null": 0.0, "3": 5.0}


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (2.5, 2.5),
        (-2.0, -2.0),
        ("2.5", 2.5),
        ("-1e3", -1000.0),
        ("+.5", 0.5),
        ("7.", 7.0),
        ("on", 1.0),
        (True, 1.0),
        (None, 0.0),
        (3.0, 5.0),
    ],
)
def test_numbers_numbers_in_texts_and_words_are_numbers(value: object, number: float) -> None:
    assert number_of(value, WORDS) == number


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (False, "false"),
        (math.nan, "nan"),
        (math.inf, "inf"),
        ("off", "'off'"),
        ("nan", "'nan'"),
        ("1_000", "'1_000'"),
        ("1 W", "'1 W'"),
        ("1e9999", "'1e9999'"),
        ("1e999", "'1e999'"),
        ("", "''"),
        ("x" * 50, repr("x" * 39 + "…")),
        ([1.0], "a list"),
        ({}, "a section"),
    ],
)
def test_what_is_no_number_is_told(value: object, told: str) -> None:
    assert number_of(value, WORDS) == NoNumber(shown=told)


def test_null_is_nothing_unless_it_has_a_word() -> None:
    assert number_of(None, {}) == NotThere()
    assert word_of([]) is word_of({}) is None
    assert word_of(7) == "7"


@given(payload=st.binary(max_size=200), path=PATHS)
def test_no_bytes_raise_an_error(payload: bytes, path: str) -> None:
    for or_text in (False, True):
        parsed = parse_document(payload, or_text=or_text)
        if isinstance(parsed, Document):
            number_of(value_at(parse_path(path), parsed), {})


@given(document=JSON, path=PATHS)
def test_no_document_raises_an_error_and_a_number_is_finite(document: object, path: str) -> None:
    parsed = parse_document(json.dumps(document).encode())
    assert isinstance(parsed, Document)
    number = number_of(value_at(parse_path(path), parsed), {})
    assert not isinstance(number, float) or math.isfinite(number)


@given(text=st.text(max_size=30))
def test_any_path_is_one_or_is_refused(text: str) -> None:
    try:
        steps = parse_path(text)
    except ValueError:
        return
    assert value_at(steps, Document(content=[])) in (None, [])


def test_documents_and_paths_have_their_bounds():
    assert (MAX_BYTES, MAX_PATH) == (65_536, 200)
