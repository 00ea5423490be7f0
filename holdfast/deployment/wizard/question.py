"""A question has a row: what is asked, when, what is likely, and what counts as an answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from holdfast.core.errors import HoldfastError

Answers = Mapping[str, str]
"""Holds what was answered, by question: as it was understood, in the words of site.yaml."""


class NotAnAnswer(HoldfastError):
    """What was typed answers nothing; the text says what would."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """Is one of several answers."""

    value: str
    text: str = ""
    """Says what it means, where the value alone does not."""


Understand = Callable[[str, Answers], str]
"""Returns what was typed as it is kept. Raises NotAnAnswer."""


def _anything(typed: str, _: Answers) -> str:
    return typed


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteQuestion:
    """Describes one question."""

    key: str
    text: str
    """Asks, in a sentence."""
    help: str = ""
    """Says where the answer is found, or what it means."""
    likely: Callable[[Answers], str] = lambda _: ""
    """Returns what Enter answers; empty: something has to be typed."""
    options: Callable[[Answers], tuple[Option, ...]] = lambda _: ()
    """Returns what there is to choose from; nothing: any text."""
    understand: Understand = _anything
    asked: Callable[[Answers], bool] = lambda _: True

    def take(self, typed: str, answers: Answers) -> str:
        """Returns the answer. Raises NotAnAnswer."""
        text = typed.strip() or self.likely(answers)
        if not text:
            raise NotAnAnswer("please type something")
        options = self.options(answers)
        return self.understand(_chosen(text, options) if options else text, answers)


def _chosen(text: str, options: tuple[Option, ...]) -> str:
    """Returns what is meant by a number or a name of the list."""
    if text.isdecimal() and 1 <= int(text) <= len(options):
        return options[int(text) - 1].value
    for option in options:
        if option.value.lower() == text.lower():
            return option.value
    if len(options) <= 2:
        raise NotAnAnswer(f"{text}: {' or '.join(option.value for option in options)}")
    raise NotAnAnswer(f"{text}: a number from 1 to {len(options)}, or a name of the list")


def number(
    unit: str, low: float, high: float, hint: str = "", *, whole: bool = False
) -> Understand:
    """Returns what understands a number of ``unit`` from ``low`` to ``high``.

    ``hint`` is told where it is not within: a slip of a thousand is the most likely.
    """

    def understand(typed: str, _: Answers) -> str:
        text = typed.replace(",", ".").removesuffix(unit).strip()
        try:
            value = float(text)
        except ValueError:
            raise NotAnAnswer(f"{typed}: a number of {unit}, such as {high / 2:g}") from None
        if not low <= value <= high:
            tail = f"; {hint}" if hint else ""
            raise NotAnAnswer(f"{typed}: from {low:g} to {high:g} {unit}{tail}")
        if whole and value != int(value):
            raise NotAnAnswer(f"{typed}: a whole number")
        return f"{value:g}" if not whole else f"{int(value)}"

    return understand


YES_NO = (Option(value="yes"), Option(value="no"))
