"""The catalogue: every text in both languages, with the same values in it."""

import string
from collections.abc import Iterator, Mapping

import pytest

from holdfast.monitoring import glance_words
from holdfast.monitoring.language import Phrase
from holdfast.ui.safety_display import catalogue

SAME = {"Name", "{what}."}
"""What is called the same in both."""


def phrases(told: object) -> Iterator[Phrase]:
    match told:
        case Phrase():
            yield told
        case Mapping():
            for one in told.values():
                yield from phrases(one)
        case tuple():
            for one in told:
                yield from phrases(one)


ALL = {
    f"{module.__name__.rpartition('.')[2]}.{name}.{at}": phrase
    for module in (catalogue, glance_words)
    for name, told in vars(module).items()
    if name.isupper()
    for at, phrase in enumerate(phrases(told))
}


def values_of(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("name", ALL)
def test_a_text_is_there_in_each_language_with_the_same_values(name: str) -> None:
    phrase = ALL[name]
    assert phrase.en.strip()
    assert phrase.de.strip()
    assert values_of(phrase.en) == values_of(phrase.de)
    assert phrase.en.count("`") == phrase.de.count("`")
    assert phrase.en != phrase.de or phrase.en in SAME


def test_there_are_texts() -> None:
    assert len(ALL) > 80
