"""The reports of an incident that the EU's Cyber Resilience Act asks for in its Article 14.

What the audit log tells is filled in. What only a person can know is a question, and stays one: a
report that guesses is worse than one that is late.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from holdfast.client.audit_category import Category, Classified, Result, classify
from holdfast.monitoring.audit.events import AuditEvent, FindingRaised, ProcessStarted
from holdfast.monitoring.audit.log_lines import Line, event_of
from holdfast.monitoring.audit.text import describe

SHOWN = 200
"""So many lines are told at most; a report is read by people, and the log goes with it."""


class ReportKind(StrEnum):
    """Names the reports in their order."""

    EARLY_WARNING = "early-warning"
    NOTIFICATION = "notification"
    FINAL = "final"


class Subject(StrEnum):
    """Tells what is reported: the last report of each is due at another time."""

    VULNERABILITY = "vulnerability"
    """One in Holdfast is actively exploited."""
    INCIDENT = "incident"
    """A severe incident with an impact on the security of Holdfast."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldEvent:
    """Holds a line of the log that matters for security."""

    sequence: int
    utc: str
    category: Category
    source: str
    result: Result
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFacts:
    """Holds what the audit log tells of the time in question."""

    first_utc: str | None
    last_utc: str | None
    lines: int
    versions: tuple[str, ...]
    """Names the versions of Holdfast that started meanwhile."""
    configurations: tuple[str, ...]
    """Holds the digests of site.yaml that were started with meanwhile."""
    counts: dict[str, int]
    """Counts events by category and result."""
    sources_refused: tuple[str, ...]
    """Names who was refused, the most frequent first."""
    told: tuple[ToldEvent, ...]
    left_out: int
    """Counts lines that matter and are not among ``told``, which are the first ones."""
    unknown: int
    """Counts lines of another version, which this one cannot tell."""

    @classmethod
    def of(cls, oldest_first: Iterable[Line]) -> Self:
        """Gathers the facts of these lines."""
        lines = list(oldest_first)
        events = [(line, event) for line in lines if (event := event_of(line)) is not None]
        seen = [(line, event, classify(event)) for line, event in events]
        starts = [event for _, event in events if isinstance(event, ProcessStarted)]
        matter = [one for one in seen if _matters(one[1], one[2])]
        refused = Counter(found.source for _, _, found in seen if found.result is Result.REFUSED)
        return cls(
            first_utc=lines[0].utc if lines else None,
            last_utc=lines[-1].utc if lines else None,
            lines=len(lines),
            versions=tuple(dict.fromkeys(start.version for start in starts)),
            configurations=tuple(dict.fromkeys(start.config_sha256 for start in starts)),
            counts=dict(
                sorted(Counter(f"{each.category} {each.result}" for _, _, each in seen).items())
            ),
            sources_refused=tuple(source for source, _ in refused.most_common()),
            told=tuple(_told(*one) for one in matter[:SHOWN]),
            left_out=max(len(matter) - SHOWN, 0),
            unknown=len(lines) - len(events),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Asks for what only a person can know; ``answer`` is what he is to put in its place."""

    topic: str
    asks: str
    answer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentReport:
    """Holds one report, with facts filled in and questions open."""

    kind: ReportKind
    subject: Subject
    product: str
    site: str
    aware: datetime | None
    """Tells when somebody became aware; None: a person has to say."""
    due: datetime | None
    """Tells when it has to be with the authorities; None where that follows from what is open."""
    due_rule: str
    facts: LogFacts
    log_is_whole: bool
    log_end: str
    """Gives number and hash of the last line, or what is wrong with the log."""
    questions: tuple[Question, ...]


_DUE = {
    ReportKind.EARLY_WARNING: (timedelta(hours=24), "24 hours after somebody became aware"),
    ReportKind.NOTIFICATION: (timedelta(hours=72), "72 hours after somebody became aware"),
}
_LAST = {
    Subject.VULNERABILITY: "14 days after a corrective or mitigating measure is available",
    Subject.INCIDENT: "one month after the notification was handed in",
}
_AWARE = Question(topic="Aware since", asks="when did who become aware, and by what?")
_WHO = Question(topic="Reporter", asks="manufacturer, name and reach of who reports")
_WHERE = Question(topic="Member States", asks="in which is the product made available?")
_MALICE = Question(topic="Cause", asks="is an unlawful or malicious act suspected? why?")
_NATURE = Question(topic="Nature", asks="what kind of vulnerability or incident is it, in words?")
_EXPLOIT = Question(topic="Exploit", asks="how is it exploited, as far as is known?")
_FIRST_JUDGEMENT = Question(topic="First judgement", asks="how severe is it, and for whom?")
_DONE = Question(topic="Measures taken", asks="what was done against it, and since when?")
_USERS = Question(topic="Measures for users", asks="what can owners do now?")
_SENSITIVE = Question(topic="Sensitivity", asks="how sensitive is this report?")
_SEVERITY = Question(topic="Severity and impact", asks="how severe was it, and what followed?")
_ACTOR = Question(topic="Actor", asks="what is known of who has exploited it?")
_ROOT = Question(topic="Root cause", asks="what kind of threat or cause is the likely one?")
_UPDATE = Question(topic="Update", asks="which version mends it, since when, and what else does?")
_QUESTIONS = {
    (ReportKind.EARLY_WARNING, Subject.VULNERABILITY): (_WHO, _WHERE),
    (ReportKind.EARLY_WARNING, Subject.INCIDENT): (_WHO, _MALICE, _WHERE),
    (ReportKind.NOTIFICATION, Subject.VULNERABILITY): (
        _WHO, _NATURE, _EXPLOIT, _DONE, _USERS, _SENSITIVE,
    ),
    (ReportKind.NOTIFICATION, Subject.INCIDENT): (
        _WHO, _NATURE, _FIRST_JUDGEMENT, _DONE, _USERS, _SENSITIVE,
    ),
    (ReportKind.FINAL, Subject.VULNERABILITY): (_WHO, _SEVERITY, _ACTOR, _UPDATE),
    (ReportKind.FINAL, Subject.INCIDENT): (_WHO, _SEVERITY, _ROOT, _DONE),
}  # fmt: skip


def questions_of(
    kind: ReportKind, subject: Subject, aware: datetime | None
) -> tuple[Question, ...]:
    """Returns what a person has to fill in."""
    asked = _QUESTIONS[kind, subject]
    return asked if aware is not None else (_AWARE, *asked)


def due_of(
    kind: ReportKind, subject: Subject, aware: datetime | None
) -> tuple[datetime | None, str]:
    """Returns when a report is due, if that is known, and by which rule."""
    if kind is ReportKind.FINAL:
        return None, _LAST[subject]
    after, rule = _DUE[kind]
    return (None if aware is None else aware + after), rule


def _matters(event: AuditEvent, found: Classified) -> bool:
    """Plans, setpoints and passing findings come by the thousand, and tell of no attack."""
    if isinstance(event, FindingRaised):
        return event.level == "trip"
    if found.category in {Category.CONTROL_SYSTEM, Category.OPERATING_SYSTEM}:
        return found.result is Result.FAILED or event.kind in {"command", "operator", "latches"}
    return not (event.kind == "plan_refused" or (event.kind == "log_opened" and not event.found))


def _told(line: Line, event: AuditEvent, found: Classified) -> ToldEvent:
    return ToldEvent(
        sequence=line.sequence,
        utc=line.utc,
        category=found.category,
        source=found.source,
        result=found.result,
        text=describe(event),
    )
