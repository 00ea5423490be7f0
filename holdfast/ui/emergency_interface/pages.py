"""The plain pages of the site and of its stop, each made whole of what is known now."""

from collections.abc import Mapping

from holdfast import __version__
from holdfast.core.state_machine import State
from holdfast.monitoring.glance import FLOWS_W
from holdfast.monitoring.language import Language, Phrase
from holdfast.monitoring.quantities.quantity import QuantityName
from holdfast.monitoring.status.schema import Status
from holdfast.ui.emergency_interface.layout import (
    Sight,
    bare_button,
    bare_document,
    document,
    site_now,
    stop_button,
    way_back,
)
from holdfast.ui.emergency_interface.stop import Outcome, StopAnswer
from holdfast.ui.safety_display import catalogue as say
from holdfast.ui.safety_display import display
from holdfast.ui.safety_display.markup import NOTHING, Markup, element, joined

REFRESH_S = 3
STILL = "still"
"""With this query the page does not renew itself: nothing moves under who reads it slowly."""
_NOT_TAKEN: Mapping[Outcome, tuple[Phrase, Phrase]] = {
    Outcome.REFUSED: (say.MAYBE_TAKEN, say.REFUSED),
    Outcome.HANGS: (say.MAYBE_TAKEN, say.HANGS),
    Outcome.ABSENT: (say.NOT_TAKEN, say.ABSENT),
    Outcome.FORBIDDEN: (say.NOT_TAKEN, say.FORBIDDEN),
}
"""Tells in words what became of a stop that was not taken."""
assert _NOT_TAKEN.keys() == set(Outcome) - {Outcome.TAKEN}


def home(sight: Sight, *, still: bool) -> Markup:
    """Shows the site at a glance, with the button that stops it first."""
    language = sight.language
    return document(
        sight,
        sight.site.name,
        element("h1", sight.site.name),
        stop_button(sight),
        site_now(sight),
        _way_to_start(sight),
        element(
            "section",
            element("h2", say.WITHOUT_THIS.told(language)),
            display.ways_to_stop(language),
        ),
        display.contacts(sight.site.contacts, language),
        _footer(language, still=still),
    )


def after_stop(sight: Sight, answer: StopAnswer, *, watchdog_runs: bool) -> Markup:
    """Tells what became of a stop, and what to do now."""
    language = sight.language
    title, why = _in_words(answer)
    taken = answer.outcome is Outcome.TAKEN
    reason = answer.reason
    return document(
        sight,
        title.told(language),
        element("h1", title.told(language), class_="done" if taken else "alarm"),
        _taken(sight, reason)
        if taken
        else _not_taken(language, why, reason, watchdog_runs=watchdog_runs),
        stop_button(sight, say.STOP_AGAIN),
        way_back(language),
        display.contacts(sight.site.contacts, language),
        site_now(sight),
    )


def after_stop_alone(name: str, language: Language, answer: StopAnswer) -> Markup:
    """Tells what became of a stop at the site of this ``name``, when nothing else can be shown."""
    title, why = _in_words(answer)
    return bare_document(
        language,
        f"{title.told(language)} – {name}",
        element("h1", title.told(language)),
        element("p", why.told(language, reason=answer.reason), class_="headline"),
        display.ways_to_stop(language),
        bare_button(language, say.STOP_AGAIN),
        way_back(language),
    )


def _in_words(answer: StopAnswer) -> tuple[Phrase, Phrase]:
    if answer.outcome is Outcome.TAKEN:
        return say.TAKEN, say.CONTROLLER_SAYS
    return _NOT_TAKEN[answer.outcome]


def _taken(sight: Sight, reason: str) -> Markup:
    language, status = sight.language, sight.fresh
    on_disk = status is None or status.latches_on_disk
    lines = [
        say.TAKEN_AT.told(language, time=f"{sight.now.astimezone(sight.zone):%H:%M:%S}"),
        (say.IS_LATCHED if on_disk else say.NOT_ON_DISK).told(language),
        (say.ZERO_SEEN if shows_zero(status) else say.ZERO_NOT_SEEN).told(language),
        say.CONTROLLER_SAYS.told(language, reason=reason),
    ]
    return display.listed(lines)


def _not_taken(language: Language, why: Phrase, reason: str, *, watchdog_runs: bool) -> Markup:
    watchdog = say.WATCHDOG if watchdog_runs else say.NO_WATCHDOG
    return joined(
        element("p", why.told(language, reason=reason), class_="headline fault"),
        element("h2", say.DO_NOW.told(language)),
        display.ways_to_stop(language),
        element("p", watchdog.told(language)),
        element("p", element("code", reason), class_="hint") if reason else NOTHING,
    )


def shows_zero(status: Status | None) -> bool:
    """Says whether the site is stopped, and next to nothing measured at each of its batteries."""
    if status is None or status.state is not State.STOPPED:
        return False
    powers = status.quantities_of(QuantityName.BATTERY_POWER).values()
    return bool(powers) and all(
        quantity.measured is not None and abs(quantity.measured) <= FLOWS_W for quantity in powers
    )


def refusal(name: str, language: Language, text: str) -> Markup:
    """Tells why a request was refused, at the site of this ``name``."""
    title = say.REFUSAL.told(language)
    return bare_document(
        language,
        f"{title} – {name}",
        element("h1", title),
        element("p", text, class_="headline"),
        way_back(language),
    )


def broken(name: str, language: Language) -> Markup:
    """Shows the button alone: for when nothing else of the site can be shown."""
    return bare_document(
        language,
        name,
        element("h1", name),
        bare_button(language),
        element("p", say.BROKEN.told(language), class_="headline"),
        display.ways_to_stop(language),
        way_back(language),
    )


def _way_to_start(sight: Sight) -> Markup:
    if sight.fresh is None or sight.fresh.state is not State.IDLE:
        return NOTHING
    return element("p", element("a", say.START_LINK.told(sight.language), href="/start"))


def _footer(language: Language, *, still: bool) -> Markup:
    if still:
        text, link, href = say.STANDS_STILL.told(language), say.RENEW, "/"
    else:
        text = say.REFRESHES.told(language, seconds=REFRESH_S)
        link, href = say.HOLD_STILL, f"/?{STILL}"
    switch = element("a", link.told(language), href=href)
    return element(
        "footer", element("p", text, " ", switch), element("p", f"Holdfast {__version__}")
    )
