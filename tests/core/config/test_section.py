"""What every section of site.yaml has in common, and the paths that stand in some of them."""

import pytest
from pydantic import ValidationError

from holdfast.core.config.section import MAX_ENTRIES, Accepts, FilePath, Section
from holdfast.core.texts import MAX_REASON, MAX_VALUE


class Shed(Section):
    """A section with a path and a number."""

    key: FilePath = FilePath("state")
    count: int = 0


def test_a_path_is_text_that_is_not_empty() -> None:
    for text in ("x", "a/b", "/var/lib"):
        path = Shed.model_validate({"key": text}).key
        assert isinstance(path, FilePath)
        assert path == text
    for wrong in ("", 5, None):
        with pytest.raises(ValidationError):
            Shed.model_validate({"key": wrong})


@pytest.mark.parametrize("content", [7, "text", [1], None, True])
def test_what_is_no_mapping_is_an_error_and_no_crash(content: object) -> None:
    with pytest.raises(ValidationError):
        Shed.model_validate(content)


def test_true_is_no_number() -> None:
    with pytest.raises(ValidationError, match="count: True is a yes or no"):
        Shed.model_validate({"count": True})


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("x" * (MAX_VALUE + 1), "name: has 1001 characters, and 1000 are permitted"),
        ("a\x1b[31m", r"name: holds U\+001B, which is no character that can be shown"),
    ],
)
def test_a_text_is_bounded_and_can_be_shown(text: str, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        Shed.model_validate({"name": text})
    with pytest.raises(ValidationError, match=f"{'k' * 63}…: has 1001"):
        Shed.model_validate({"k" * 1000: "x" * 1001})


class Listed(Section):
    """A section with a list."""

    entries: tuple[int, ...] = ()


def test_a_list_is_bounded() -> None:
    assert len(Listed.model_validate({"entries": [0] * MAX_ENTRIES}).entries) == MAX_ENTRIES == 500
    with pytest.raises(ValidationError, match="entries: has 501 entries, and 500 are permitted"):
        Listed.model_validate({"entries": ["x"] * 501})


class Accepting(Section):
    """A section that accepts what nobody guards."""

    accepts: Accepts


@pytest.mark.parametrize("length", [2, 3, MAX_REASON, MAX_REASON + 1])
def test_why_nobody_guards_a_goal_is_told_in_words(length: int) -> None:
    reason = {"accepts": {"cell_overvoltage": "x" * length}}
    if 3 <= length <= MAX_REASON:
        assert Accepting.model_validate(reason).accepts == reason["accepts"]
    else:
        with pytest.raises(ValidationError, match=r"accepts\.cell_overvoltage"):
            Accepting.model_validate(reason)
