"""Local clocks become UTC, also on the two days of a year on which they are changed."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_SECOND = timedelta(seconds=1)


def instant_of(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """Returns when clocks of ``zone`` come to ``minute`` of ``day``, in UTC.

    ``minute`` may be that of the next day. A time that comes twice counts the first time, one that
    does not come counts as the instant at which it is left out.
    """
    local = datetime.combine(day, time()) + timedelta(minutes=minute)
    instant = local.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == local:
        return instant
    return _change(local.replace(tzinfo=zone, fold=1).astimezone(UTC), instant, zone)


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Returns when clocks are changed between both, to the second."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > _SECOND:
        middle = before + (after - before) // 2
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


def day_of(utc: datetime, zone: ZoneInfo) -> date:
    """Returns the local day of ``utc``."""
    return utc.astimezone(zone).date()
