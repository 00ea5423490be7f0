"""Prices by the site's own clock. Asked by UTC instants, so a clock change needs no care."""

from datetime import datetime
from zoneinfo import ZoneInfo

from holdfast.core.local_window import LocalWindow
from holdfast.core.price_config import TimedPrice

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def lies_in(window: LocalWindow, utc: datetime, zone: ZoneInfo) -> bool:
    """True if ``utc``, as the clocks of ``zone`` show it, lies in ``window``."""
    local = utc.astimezone(zone)
    if window.days is not None and _DAYS[local.weekday()] not in window.days:
        return False
    if window.months is not None and local.month not in window.months:
        return False
    minute = local.hour * 60 + local.minute
    if window.from_minute < window.to_minute:
        return window.from_minute <= minute < window.to_minute
    return minute >= window.from_minute or minute < window.to_minute


def price_at(table: tuple[TimedPrice, ...], utc: datetime, zone: ZoneInfo) -> float | None:
    """Price per kWh of the first row that ``utc`` lies in; None if there is none."""
    for row in table:
        if lies_in(row, utc, zone):
            return row.price_per_kwh
    return None
