"""Whoever is to be called can be: a contact without a way to reach it is refused."""

import pytest
from pydantic import ValidationError

from holdfast.core.config.contacts import Contact
from holdfast.core.texts import MAX_NAME
from tests.builders import build_site


def test_contacts_stand_in_site_yaml_in_their_order() -> None:
    site = build_site(
        contacts=[
            {"name": "Solar Ltd", "role": "service", "phone": "+49 (0)30 123/45-67"},
            {"name": "Ann", "email": "ann@example.org"},
        ]
    )
    assert [(one.name, one.role, one.phone, one.email) for one in site.contacts] == [
        ("Solar Ltd", "service", "+49 (0)30 123/45-67", None),
        ("Ann", "", None, "ann@example.org"),
    ]
    assert build_site().contacts == ()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"name": "Ann"}, "Ann: needs a phone or an email"),
        ({"name": "Ann", "phone": "call me"}, "'call me' is no number to call, such as"),
        ({"name": "Ann", "phone": "1"}, "is no number to call"),
        ({"name": "Ann", "phone": "1" * 32}, "is no number to call"),
        ({"name": "Ann", "email": "ann"}, "'ann' is no address, such as"),
        ({"name": "Ann", "email": "a b@c"}, "is no address"),
        ({"name": "Ann", "email": "<a@c"}, "is no address"),
        ({"name": "", "phone": "112"}, "at least 1 character"),
        ({"name": "x" * (MAX_NAME + 1), "phone": "112"}, "at most 100 characters"),
        ({"name": "x", "role": "x" * (MAX_NAME + 1), "phone": "112"}, "at most 100 characters"),
        ({"name": "x", "phone": "112", "fax": "112"}, "fax"),
    ],
)
def test_one_that_cannot_be_called_is_refused_in_words(content: dict[str, str], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Contact.model_validate(content)


def test_the_shortest_and_longest_are_taken() -> None:
    longest = {
        "name": "x" * MAX_NAME,
        "role": "y" * MAX_NAME,
        "phone": "+" + "1" * 30,
        "email": "a" * 64 + "@" + "b" * 64,
    }
    assert Contact.model_validate(longest).phone == longest["phone"]
    assert Contact(name="x", phone="11", email="a@b").email == "a@b"
