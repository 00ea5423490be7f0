"""Notices tell people what has changed, and not again and again that it still is so.

It is pure: findings go in, notices come out, with the memory for the next look. One notice is made
of each change of a finding. What comes and goes is told once, and then again by the rows of a table
alone; that it is over is told once, when it has stayed away for a while. What is stronger than what
was told does not wait.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from pydantic import AwareDatetime, TypeAdapter

from holdfast.core.units import NS_PER_S
from holdfast.monitoring.status.schema import FindingStatus
from holdfast.safety.finding import Reaction

_MINUTE_NS, _HOUR_NS = 60 * NS_PER_S, 3600 * NS_PER_S
QUIET_NS = 10 * _MINUTE_NS
"""A finding has one notice in this time at most, unless it becomes worse."""
OVER_AFTER_NS = 5 * _MINUTE_NS
"""What has stayed away for so long is over."""
MOST_AN_HOUR = 6
"""More notices nobody reads; what takes the site out of operation is told all the same."""
AT_ONCE = Reaction.TRIP
"""From this reaction on a notice waits for nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatRow:
    """A row says after how long what still is so, or comes again and again, is told anew."""

    after_ns: int
    words: str


REPEATS = (
    RepeatRow(after_ns=1 * _HOUR_NS, words="for an hour"),
    RepeatRow(after_ns=6 * _HOUR_NS, words="for six hours"),
    RepeatRow(after_ns=24 * _HOUR_NS, words="for a day"),
    RepeatRow(after_ns=72 * _HOUR_NS, words="for three days"),
    RepeatRow(after_ns=168 * _HOUR_NS, words="for a week"),
)
"""After the last one nothing is told until it is over."""
assert all(a.after_ns < b.after_ns for a, b in itertools.pairwise(REPEATS))


class NoticeKind(StrEnum):
    """Tells what has changed."""

    NEW = "new"
    WORSE = "worse"
    STILL = "still"
    """It still is so, or comes again and again."""
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Holds what a person is told."""

    kind: NoticeKind
    owner: str
    row: str
    reaction: str
    text: str
    times: int
    """It came so many times since it was new."""

    @property
    def key(self) -> str:
        """Returns ``owner/row``."""
        return f"{self.owner}/{self.row}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedNotice:
    """Holds a notice and when it was made."""

    utc: AwareDatetime
    notice: Notice


_NOTICES = TypeAdapter(tuple[TimedNotice, ...])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """Remembers one finding."""

    last: FindingStatus
    """As it was when it was last seen."""
    began_ns: int
    seen_ns: int
    here: bool = True
    times: int = 1
    strongest: Reaction | None = None
    """The strongest that was told; None: nothing of it was."""
    repeats: int = 0
    """So many rows of the table were told."""
    told_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeMemory:
    """Holds what was told of which finding, and when the last notices were."""

    findings: Mapping[str, _Told] = field(default_factory=dict)
    sent_ns: tuple[int, ...] = ()


def notices(
    memory: NoticeMemory, findings: Iterable[FindingStatus], now_ns: int
) -> tuple[list[Notice], NoticeMemory]:
    """Returns what is to be told now, the strongest first, and the memory for the next look."""
    present = {f"{found.owner}/{found.row}": found for found in findings}
    kept = {
        key: _seen(memory.findings.get(key), present.get(key), now_ns)
        for key in dict.fromkeys((*memory.findings, *present))
    }
    sent = [at for at in memory.sent_ns if 0 <= now_ns - at < _HOUR_NS]
    told: list[Notice] = []
    for key in sorted(kept, key=lambda key: -_reaction(kept[key].last)):
        one = kept[key]
        notice = _due(one, now_ns)
        if notice is not None and (len(sent) < MOST_AN_HOUR or may_not_wait(notice)):
            told.append(notice)
            sent.append(now_ns)
            kept[key] = one = _after(one, notice, now_ns)
        if _is_over(one, now_ns) and (one.strongest is None or _was_told_over(notice, told)):
            del kept[key]
    return told, NoticeMemory(findings=kept, sent_ns=tuple(sent))


def _seen(before: _Told | None, found: FindingStatus | None, now_ns: int) -> _Told:
    if before is None:
        assert found is not None
        return _Told(last=found, began_ns=now_ns, seen_ns=now_ns)
    if found is None:
        return replace(before, here=False)
    return replace(
        before, last=found, seen_ns=now_ns, here=True, times=before.times + (not before.here)
    )


def _due(one: _Told, now_ns: int) -> Notice | None:
    """Returns what is to be told of one finding; None if nothing is, or not yet."""
    if one.strongest is None:
        # What has gone before there was room to tell it is no news any more.
        return _notice(NoticeKind.NEW, one) if one.here else None
    if one.here and _reaction(one.last) > one.strongest:
        return _notice(NoticeKind.WORSE, one)
    if now_ns - one.told_ns < QUIET_NS:
        return None
    if _is_over(one, now_ns):
        return _notice(NoticeKind.OVER, one)
    row = REPEATS[one.repeats] if one.repeats < len(REPEATS) else None
    if row is not None and now_ns - one.began_ns >= row.after_ns:
        return _notice(NoticeKind.STILL, one, row.words)
    return None


def _notice(kind: NoticeKind, one: _Told, words: str = "") -> Notice:
    text = one.last.text
    if kind is NoticeKind.STILL:
        again = f", {one.times} times" if one.times > 1 else ""
        text = f"{text} ({words}{again})"
    return Notice(
        kind=kind,
        owner=one.last.owner,
        row=one.last.row,
        reaction=one.last.reaction,
        text=text,
        times=one.times,
    )


def _after(one: _Told, notice: Notice, now_ns: int) -> _Told:
    """Returns what is remembered once ``notice`` was told."""
    passed = sum(now_ns - one.began_ns >= row.after_ns for row in REPEATS)
    strongest = max(one.strongest or Reaction.LOG, _reaction(one.last))
    repeats = passed if notice.kind is NoticeKind.STILL else one.repeats
    return replace(one, strongest=strongest, repeats=repeats, told_ns=now_ns)


def _is_over(one: _Told, now_ns: int) -> bool:
    return not one.here and not 0 <= now_ns - one.seen_ns < OVER_AFTER_NS


def _was_told_over(notice: Notice | None, told: Sequence[Notice]) -> bool:
    return notice is not None and notice.kind is NoticeKind.OVER and notice in told


def decode_notices(content: bytes) -> tuple[TimedNotice, ...]:
    """Returns what people were told, the oldest first. Raises ValueError."""
    return _NOTICES.validate_json(content)


def strength(notice: Notice) -> Reaction:
    """Returns how strong the finding is that it tells of."""
    return Reaction[notice.reaction.upper()]


def may_not_wait(notice: Notice) -> bool:
    """Says whether it tells that the site was switched off."""
    return strength(notice) >= AT_ONCE and notice.kind in (NoticeKind.NEW, NoticeKind.WORSE)


def moved(memory: NoticeMemory, by_ns: int) -> NoticeMemory:
    """Returns the memory by another clock, which is ahead by ``by_ns``: the computer was started
    anew."""
    return NoticeMemory(
        findings={
            key: replace(
                one,
                began_ns=one.began_ns + by_ns,
                seen_ns=one.seen_ns + by_ns,
                told_ns=one.told_ns + by_ns,
            )
            for key, one in memory.findings.items()
        },
        sent_ns=tuple(at + by_ns for at in memory.sent_ns),
    )


def _reaction(found: FindingStatus) -> Reaction:
    return Reaction[found.reaction.upper()]
