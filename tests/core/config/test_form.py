"""A text in another form is refused with what would be right, and a secret is not repeated."""

from typing import Annotated

import pytest
from pydantic import TypeAdapter, ValidationError

from holdfast.core.config.form import EnvVariable, Form

OPEN: TypeAdapter[str] = TypeAdapter(
    Annotated[str, Form(pattern="[A-Z]{2}|[0-9]", right="code such as AT")]
)
SECRET: TypeAdapter[str] = TypeAdapter(
    Annotated[str, Form(pattern="[A-Z]{2}", right="name such as AB", is_secret=True)]
)


@pytest.mark.parametrize("text", ["AT", "7"])
def test_what_has_the_form_is_taken_as_it_is(text: str) -> None:
    assert OPEN.validate_python(text) == text


@pytest.mark.parametrize("text", ["", "A", "ATX", "xAT", "AT\n", "77", "at"])
def test_the_whole_text_must_have_it(text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        OPEN.validate_python(text)
    (error,) = caught.value.errors()
    assert error["msg"] == f"Value error, {text!r} is no code such as AT"


def test_what_is_no_text_is_told_as_such() -> None:
    with pytest.raises(ValidationError, match="valid string"):
        OPEN.validate_python(7)


def test_what_may_be_a_secret_is_not_repeated() -> None:
    assert SECRET.validate_python("AB") == "AB"
    with pytest.raises(ValidationError) as caught:
        SECRET.validate_python("s3cr3t")
    (error,) = caught.value.errors()
    assert error["msg"] == "Value error, this is no name such as AB"


def test_an_editor_is_told_the_pattern_of_the_whole_text() -> None:
    assert OPEN.json_schema() == {"type": "string", "pattern": "^([A-Z]{2}|[0-9])$"}


VARIABLE: TypeAdapter[str] = TypeAdapter(EnvVariable)


@pytest.mark.parametrize("name", ["A", "MQTT_PASSWORD", "B2_"])
def test_a_variable_is_named_in_capitals(name: str) -> None:
    assert VARIABLE.validate_python(name) == name


@pytest.mark.parametrize("name", ["", "s3cr3t", "_A", "2A", "A-B", "Ab"])
def test_what_names_no_variable_may_be_the_password_and_is_not_repeated(name: str) -> None:
    with pytest.raises(ValidationError) as caught:
        VARIABLE.validate_python(name)
    (error,) = caught.value.errors()
    told = "Value error, this is no name of an environment variable, in capitals, such as "
    assert error["msg"].startswith(told)
