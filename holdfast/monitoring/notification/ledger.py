"""A ledger holds what one recipient was told and is to be told; here is the policy of it, pure.

Notices wait in it until they may go, together in one message: at most six of those an hour, of
which two are kept for what switches the site off; in quiet hours nothing but that. What was told is
told once, and that it is over only to whom it was told. What could not be sent stays.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime

from holdfast.core.config.local_window import lies_in
from holdfast.core.config.notifications import Recipient
from holdfast.core.texts import MAX_REASON, shown
from holdfast.monitoring.notices import Notice, NoticeKind, TimedNotice, may_not_wait, strength
from holdfast.safety.finding import Reaction

MOST_AN_HOUR = 6
KEPT_FOR_STRONG = 2
"""So many of them are for what switches the site off alone."""
MAX_WAITING = 50
"""So many notices wait; then the oldest but the first goes, and is counted: with it goes that it is
over, if he is told of nothing else of it."""
MAX_KNOWN = 200
_HOUR = timedelta(hours=1)
_LONGEST_WAIT = timedelta(hours=25)
"""No try is put off for longer: the clock was set back."""
UNREACHABLE_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Holds all that is remembered of one recipient."""

    waiting: tuple[TimedNotice, ...] = ()
    """Is to be told, the oldest first."""
    left_out: int = 0
    """Counts what found no room among them."""
    known: Mapping[str, Notice] = field(default_factory=dict)
    """Is what he knows of, or will: the last notice of each finding that is not over."""
    told: tuple[str, ...] = ()
    """Holds the keys of findings that he was told of, and not yet that they are over."""
    alarms: tuple[TimedNotice, ...] = ()
    """Is told unless somebody acknowledges it before."""
    sent: tuple[AwareDatetime, ...] = ()
    """Tells when he was told in the last hour."""
    delivered: int = 0
    failed: int = 0
    failures: int = 0
    """Counts tries that failed one after the other."""
    failing_since: AwareDatetime | None = None
    last_error: str = ""
    retry_at: AwareDatetime | None = None
    last_told: AwareDatetime | None = None

    def unreachable(self, now: datetime) -> bool:
        """Says whether nothing could be delivered for a day."""
        since = self.failing_since
        return since is not None and now - since >= UNREACHABLE_AFTER


def take(recipient: Recipient, ledger: Ledger, told: Iterable[TimedNotice]) -> Ledger:
    """Returns the ledger with what of ``told`` concerns him."""
    for timed in told:
        ledger = _take_one(recipient, ledger, timed)
    return ledger


def _take_one(recipient: Recipient, ledger: Ledger, timed: TimedNotice) -> Ledger:
    notice = timed.notice
    before = ledger.known.get(notice.key)
    wanted = notice.kind in recipient.kinds
    if notice.kind is NoticeKind.OVER:
        alarms = tuple(alarm for alarm in ledger.alarms if alarm.notice.key != notice.key)
        known = {key: value for key, value in ledger.known.items() if key != notice.key}
        changed = replace(ledger, alarms=alarms, known=known)
        return _waits(changed, timed) if before is not None and wanted else changed
    if (
        not wanted
        or strength(notice) < Reaction[recipient.least.upper()]
        or _is_old(before, notice)
    ):
        return ledger
    if not recipient.after_minutes:
        return _waits(_knows(ledger, notice), timed)
    if may_not_wait(notice) and before is None:
        return replace(ledger, alarms=(*ledger.alarms, timed)[-MAX_WAITING:])
    return ledger


def _is_old(before: Notice | None, notice: Notice) -> bool:
    """Says whether he knows that already: after a restart it may come again."""
    if before is None:
        return False
    if notice.kind is NoticeKind.NEW:
        return strength(notice) <= strength(before)
    return (notice.kind, notice.text) == (before.kind, before.text)


