"""The engine follows the rules from one look to the next, and asks for what those that fire ask.

What a rule rests on is not always known, and what is not known is no reason to act: such a rule
does not fire, and says so. What fires is asked for a few minutes at a time, and again while it
holds; if nobody looks any more, it ends by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from holdfast.core.asked_slot import AskedBy, AskedSlot
from holdfast.core.texts import MAX_REASON, shown
from holdfast.scheduling.rules.book import CheckedRule, RuleBook
from holdfast.scheduling.rules.fact_table import Facts, FactValue

ASKED_FOR = timedelta(minutes=10)
"""So long is asked at a time at most,"""
RENEWED_EVERY = ASKED_FOR / 2
"""and anew so often, by the clock: all rules at once, since each time a plan is handed over."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleState:
    """Tells how one rule stands."""

    name: str
    since: datetime | None = None
    """It fires since then; None: it does not."""
    follows: bool = False
    """Says whether its mode, or its bounds if it has none, are asked for."""
    why: str = ""
    """Tells why it fires or not, with the values that made it so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Course:
    """Remembers what one rule has done."""

    held_since: datetime | None = None
    """``when`` holds since then."""
    fired: datetime | None = None
    ended: datetime | None = None
    why: str = "nobody has looked yet"


class RuleEngine:
    """Follows the rules of one book."""

    def __init__(self, book: RuleBook, timezone: str) -> None:
        self.book = book
        self._zone = ZoneInfo(timezone)
        self._courses = [_Course() for _ in book.rules]
        self._slots: tuple[AskedSlot, ...] = ()

    def look(self, now_utc: datetime, facts: Facts) -> None:
        """Looks at what is known now."""
        self._courses = [
            self._followed(checked, course, now_utc, facts)
            for checked, course in zip(self.book.rules, self._courses, strict=True)
        ]
        self._slots = tuple(_slot(*pair, now_utc) for pair in self._firing())

    def asked(self, now_utc: datetime, until: datetime) -> Sequence[AskedSlot]:
        """Returns what is asked for between ``now_utc`` and ``until``; what is followed first."""
        return [slot for slot in self._slots if slot.end > now_utc and slot.start < until]

    @property
    def states(self) -> tuple[RuleState, ...]:
        """Returns how each rule stands, in the order of the file."""
        firing = self._firing()
        leader = next((checked for checked, _ in firing if checked.rule.then.mode), None)
        states = []
        for checked, course in zip(self.book.rules, self._courses, strict=True):
            rule, why = checked.rule, course.why
            beaten = rule.then.mode is not None and checked is not leader
            if course.fired is not None and beaten and leader is not None:
                why += f"; but {leader.rule.name} comes first"
            states.append(
                RuleState(
                    name=rule.name,
                    since=course.fired,
                    follows=course.fired is not None and not beaten,
                    why=why,
                )
            )
        return tuple(states)

    def _firing(self) -> list[tuple[CheckedRule, _Course]]:
        """Returns the rules that fire, the one that is followed first."""
        pairs = zip(self.book.rules, self._courses, strict=True)
        firing = [(checked, course) for checked, course in pairs if course.fired is not None]
        return sorted(firing, key=lambda pair: -pair[0].rule.priority)

    def _followed(
        self, checked: CheckedRule, course: _Course, now_utc: datetime, facts: Facts
    ) -> _Course:
        rule = checked.rule
        if not rule.enabled:
            return _Course(why="is not enabled")
        if rule.until is not None and now_utc.astimezone(self._zone).date() > rule.until:
            return _Course(why=f"its time was over after {rule.until}")
        if course.fired is None:
            return _begun(checked, course, now_utc, facts)
        return _gone_on(checked, course, course.fired, now_utc, facts)


def _begun(checked: CheckedRule, course: _Course, now_utc: datetime, facts: Facts) -> _Course:
    """Returns the course of a rule that did not fire."""
    rule, verdict = checked.rule, checked.when.verdict(facts)
    if verdict.holds is not True:
        why = verdict.why or f"{rule.when} does not hold: {_told(checked.when.used(facts))}"
        return replace(course, held_since=None, why=why)
    # A clock that was set back begins anew.
    since = now_utc if course.held_since is None else min(course.held_since, now_utc)
    held = replace(course, held_since=since)
    if checked.ends_when is not None:
        ends = checked.ends_when.verdict(facts)
        if ends.holds is not False:
            why = ends.why or f"{rule.ends_when} holds already"
            return replace(held, why=why)
    if now_utc - since < timedelta(minutes=rule.for_minutes):
        return replace(held, why=f"holds, but not yet for {rule.for_minutes:g} minutes")
    off = timedelta(minutes=rule.min_off_minutes)
    if course.ended is not None and timedelta(0) <= now_utc - course.ended < off:
        return replace(held, why=f"holds, but ended less than {rule.min_off_minutes:g} minutes ago")
    return replace(held, fired=now_utc, why=_told(checked.when.used(facts)))


def _gone_on(
    checked: CheckedRule, course: _Course, fired: datetime, now_utc: datetime, facts: Facts
) -> _Course:
    """Returns the course of a rule that fired."""
    rule = checked.rule
    ended = _Course(ended=now_utc)
    if checked.ends_when is None:
        verdict, ends_with = checked.when.verdict(facts), False
    else:
        verdict, ends_with = checked.ends_when.verdict(facts), True
    if verdict.holds is None:
        return replace(ended, why=verdict.why)
    on = timedelta(minutes=rule.min_on_minutes)
    if verdict.holds is not ends_with or timedelta(0) <= now_utc - fired < on:
        return course
    expression = checked.when if checked.ends_when is None else checked.ends_when
    word = "holds" if ends_with else "holds no more"
    return replace(ended, why=f"{expression.text} {word}: {_told(expression.used(facts))}")


def _slot(checked: CheckedRule, course: _Course, looked_utc: datetime) -> AskedSlot:
    """Returns what a rule that fires asks for; its end is that of all that fire."""
    rule = checked.rule
    past = (looked_utc - _EPOCH) % RENEWED_EVERY
    return AskedSlot(
        start=min(course.fired or looked_utc, looked_utc),
        end=looked_utc - past + ASKED_FOR,
        by=AskedBy.RULE,
        who=rule.name,
        reason=shown(course.why, MAX_REASON),
        mode=rule.then.mode,
        battery_power_w=rule.then.power_w or 0.0,
        terms=rule.then.terms,
    )


def _told(used: dict[str, FactValue]) -> str:
    return ", ".join(f"{name} = {_value(value)}" for name, value in used.items())


def _value(value: FactValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else f"{value:.4g}"
