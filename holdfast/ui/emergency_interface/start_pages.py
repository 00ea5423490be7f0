"""The plain pages of a start: what it will do, who asks for it, and what became of it."""

from collections.abc import Sequence

from holdfast.core.state_machine import State
from holdfast.monitoring.language import Language
from holdfast.ui.emergency_interface.layout import (
    Sight,
    document,
    site_now,
    stop_button,
    way_back,
)
from holdfast.ui.emergency_interface.start import StartAnswer
from holdfast.ui.safety_display import catalogue as say
from holdfast.ui.safety_display import display
from holdfast.ui.safety_display.markup import Markup, element, joined

_FIELDS = (
    # name, its label, what a browser needs to know of it
    ("name", say.NAME, {"type": "text", "autocomplete": "username", "required": ""}),
    (
        "password",
        say.PASSWORD,
        {"type": "password", "autocomplete": "current-password", "required": ""},
    ),
    (
        "code",
        say.CODE,
        {"type": "text", "autocomplete": "one-time-code", "inputmode": "numeric"},
    ),
)
MARK = "mark"
"""The hidden field that makes a form one that can be sent once."""


def before_start(sight: Sight, mark: str | None) -> Markup:
    """Says what a start will do, and asks who it is; ``mark`` is that of a new form, or None if
    nobody can log in here."""
    language, site = sight.language, sight.site
    hindrances = _hindrances(sight)
    parts = [element("p", _start_does(sight)), element("p", say.START_ASKS.told(language))]
    if hindrances:
        parts += [element("p", say.START_NOT_NOW.told(language)), display.listed(hindrances)]
    elif mark is None:
        parts += [element("p", display.with_code(say.LOGIN_ELSEWHERE, language))]
    else:
        parts += [_start_form(mark, language)]
    return document(
        sight,
        say.START.told(language),
        element("h1", f"{say.START.told(language)}: {site.name}"),
        *parts,
        way_back(language),
        stop_button(sight),
    )


def after_start(sight: Sight, answer: StartAnswer) -> Markup:
    """Tells what became of a start."""
    language = sight.language
    title = (say.STARTED if answer.started else say.NOT_STARTED).told(language)
    return document(
        sight,
        title,
        element("h1", title),
        element("p", answer.reason, class_="headline"),
        stop_button(sight),
        way_back(language),
        site_now(sight),
    )


def _start_does(sight: Sight) -> str:
    site = sight.site
    if site.authority == "observe":
        return say.START_OBSERVES.told(sight.language)
    most_w = site.limited_power_w if site.authority == "limited" else float("inf")
    return say.START_DOES.told(
        sight.language,
        charge=min(site.charge_power_max_w, most_w),
        discharge=min(site.discharge_power_max_w, most_w),
    )


def _hindrances(sight: Sight) -> Sequence[str]:
    status = sight.fresh
    if status is None:
        return (say.NO_DATA.told(sight.language),)
    if status.state is not State.IDLE:
        state = say.STATES[status.state].told(sight.language)
        return (say.START_STATE.told(sight.language, state=state),)
    return status.waits_for


def _start_form(mark: str, language: Language) -> Markup:
    fields = (
        joined(
            element("label", label.told(language), for_=name),
            element("input", id=name, name=name, **traits),
        )
        for name, label, traits in _FIELDS
    )
    return element(
        "form",
        element("input", type="hidden", name=MARK, value=mark),
        *fields,
        element("button", say.START.told(language), type="submit", class_="go"),
        method="post",
        action="/start",
    )
