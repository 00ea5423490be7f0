"""Each kind of mistake is told in words of the file."""

from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model

from holdfast.core import mistakes
from holdfast.core.config.device import (
    CanBus,
    GpioChip,
    HttpHost,
    ModbusMqtt,
    ModbusRtu,
    ModbusRtuTcp,
    ModbusTcp,
    MqttBroker,
)
from holdfast.core.errors import ConfigError
from holdfast.core.mistakes import in_words
from holdfast.devices.profile import Profile, parse_profile
from holdfast.site.site_file import parse_site
from tests.builders import site_content


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Part(BaseModel):
    kind: Literal["part"] = "part"


class Other(BaseModel):
    kind: Literal["other"] = "other"


class One(BaseModel):
    class_: Literal["one"] = "one"


class Two(BaseModel):
    class_: Literal["two"] = "two"


BY_CLASS = Annotated[One | Two, Field(discriminator="class_")]
EITHER = Annotated[Part | Other, Field(discriminator="kind")]
NO_NUMBER = "is no number; write it such as 5.5, with a point and without a unit"
A_SECTION = "must be a section: keys, each with its value"


def told(kind: Any, content: Any, text: str | None = None) -> str:
    model = create_model("Model", __config__=ConfigDict(extra="forbid"), key=(kind, ...))
    with pytest.raises(ValidationError) as error:
        model.model_validate(content)
    first, *lines = in_words(error.value, "my.yaml", text).splitlines()
    assert first == f"my.yaml: {len(lines)} wrong:"
    (line,) = lines
    return line


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (Annotated[float, Field(gt=1.5)], 1.5, "1.5: must be above 1.5"),
        (Annotated[float, Field(ge=1.5)], 1, "1: must be at least 1.5"),
        (Annotated[float, Field(lt=1.5)], 1.5, "1.5: must be below 1.5"),
        (Annotated[float, Field(le=1.5)], 2, "2: must be at most 1.5"),
        (
            Annotated[float, Field(allow_inf_nan=False)],
            float("inf"),
            "inf: must be a finite number",
        ),
        (float, None, f"None: {NO_NUMBER}"),
        (float, "5 kW", f"'5 kW': {NO_NUMBER}"),
        (int, None, f"None: {NO_NUMBER}"),
        (int, "five", f"'five': {NO_NUMBER}"),
        (int, 1.5, "1.5: must be a whole number"),
        (str, 5, "5: must be text; quotation marks make it so"),
        (Annotated[str, Field(max_length=2)], "abc", "'abc': must have at most 2 characters"),
        (Annotated[str, Field(pattern="^a$")], "b", "'b': does not have the form ^a$"),
        (bool, None, "None: must be true or false"),
        (bool, "maybe", "'maybe': must be true or false"),
        (Path, 5, "5: must be a path"),
        (Literal["a", "b"], "c", "'c': must be 'a' or 'b'"),
        (Colour, "green", "'green': must be 'red' or 'blue'"),
        (tuple[int, ...], 5, "5: must be a list"),
        (Annotated[tuple[int, ...], Field(min_length=1)], [], "needs at least 1 entry"),
        (Part, 5, f"5: {A_SECTION}"),
        (EITHER, 5, f"5: {A_SECTION}"),
        (dict[str, int], 5, f"5: {A_SECTION}"),
        (EITHER, {}, "needs a kind"),
        (EITHER, {"kind": "x"}, "kind must be one of 'part', 'other'"),
        (BY_CLASS, {"class_": "x"}, "class_ must be one of 'one', 'two'"),
        (BY_CLASS, {}, "needs a class_"),
    ],
)
def test_a_mistake_is_told_with_the_value_and_what_would_be_right(kind, value, words):
    assert told(kind, {"key": value}) == f"  key: {words}"


def test_a_key_that_is_missing_or_unknown_is_told_without_a_value():
    assert told(int, {}) == "  key: is missing"
    assert told(int, {"key": 1, "colour": "red"}) == "  colour: is not a known key here"


def test_a_rule_that_is_not_known_here_speaks_for_itself():
    assert told(Annotated[int, Field(multiple_of=2)], {"key": 3}) == (
        "  key: 3: Input should be a multiple of 2"
    )


def test_with_the_text_the_line_is_told():
    text = "other: 1\nkey:\n  - 1\n  - x\n"
    line = told(tuple[int, ...], {"key": [1, "x"]}, text)
    assert line == f"  line 4: key[1]: 'x': {NO_NUMBER}"
    assert told(int, {}, "{}") == "  line 1: key: is missing"
    assert told(int, {}, "") == "  line 1: key: is missing", "an empty file has a line, too"


