"""YAML as people mean it."""

import math
import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.errors import ConfigError
from holdfast.core.strict_yaml import MAX_CHARACTERS, lines_of, parse_yaml


@pytest.mark.parametrize("text", ["yes", "no", "on", "off", "y", "22:00", "1:30", "2026-01-01"])
def test_words_and_times_stay_text(text: str) -> None:
    assert parse_yaml(f"a: {text}") == {"a": text}


@pytest.mark.parametrize(
    "text", ["1_000", "0o17", "=", "+", ".", "0x", "1e", "NULL_", "xtrue", "١"]
)
def test_what_is_nearly_a_number_stays_text(text: str) -> None:
    assert parse_yaml(f"a: {text}") == {"a": text}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True), ("True", True), ("TRUE", True),
        ("false", False), ("False", False), ("FALSE", False),
        ("null", None), ("Null", None), ("NULL", None), ("~", None), ("", None),
        ("0", 0), ("7", 7), ("+7", 7), ("-70", -70), ("010", 10), ("0x1F", 31), ("0xaf", 175),
        ("1.5", 1.5), ("-1.", -1.0), (".5", 0.5), ("1e3", 1000.0), ("+2E-1", 0.2),
        ("1.5e+2", 150.0),
        (".inf", math.inf), ("-.Inf", -math.inf), (".INF", math.inf),
    ],
)  # fmt: skip
def test_numbers_and_truth_are_read_as_such(text: str, value: object) -> None:
    (found,) = parse_yaml(f"a: {text}").values()  # type: ignore[attr-defined]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("text", [".nan", ".NaN", ".NAN"])
def test_no_number_is_read_as_none(text: str) -> None:
    (found,) = parse_yaml(f"a: {text}").values()  # type: ignore[attr-defined]
    assert math.isnan(found)


def test_a_key_that_stands_twice_is_named_with_both_lines() -> None:
    with pytest.raises(ConfigError, match=r"^line 3: a stands in line 1 already$"):
        parse_yaml("a: 1\nb: 2\na: 3\n")
    assert parse_yaml("a: {b: 1}\nc: {b: 1}\n") == {"a": {"b": 1}, "c": {"b": 1}}


def test_a_block_is_merged_into_another() -> None:
    assert parse_yaml("x: &x {a: 1}\ny: {<<: *x, b: 2}\n") == {"x": {"a": 1}, "y": {"a": 1, "b": 2}}


@pytest.mark.parametrize(
    "text", ["a: [1", "a: b: c", "!!python/object:os.system x", "? [a]\n: 1\n"]
)
def test_what_is_no_plain_yaml_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^is not YAML: "):
        parse_yaml(text)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("\x00", "line 1: U+0000 cannot stand in YAML"),
        ("a: 1\nb: 2\n# \x07\n", "line 3: U+0007 cannot stand in YAML"),
        ("\n\ufffe", "line 2: U+FFFE cannot stand in YAML"),
    ],
)
def test_a_character_that_cannot_stand_in_yaml_is_named_with_its_line(
    text: str, complaint: str
) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(complaint)}$"):
        parse_yaml(text)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(ConfigError):
        parse_yaml(text)


BILLION = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)
)
NESTED = "b0: &b0 [x]\n" + "".join(f"b{n}: &b{n} [*b{n - 1}]\n" for n in range(1, 40))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[" * 31 + "]" * 31, "line 1: more than 30 sections lie in each other"),
        ("[" * 60_000, "line 1: more than 30 sections"),
        ("{a: " * 30_000, "line 1: more than 30 sections"),
        ("- " * 60_000, "line 1: more than 30 sections"),
        ("\n".join("  " * n + "a:" for n in range(300)), "line 30: more than 30 sections"),
        (NESTED, "line 29: more than 30 sections"),
        (BILLION, "line 5: there are more than 20000 values"),
        ("x: &x [" + "y, " * 97 + "y]\nz: [" + "*x, " * 202 + "*x]\n", "line 2: there are more"),
        ("x: 1\na: &a\n  - b\n  - *a\n", "line 4: a is named in what it stands for"),
        ("a: &a {b: *a}", "line 1: a is named in what it stands for"),
        ("a: &a {<<: *a}", "line 1: a is named in what it stands for"),
        ("- x\n" * 20_000, "line 1: there are more than 20000 values"),
        ("a: " + "x" * MAX_CHARACTERS, "has 131075 characters, and 131072 are permitted"),
        ("x:\n  a: " + "9" * 31, "line 2: a number of 31 digits; 30 may be"),
        ("a: 0x" + "f" * 100_000, "line 1: a number of 100002 digits; 30 may be"),
    ],
)
def test_what_would_cost_too_much_is_refused_with_its_line(text: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(complaint)}"):
        parse_yaml(text)


def test_as_much_as_is_permitted_is_read() -> None:
    content: object = parse_yaml("[" * 30 + "]" * 30)
    for _ in range(29):
        assert isinstance(content, list)
        (content,) = content
    assert content == []
    assert parse_yaml("- x\n" * 19_999) == ["x"] * 19_999
    assert parse_yaml("a: " + "x" * (MAX_CHARACTERS - 3)) == {"a": "x" * (MAX_CHARACTERS - 3)}
    assert parse_yaml("9" * 30) == int("9" * 30)
    lines = NESTED.splitlines()[:28]
    assert len(str(parse_yaml("\n".join(lines)))) > 28
    block = "x: &x [" + "y, " * 97 + "y]\n"
    assert len(str(parse_yaml(block + "z: [" + "*x, " * 199 + "*x]\n"))) > 90_000


def test_an_anchor_may_be_named_beside_and_below_itself_and_deep_ones_beside_each_other() -> None:
    deep = "[" * 20 + "]" * 20
    assert parse_yaml(f"a: &a {{b: {deep}}}\nc: *a\nd: [*a, *a]\n") is not None
    assert parse_yaml(f"a: {deep}\nb: {deep}\nc: [[[x]]]\n") is not None
    for anchored in (deep, f"[{deep}, x]", f"{{b: {deep}, c: x}}"):
        with pytest.raises(ConfigError, match="line 2: more than 30 sections"):
            parse_yaml(f"a: &a {anchored}\nb: [[[[[[[[[[*a]]]]]]]]]]\n")


# Where a value stands. ----------------------------------------------------------------------------

PLACES = """\
name: x
rows:
  - {a: 1,
     b: 2}
  - a: 3
"""


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ([], 1),
        (["name"], 1),
        (["rows"], 3),
        (["rows", 0], 3),
        (["rows", 0, "b"], 4),
        (["rows", 1, "a"], 5),
        (["rows", 1, "absent"], 5),
        (["rows", 2], 3),
        (["rows", "a"], 3),
        (["name", "a"], 1),
        (["absent", 0], 1),
    ],
)
def test_the_line_of_a_value_is_told_as_far_as_the_way_leads(keys, line):
    assert lines_of(PLACES)(keys) == line


def test_an_empty_document_has_its_first_line():
    assert lines_of("")(["a"]) == 1
