"""Day money is what other ways to run the battery would have cost on a day that was measured.

Another process calculates it, beside the one that writes all else.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from sqlalchemy import delete, insert, select

from holdfast.monitoring.history.database import in_words, open_beside
from holdfast.monitoring.history.place import HistoryPlace
from holdfast.monitoring.history.schema import DAY_MONEY


@dataclass(frozen=True, slots=True, kw_only=True)
class DayMoney:
    """Holds costs of one local day, in the site's currency; None where they cannot be known."""

    day: str
    """Tells the date on the site's clock, such as 2026-11-29."""
    self_consumption: float | None = None
    perfect_foresight: float | None = None
    made_s: int
    """Tells when it was calculated, in s since 1970."""
    problem: str = ""
    """Tells why it cannot be known; empty if it is."""


def keep_day_money(place: HistoryPlace, days: Iterable[DayMoney]) -> None:
    """Brings ``days`` to the disk, in place of what was known of them. Raises HistoryError."""
    rows = [asdict(day) for day in days]
    engine = open_beside(place)
    try:
        with in_words(place), engine.begin() as connection:
            names = [row["day"] for row in rows]
            connection.execute(delete(DAY_MONEY).where(DAY_MONEY.c.day.in_(names)))
            connection.execute(insert(DAY_MONEY), rows)
    finally:
        engine.dispose()


def known_day_money(place: HistoryPlace) -> dict[str, DayMoney]:
    """Returns what is known, by day. Raises HistoryError."""
    engine = open_beside(place)
    try:
        with in_words(place), engine.begin() as connection:
            rows = connection.execute(select(DAY_MONEY)).mappings().all()
    finally:
        engine.dispose()
    return {
        row["day"]: DayMoney(**{str(name): value for name, value in row.items()}) for row in rows
    }
