"""A message is what one recipient reads: some notices in his language, and what to do first."""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from zoneinfo import ZoneInfo

from holdfast.core.config import Site
from holdfast.core.config.notifications import Recipient
from holdfast.core.signals import SITE
from holdfast.monitoring.language import Language, Phrase
from holdfast.monitoring.notices import Notice, NoticeKind, TimedNotice, may_not_wait, strength
from holdfast.monitoring.notification.conditions import CONDITIONS
from holdfast.monitoring.recovery.meaning import steps_for, what_is
from holdfast.safety.finding import Reaction

MOST_LINES = 8
"""So many notices are told one by one; of more, the first, the last, and what switched off."""


class NoticeUrgency(IntEnum):
    """Tells how loud a telephone may be."""

    INFORMATION = 1
    WARNING = 2
    ALARM = 3


URGENCIES = (
    (Reaction.TRIP, NoticeUrgency.ALARM, Phrase("ALARM", "ALARM")),
    (Reaction.DERATE, NoticeUrgency.WARNING, Phrase("Warning", "Warnung")),
    (Reaction.LOG, NoticeUrgency.INFORMATION, Phrase("Notice", "Hinweis")),
)
"""The first row whose reaction is reached counts."""
_OVER = Phrase("Over", "Vorbei")
_KINDS = {
    NoticeKind.NEW: Phrase("", ""),
    NoticeKind.WORSE: Phrase("worse: ", "schlimmer: "),
    NoticeKind.STILL: Phrase("still: ", "noch immer: "),
    NoticeKind.OVER: Phrase("over: ", "vorbei: "),
}
_MANY = Phrase(
    "{count} notices, the first of {first}, the last of {last}",
    "{count} Meldungen, die erste von {first}, die letzte von {last}",
)
_LEFT_OUT = Phrase("({count} more lie between them)", "({count} weitere liegen dazwischen)")
_STEPS = Phrase("What to do first:", "Was zuerst zu tun ist:")
_LATE = Phrase(
    "Nobody has acknowledged this for {minutes} minutes.",
    "Das hat seit {minutes} Minuten niemand bestätigt.",
)
_ACKNOWLEDGE = Phrase(
    "Acknowledge it by logging in, or with `holdfast notices ack`.",
    "Bestätigen: anmelden, oder `holdfast notices ack`.",
)
_TRIAL = Phrase(
    "This is a test of the notifications: nothing is wrong.",
    "Das ist ein Test, es ist alles in Ordnung.",
)
_TRIAL_TITLE = Phrase("test", "Test")
_MORE = Phrase("and {count} more", "und {count} weitere")


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeMessage:
    """Holds what is sent."""

    id: str
    """Is the same if the same is sent again, because nobody could know that it had arrived."""
    site: str
    urgency: NoticeUrgency
    title: str
    text: str
    notices: tuple[TimedNotice, ...]
    link: str = ""
    """Leads to the pages; empty if nobody has said where they are."""


def compose(
    site: Site, recipient: Recipient, told: Sequence[TimedNotice], left_out: int = 0
) -> NoticeMessage:
    """Returns the message to ``recipient`` that tells of ``told``, of which there is one."""
    language, zone = Language(recipient.language), ZoneInfo(site.timezone)
    units = site.unit_names
    worst = max(
        told, key=lambda one: (one.notice.kind is not NoticeKind.OVER, strength(one.notice))
    )
    urgency, word = urgency_of(worst.notice)
    lines = list(_lines(told, left_out, language, zone, units))
    late = any(may_not_wait(one.notice) for one in told)
    if late and recipient.after_minutes:
        lines = [_LATE.told(language, minutes=recipient.after_minutes), "", *lines]
    if worst.notice.kind is not NoticeKind.OVER:
        steps = _steps(worst.notice, language)
        lines += ["", _STEPS.told(language), *(f"- {step}" for step in steps)] if steps else []
    if late:
        lines += ["", _ACKNOWLEDGE.told(language)]
    link = site.api.public_url or ""
    title = f"{site.name}: {word.told(language)}: {what(worst.notice, language, units)}"
    if len(told) > 1:
        title = f"{title} ({_MORE.told(language, count=len(told) - 1)})"
    return NoticeMessage(
        id=_id(site.name, recipient.name, told),
        site=site.name,
        urgency=urgency,
        title=title,
        text="\n".join([*lines, *(["", link] if link else [])]),
        notices=tuple(told),
        link=link,
    )


def trial(site: Site, recipient: Recipient, now: datetime) -> NoticeMessage:
    """Returns a message by which ``recipient`` sees that he can be told."""
    language = Language(recipient.language)
    text = _TRIAL.told(language)
    notice = Notice(kind=NoticeKind.NEW, owner=SITE, row="test", reaction="log", text=text, times=1)
    return NoticeMessage(
        id=f"test-{now:%Y%m%d%H%M%S%f}",
        site=site.name,
        urgency=NoticeUrgency.INFORMATION,
        title=f"{site.name}: {_TRIAL_TITLE.told(language)}",
        text=text,
        notices=(TimedNotice(utc=now, notice=notice),),
        link=site.api.public_url or "",
    )


def urgency_of(notice: Notice) -> tuple[NoticeUrgency, Phrase]:
    """Returns how urgent a notice is, with its word; that something is over never is."""
    if notice.kind is NoticeKind.OVER:
        return NoticeUrgency.INFORMATION, _OVER
    return next((urgency, word) for least, urgency, word in URGENCIES if strength(notice) >= least)


def what(notice: Notice, language: Language, units: Collection[str] = ()) -> str:
    """Tells what a notice is about; ``units`` are the storage units, of which one needs no name."""
    owner = "" if notice.owner == SITE or set(units) == {notice.owner} else notice.owner
    if notice.row not in CONDITIONS:
        return what_is(owner, notice.row, language)
    text = CONDITIONS[notice.row].meaning.what.told(language)
    return f"{owner}: {text}" if owner else text


def _steps(notice: Notice, language: Language) -> tuple[str, ...]:
    if notice.row in CONDITIONS:
        return tuple(step.told(language) for step in CONDITIONS[notice.row].meaning.steps)
    return steps_for(notice.row, language)


def _lines(
    told: Sequence[TimedNotice],
    left_out: int,
    language: Language,
    zone: ZoneInfo,
    units: Collection[str],
) -> Iterator[str]:
    shown = told
    if len(told) + left_out > MOST_LINES:
        first, last = (f"{one.utc.astimezone(zone):%Y-%m-%d %H:%M}" for one in (told[0], told[-1]))
        yield _MANY.told(language, count=len(told) + left_out, first=first, last=last)
        strong = [one for one in told[1:-1] if may_not_wait(one.notice)][: MOST_LINES - 2]
        shown = [told[0], *strong, told[-1]]
        yield _LEFT_OUT.told(language, count=len(told) + left_out - len(shown))
        yield ""
    for one in shown:
        kind = _KINDS[one.notice.kind].told(language)
        at = f"{one.utc.astimezone(zone):%Y-%m-%d %H:%M}"
        yield f"{at}  {kind}{what(one.notice, language, units)}"
        if one.notice.kind is not NoticeKind.OVER:
            yield f"    {one.notice.text}"


def _id(site: str, recipient: str, told: Sequence[TimedNotice]) -> str:
    parts = [site, recipient, *(f"{one.utc.isoformat()} {one.notice}" for one in told)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
