"""Quarter hours are what meters, markets and plans count in."""

from datetime import UTC, datetime, timedelta

QUARTER = timedelta(minutes=15)
QUARTER_S = 900
QUARTERS_PER_DAY = 96


def quarter_of(utc: datetime) -> int:
    """Returns the number of the quarter hour since 1970 that ``utc`` lies in.

    Raises ValueError for a naive time.
    """
    if utc.tzinfo is None:
        raise ValueError(f"{utc} has no time zone")
    return int(utc.timestamp() // QUARTER_S)


def start_of(quarter: int) -> datetime:
    """Returns the first instant of a quarter hour, UTC."""
    return datetime.fromtimestamp(quarter * QUARTER_S, tz=UTC)


def quarter_start(utc: datetime) -> datetime:
    """Returns the start of the quarter hour that ``utc`` lies in, in the same zone."""
    return utc.replace(minute=utc.minute // 15 * 15, second=0, microsecond=0)
