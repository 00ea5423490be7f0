"""The parts of the safety display: each is a piece of HTML made of what the controller tells."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from holdfast.core.config.contacts import Contact
from holdfast.monitoring.glance import Glance
from holdfast.monitoring.language import Language, Phrase
from holdfast.monitoring.recovery.latched import LatchedFault, latched_faults
from holdfast.monitoring.recovery.meaning import owner_shown, steps_for, what_is
from holdfast.monitoring.status.schema import FindingStatus, Status
from holdfast.ui.safety_display import catalogue as say
from holdfast.ui.safety_display.markup import NOTHING, Markup, element, joined

MOST_SHOWN = 30
"""So many findings are shown; a brief status tells fewer."""


def verdict(seen: Glance, language: Language) -> Markup:
    """Shows whether the site is safe, in a word, a sentence and some lines."""
    return element(
        "section",
        element("h2", say.VERDICTS[seen.verdict].told(language), class_="word"),
        element("p", seen.headline, class_="headline"),
        listed(seen.lines),
        class_=f"verdict {seen.verdict} {seen.kind}",
    )


def state(
    status: Status | None, age_s: float | None, now: datetime, zone: ZoneInfo, language: Language
) -> Markup:
    """Shows the state, of when it is, and when that was shown: a page that stands still is seen."""
    rows = []
    if status is not None and age_s is not None:
        told = f"{status.utc.astimezone(zone):%H:%M:%S}"
        rows += [
            (say.STATE, say.STATES[status.state].told(language)),
            (say.AS_OF, say.OLD.told(language, time=told, age_s=age_s)),
        ]
    else:
        rows += [(say.STATE, say.NO_DATA.told(language))]
    rows += [(say.SHOWN_AT, f"{now.astimezone(zone):%H:%M:%S}")]
    return element(
        "section",
        element("h2", say.NOW.told(language)),
        element(
            "dl",
            *(
                joined(element("dt", name.told(language)), element("dd", value))
                for name, value in rows
            ),
        ),
    )


def latched(status: Status, language: Language) -> Markup:
    """Shows what is latched, who may reset it, and what to do; nothing if nothing is."""
    faults = latched_faults(status, language)
    if not faults:
        return NOTHING
    shown = (_latched_fault(fault, language) for fault in faults[:MOST_SHOWN])
    return element("section", element("h2", say.LATCHED.told(language)), *shown)


def _latched_fault(fault: LatchedFault, language: Language) -> Markup:
    who = say.CLEARED_BY[fault.cleared_by].told(language)
    return element(
        "article",
        element("h3", fault.text),
        element("p", element("code", fault.row)),
        element("p", element("b", f"{say.RESET_BY.told(language)}: "), who),
        element("h4", say.WHAT_TO_DO.told(language)),
        listed(fault.steps, "ol"),
        class_="latched",
    )


def findings(status: Status, language: Language) -> Markup:
    """Shows what is not as it should be, with what to do folded away; nothing if all is well."""
    if not status.findings:
        return NOTHING
    shown = (_finding(status, found, language) for found in status.findings[:MOST_SHOWN])
    return element("section", element("h2", say.FINDINGS.told(language)), *shown)


def _finding(status: Status, found: FindingStatus, language: Language) -> Markup:
    return element(
        "details",
        element("summary", what_is(owner_shown(status, found.owner), found.row, language)),
        # The controller tells it, with the values, in English.
        element("p", f"{found.level}, {found.reaction}: {found.text}", lang=Language.EN),
        listed(steps_for(found.row, language), "ol"),
    )


def ways_to_stop(language: Language) -> Markup:
    """Lists the ways to stop the site that need nothing of this page."""
    return listed([phrase.told(language) for phrase in say.WAYS], "ol")


def contacts(people: Sequence[Contact], language: Language) -> Markup:
    """Shows whom to call."""
    return element(
        "section",
        element("h2", say.CONTACTS.told(language)),
        element("p", say.FIRE.told(language), class_="fire"),
        element("ul", *map(_contact, people))
        if people
        else element("p", with_code(say.NO_CONTACTS, language)),
    )


def _contact(person: Contact) -> Markup:
    reached = [
        element("a", text, href=f"{scheme}:{target}")
        for scheme, text, target in (
            ("tel", person.phone, _digits(person.phone or "")),
            ("mailto", person.email, person.email),
        )
        if text is not None
    ]
    name = joined(element("b", person.name), f" ({person.role})" if person.role else "")
    return element("li", name, *(joined(" ", one) for one in reached))


def _digits(phone: str) -> str:
    """Returns what a telephone dials; a zero in brackets is dialled at home only."""
    dialled = phone.replace("(0)", "") if phone.startswith("+") else phone
    return "".join(character for character in dialled if character.isdigit() or character == "+")


def listed(texts: Iterable[str], kind: str = "ul") -> Markup:
    """Returns a list of ``texts``; nothing if there are none."""
    items = [element("li", _coded(text)) for text in texts]
    return element(kind, *items) if items else NOTHING


def with_code(phrase: Phrase, language: Language, **values: object) -> Markup:
    """Returns a phrase whose commands, between backquotes, are shown as such."""
    return _coded(phrase.told(language, **values))


def _coded(text: str) -> Markup:
    """Shows what stands between two backquotes as code.

    >>> _coded("run `holdfast <estop>` now")
    'run <code>holdfast &lt;estop&gt;</code> now'
    """
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return joined(text)
    return joined(*(element("code", part) if at % 2 else part for at, part in enumerate(parts)))
