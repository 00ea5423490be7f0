"""Contacts are the people to call when the site has stopped; its pages show them."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from holdfast.core.config.form import Form
from holdfast.core.config.section import Section
from holdfast.core.texts import MAX_NAME

_Text = Annotated[str, Field(max_length=MAX_NAME)]
_Phone = Annotated[
    str, Form(pattern=r"\+?[0-9][0-9 /().-]{1,29}", right="number to call, such as +49 30 1234567")
]
MailAddress = Annotated[
    str, Form(pattern=r"[^\s@<>]{1,64}@[^\s@<>]{1,64}", right="address, such as help@example.org")
]


class Contact(Section):
    """Somebody to call."""

    name: Annotated[_Text, Field(min_length=1)]
    """A person, or a company."""
    role: _Text = ""
    """What they are called for, such as service or electrician."""
    phone: _Phone | None = None
    """With the country's code, such as +49 30 1234567."""
    email: MailAddress | None = None
    """Where they read mail."""

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if self.phone is None and self.email is None:
            raise ValueError(f"{self.name}: needs a phone or an email")
        return self