def _waits(ledger: Ledger, timed: TimedNotice) -> Ledger:
    waiting = [*ledger.waiting, timed]
    if len(waiting) <= MAX_WAITING:
        return replace(ledger, waiting=tuple(waiting))
    # The first says when it began; what switched the site off is what counts.
    weak = (at for at, one in enumerate(waiting) if at and not may_not_wait(one.notice))
    del waiting[next(weak, 1)]
    rest, told = _tellable(waiting, ledger.told)
    return replace(
        ledger,
        waiting=rest,
        left_out=ledger.left_out + len(ledger.waiting) + 1 - len(rest),
        known={key: value for key, value in ledger.known.items() if key in told},
    )


def _tellable(
    notices: Iterable[TimedNotice], told: Iterable[str]
) -> tuple[tuple[TimedNotice, ...], frozenset[str]]:
    """Returns what of ``notices`` can be told to somebody who was ``told`` of these findings, and
    of which he knows then: that something is over says nothing to who never heard of it."""
    rest, open_keys = [], set(told)
    for one in notices:
        key = one.notice.key
        if one.notice.kind is not NoticeKind.OVER:
            open_keys.add(key)
        elif key not in open_keys:
            continue
        else:
            open_keys.discard(key)
        rest.append(one)
    return tuple(rest), frozenset(open_keys)


def _knows(ledger: Ledger, notice: Notice) -> Ledger:
    known = {key: value for key, value in ledger.known.items() if key != notice.key}
    return replace(ledger, known=dict([*known.items(), (notice.key, notice)][-MAX_KNOWN:]))


def escalate(
    recipient: Recipient, ledger: Ledger, now: datetime, acknowledged: datetime | None
) -> Ledger:
    """Returns the ledger once alarms were acknowledged, or have waited for that in vain."""
    rest = []
    after = timedelta(minutes=recipient.after_minutes)
    for alarm in ledger.alarms:
        if acknowledged is not None and acknowledged >= alarm.utc:
            continue
        if now - alarm.utc >= after:
            ledger = _waits(_knows(ledger, alarm.notice), alarm)
        else:
            rest.append(alarm)
    return replace(ledger, alarms=tuple(rest))


def due(
    recipient: Recipient, ledger: Ledger, now: datetime, zone: ZoneInfo
) -> Sequence[TimedNotice]:
    """Returns what one message may tell him now; empty if nothing is to be sent."""
    if ledger.retry_at is not None and timedelta() < ledger.retry_at - now <= _LONGEST_WAIT:
        return ()
    quiet = any(lies_in(window, now, zone) for window in recipient.quiet_hours)
    ready = [one for one in ledger.waiting if not quiet or may_not_wait(one.notice)]
    room = MOST_AN_HOUR - len(_within_the_hour(ledger, now))
    if not any(may_not_wait(one.notice) for one in ready):
        room -= KEPT_FOR_STRONG
    return ready if room > 0 else ()


def _within_the_hour(ledger: Ledger, now: datetime) -> tuple[datetime, ...]:
    # A time to come was told before the clock was set back.
    return tuple(at for at in ledger.sent if timedelta() <= now - at < _HOUR)


def after_delivery(ledger: Ledger, told: Sequence[TimedNotice], now: datetime) -> Ledger:
    """Returns the ledger once he was told."""
    waiting = tuple(one for one in ledger.waiting if one not in told)
    _, knows = _tellable(told, ledger.told)
    concerns = {*ledger.known, *(one.notice.key for one in waiting)}
    return replace(
        ledger,
        waiting=waiting,
        told=tuple(sorted(knows & concerns)),
        left_out=0,
        sent=(*_within_the_hour(ledger, now), now),
        delivered=ledger.delivered + 1,
        failures=0,
        failing_since=None,
        last_error="",
        retry_at=None,
        last_told=now,
    )


def after_failure(ledger: Ledger, error: str, now: datetime, wait: timedelta) -> Ledger:
    """Returns the ledger once a try has failed; the next one is after ``wait``."""
    return replace(
        ledger,
        failed=ledger.failed + 1,
        failures=ledger.failures + 1,
        failing_since=ledger.failing_since or now,
        last_error=shown(error, MAX_REASON),
        retry_at=now + wait,
    )
