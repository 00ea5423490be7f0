"""Mistakes in a file of ours are told one a line, in words of the file and not of a library."""

from collections import Counter
from collections.abc import Iterator, Mapping

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from holdfast.core.config.prices import SOURCE_KINDS
from holdfast.core.strict_yaml import LineOf, lines_of
from holdfast.core.texts import MAX_NAME, MAX_REASON, shown

MOST_LINES = 100
"""Nobody reads more; the others are counted."""
_TAGS = {
    "modbus_tcp", "modbus_rtu", "modbus_rtu_tcp", "modbus_mqtt", "modbus", "sunspec", "can", "http",
    "mqtt", "gpio", "device", "left_out", "register", "verb_list", "mode_list", "plain", "scaled",
    *SOURCE_KINDS,
}  # fmt: skip
_NO_NUMBER = "is no number; write it such as 5.5, with a point and without a unit"
_WORDS: Mapping[str, str] = {
    "missing": "is missing",
    "extra_forbidden": "is not a known key here",
    "greater_than": "must be above {gt:.10g}",
    "greater_than_equal": "must be at least {ge:.10g}",
    "less_than": "must be below {lt:.10g}",
    "less_than_equal": "must be at most {le:.10g}",
    "finite_number": "must be a finite number",
    "float_type": _NO_NUMBER,
    "float_parsing": _NO_NUMBER,
    "int_type": _NO_NUMBER,
    "int_parsing": _NO_NUMBER,
    "int_from_float": "must be a whole number",
    "string_type": "must be text; quotation marks make it so",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "does not have the form {pattern}",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "path_type": "must be a path",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "tuple_type": "must be a list",
    "too_short": "needs at least {min_length} entry",
    "model_type": "must be a section: keys, each with its value",
    "model_attributes_type": "must be a section: keys, each with its value",
    "dict_type": "must be a section: keys, each with its value",
    "union_tag_not_found": "needs a {discriminator}",
    "union_tag_invalid": "{discriminator} must be one of {expected_tags}",
}
"""Has the words by the kind of mistake; what is in braces is the rule's."""


def in_words(error: ValidationError, source: str, text: str | None = None) -> str:
    """Tells the mistakes in ``source``, a line each, after one that counts them.

    With the ``text`` of the file each is told with the number of its line.
    """
    causes = [*_causes(error)]
    told, rest = causes[:MOST_LINES], len(causes) - MOST_LINES
    line_of = None if text is None else lines_of(text)
    lines = [f"  {_line(item, line_of)}{_path(item['loc'])}: {_message(item)}" for item in told]
    more = [f"  and {rest} more"] if rest > 0 else []
    return "\n".join([f"{source}: {len(causes)} wrong:", *lines, *more])


def _causes(error: ValidationError) -> Iterator[ErrorDetails]:
    """Yields mistakes that follow from no other: a list lacks only the entry that is wrong."""
    items = error.errors(include_url=False)
    at_or_in = Counter(item["loc"][:end] for item in items for end in range(len(item["loc"]) + 1))
    for item in items:
        if item["type"] != "too_short" or at_or_in[item["loc"]] == 1:
            yield item


def _message(item: ErrorDetails) -> str:
    text = _WORDS.get(item["type"])
    message = (
        item["msg"].removeprefix("Value error, ") if text is None else text.format(**_rule(item))
    )
    value = shown(repr(item["input"]), MAX_NAME)
    return f"{value}: {message}" if _may_be_shown(item) else message


def _rule(item: ErrorDetails) -> dict[str, object]:
    """Returns what the rule that was broken says; a key of the file without quotation marks."""
    return {
        name: value.strip("'") if name == "discriminator" else value
        for name, value in item.get("ctx", {}).items()
    }


def _may_be_shown(item: ErrorDetails) -> bool:
    """Says whether the wrong value helps; not if a token may stand where its place should."""
    if item["type"] in {"value_error", "extra_forbidden"}:
        return False
    if isinstance(item["input"], dict | list):
        return False
    return not any(str(key).startswith(("token_", "password")) for key in item["loc"][-1:])


def _line(item: ErrorDetails, line_of: LineOf | None) -> str:
    keys = [key for key in item["loc"] if key not in _TAGS]
    return "" if line_of is None else f"line {line_of(keys)}: "


def _path(location: tuple[int | str, ...]) -> str:
    # The tag of a connection's or a source's kind is no key of the file.
    keys = [key for key in location if key not in _TAGS]
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)
    return shown(text.removeprefix("."), MAX_REASON) or "the whole file"
