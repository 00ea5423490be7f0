"""What is wrong with a schedule is told before the site starts: entries that meet, calendars."""

from datetime import UTC, datetime, timedelta

from holdfast.calendars.expansion import expand
from holdfast.core.config import Site
from holdfast.core.errors import ConfigError

CHECKED = timedelta(days=400)
"""All weekdays, holidays and changes of clocks come within it."""


def check_schedule(site: Site) -> None:
    """Raises ConfigError if something of the schedule does not count."""
    if not site.schedule.entries and not site.schedule.calendars:
        return
    now_utc = datetime.now(UTC)
    problems = expand(site, now_utc, now_utc + CHECKED).problems
    if problems:
        raise ConfigError("\n".join(problems))
