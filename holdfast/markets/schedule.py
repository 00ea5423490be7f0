"""A source is asked again after its publication, soon after a failure, never too often."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from holdfast.core.errors import SourceError
from holdfast.web.backoff import wait_after_failure

LOOK_AGAIN = timedelta(hours=3)
"""Prices are corrected at times, and a preliminary auction may come first."""
STALE_AFTER = 2 * LOOK_AGAIN
_MISSING = timedelta(minutes=10)
"""So long we wait between two questions while what should be out is not."""
_SPREAD = timedelta(minutes=1)
"""It is there so that not all sites ask in the same second."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """Every day at ``out_at`` the prices come out that reach to the next ``day_ends``."""

    zone: ZoneInfo
    out_at: time
    day_ends: time = time(0)
    """It is a time of the local day."""
    limited: timedelta = timedelta(minutes=10)
    """So long we keep away from a source that found us too eager and does not say how long."""

    def next_out(self, utc: datetime) -> datetime:
        """Returns the first publication after ``utc``."""
        return _first_after(self.out_at, utc, self.zone)

    def expected_until(self, utc: datetime) -> datetime:
        """Tells how far prices should be known at ``utc``."""
        end = _first_after(self.day_ends, utc, self.zone)
        to_come = self.next_out(utc) < end
        return end if to_come else _first_after(self.day_ends, end, self.zone)


def _first_after(clock: time, utc: datetime, zone: ZoneInfo) -> datetime:
    """Returns the first instant after ``utc`` at which clocks in ``zone`` show ``clock``."""
    local = utc.astimezone(zone)
    today = datetime.combine(local.date(), clock, tzinfo=zone).astimezone(UTC)
    if today > utc:
        return today
    tomorrow = datetime.combine(local.date() + _DAY, clock, tzinfo=zone)
    return tomorrow.astimezone(UTC)


def ask_after_success(
    utc: datetime, known_until: datetime, publication: Publication, chance: float
) -> datetime:
    """Tells when to ask next. ``chance`` is a random number from 0 to 1."""
    whole = known_until >= publication.expected_until(utc)
    wait = LOOK_AGAIN if whole else _MISSING
    return min(utc + wait, publication.next_out(utc)) + chance * _SPREAD


def ask_after_failure(
    utc: datetime,
    failures: int,
    error: SourceError,
    publication: Publication,
    chance: float,
) -> datetime:
    """Tells when to ask next after so many ``failures`` in a row, the last being ``error``."""
    return utc + wait_after_failure(failures, error, publication.limited, chance)