def test_the_text_is_looked_through_once_however_much_is_wrong_in_it(monkeypatch):
    """It may be long: once for each of a hundred mistakes would take minutes."""
    looked, once = [], mistakes.lines_of
    monkeypatch.setattr(mistakes, "lines_of", lambda text: looked.append(text) or once(text))
    text = "\n".join(f"wrong{number}: 1" for number in range(200))
    content = {f"wrong{number}": 1 for number in range(200)}
    with pytest.raises(ValidationError) as error:
        create_model("Model", __config__=ConfigDict(extra="forbid")).model_validate(content)
    assert "line 100: wrong99: is not a known key here" in in_words(error.value, "x", text)
    assert looked == [text]


def test_what_is_wrong_as_a_whole_has_no_place_and_no_value():
    with pytest.raises(ValidationError) as error:
        TypeAdapter(EITHER).validate_python(None)
    assert (
        in_words(error.value, "my.yaml").splitlines()[1] == f"  the whole file: None: {A_SECTION}"
    )


@pytest.mark.parametrize(("wrong", "more"), [(100, []), (101, ["  and 1 more"])])
def test_of_many_mistakes_a_hundred_are_told_and_the_others_counted(wrong, more):
    with pytest.raises(ValidationError) as error:
        TypeAdapter(list[int]).validate_python(["x"] * wrong)
    first, *lines = in_words(error.value, "my.yaml").splitlines()
    assert first == f"my.yaml: {wrong} wrong:"
    assert lines[100:] == more


def test_a_list_that_is_too_short_for_what_is_wrong_in_it_is_told_once():
    two = Annotated[list[Annotated[int, Field(gt=0)]], Field(min_length=2)]
    with pytest.raises(ValidationError) as error:
        TypeAdapter(two).validate_python([1])
    assert in_words(error.value, "my.yaml").splitlines()[1:] == [
        "  the whole file: needs at least 2 entry"
    ]


def lines_of(*mistakes: tuple[str, tuple[int | str, ...]]) -> list[str]:
    """What is told of mistakes in values that are all ``secret``."""
    error = ValidationError.from_exception_data(
        "Model", [{"type": kind, "loc": place, "input": "secret"} for kind, place in mistakes]
    )
    return in_words(error, "my.yaml").splitlines()[1:]


@pytest.mark.parametrize(
    ("place", "is_shown"),
    [
        (("token_env",), False),
        (("source", "token_file"), False),
        (("token_env", 0), True),
        (("connection", "password_env"), False),
        (("password",), False),
        (("source", "file"), True),
        (("my_token_env",), True),
    ],
)
def test_a_value_is_not_repeated_where_a_token_may_stand(place, is_shown):
    (line,) = lines_of(("string_type", place))
    assert ("secret" in line) is is_shown


def test_two_mistakes_at_one_place_are_both_told():
    assert len(lines_of(("string_type", ("a",)), ("bool_type", ("a",)))) == 2


CONNECTIONS = (
    ModbusTcp, ModbusRtu, ModbusRtuTcp, ModbusMqtt, CanBus, HttpHost, MqttBroker, GpioChip,
)  # fmt: skip
KINDS = [get_args(each.model_fields["kind"].annotation)[0] for each in CONNECTIONS]


@pytest.mark.parametrize("kind", KINDS)
def test_a_mistake_in_a_connection_is_told_without_its_kind(kind: str) -> None:
    meter = {"profile": "generic_meter", "connection": {"kind": kind, "surprise": 1}}
    with pytest.raises(ConfigError) as error:
        parse_site(yaml.safe_dump(site_content(meter=meter)))
    assert "  meter.connection.surprise: is not a known key here" in str(error.value)


@pytest.mark.parametrize(
    ("rows", "where"),
    [
        ("reads: [{signal: soc_pct, surprise: 1}]", "reads[0].surprise"),
        ("reads: [{signal: soc_pct, scale_from: 1, surprise: 1}]", "reads[0].surprise"),
        ("writes: [{point: enable, surprise: 1}]", "writes[0].surprise"),
        ("writes: [{point: setpoint_w, verbs: {}, surprise: 1}]", "writes[0].surprise"),
        ("writes: [{point: device_mode, modes: {}, surprise: 1}]", "writes[0].surprise"),
    ],
)
def test_a_mistake_in_a_row_is_told_without_its_kind(rows: str, where: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_profile(f"protocol: modbus\n{rows}\n", source="mine.yaml")
    assert f"  line 2: {where}: is not a known key here" in str(error.value)


PROTOCOLS = [get_args(table.model_fields["protocol"].annotation)[0] for table in get_args(Profile)]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_mistake_in_a_device_table_is_told_at_its_own_line(protocol: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_profile(f"protocol: {protocol}\n\nname: 7\n", source="mine.yaml")
    assert "  line 3: name: 7: must be text; quotation marks make it so" in str(error.value)
