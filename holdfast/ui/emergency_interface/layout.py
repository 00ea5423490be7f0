"""What the plain pages have in common: what they are made of, their frame, and the red button."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from holdfast.core.config import Site
from holdfast.monitoring.glance import glance
from holdfast.monitoring.language import Language, Phrase
from holdfast.monitoring.status.schema import Status
from holdfast.ui.safety_display import catalogue as say
from holdfast.ui.safety_display import display
from holdfast.ui.safety_display.markup import NOTHING, Markup, element, joined


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Holds what a page is made of: the site, what it tells now, and for whom."""

    site: Site
    status: Status | None
    """Holds the last status, however old."""
    age_s: float | None
    now: datetime
    language: Language

    @property
    def zone(self) -> ZoneInfo:
        """Returns the time zone in which times are told."""
        return ZoneInfo(self.site.timezone)

    @property
    def fresh(self) -> Status | None:
        """Returns the status if it tells of now."""
        unknown = glance(self.status, self.age_s).verdict == "unknown"
        return None if unknown else self.status


def document(sight: Sight, title: str, *content: Markup) -> Markup:
    """Returns a whole page of a site."""
    name = sight.site.name
    whole = title if title == name else f"{title} – {name}"
    return bare_document(sight.language, whole, *content)


def bare_document(language: Language, title: str, *content: Markup) -> Markup:
    """Returns a whole page that needs nothing of the site."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("link", rel="stylesheet", href="/style.css"),
    )
    body = element("body", element("main", *content))
    return joined(Markup("<!DOCTYPE html>\n"), element("html", head, body, lang=language))


def site_now(sight: Sight) -> Markup:
    """Shows how the site is: the verdict, what is latched, what is wrong, and of when that is."""
    fresh = sight.fresh
    return joined(
        display.verdict(glance(sight.status, sight.age_s, sight.language), sight.language),
        display.latched(fresh, sight.language) if fresh else NOTHING,
        display.findings(fresh, sight.language) if fresh else NOTHING,
        display.state(sight.status, sight.age_s, sight.now, sight.zone, sight.language),
    )


def stop_button(sight: Sight, words: Phrase = say.STOP) -> Markup:
    """Returns the red button, and what it does."""
    language = sight.language
    hint = say.STOP_IN_VAIN if sight.site.authority == "observe" else say.STOP_HINT
    return joined(bare_button(language, words), element("p", hint.told(language), class_="hint"))


def bare_button(language: Language, words: Phrase = say.STOP) -> Markup:
    """Returns the red button alone."""
    button = element("button", words.told(language), type="submit")
    return element("form", button, method="post", action="/estop", class_="stop")


def way_back(language: Language) -> Markup:
    """Returns the link to how the site is now."""
    return element("p", element("a", say.BACK.told(language), href="/"))
