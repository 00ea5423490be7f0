"""Statuses and minutes as the tests of the history need them, without a controller."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from holdfast.core.signals import SIGNALS, SITE, Signal
from holdfast.core.state_machine import State
from holdfast.core.units import NS_PER_S
from holdfast.monitoring.history.energies import PricesNow
from holdfast.monitoring.history.minute_book import Minute, MinuteBook
from holdfast.monitoring.history.place import HistoryPlace
from holdfast.monitoring.history.store import HistoryStore
from holdfast.monitoring.quantities.quantity import Quantity
from holdfast.monitoring.status.histogram import BOUNDS_S, HistogramStatus
from holdfast.monitoring.status.schema import FindingStatus, LoopStatus, ReadingStatus, Status
from tests.builders import UNIT

BEGIN = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
BEGIN_S = int(BEGIN.timestamp())
_HISTOGRAM = HistogramStatus(counts=(0,) * (len(BOUNDS_S) + 1), sum_s=0.0, max_s=0.0)
_LOOP = LoopStatus(
    period_s=0.02,
    cycles=1,
    missed=0,
    real_time=False,
    cycle=_HISTOGRAM,
    lateness=_HISTOGRAM,
)
PRICES = PricesNow(purchase=0.3, feed_in=0.1)


def reading(signal: Signal, value: float | None, quality: str = "good") -> ReadingStatus:
    return ReadingStatus(value=value, unit=SIGNALS[signal].unit, quality=quality, age_s=0.1)


def status_at(
    at: datetime,
    *,
    grid_w: float | None = 500.0,
    pv_w: float | None = 0.0,
    battery_w: float | None = 0.0,
    soc_pct: float = 50.0,
    **changes: Any,
) -> Status:
    """What a controller tells at ``at``; None is a reading that is missing."""
    site = {Signal.GRID_POWER_W: grid_w, Signal.PV_POWER_W: pv_w}
    unit = {Signal.BATTERY_POWER_W: battery_w, Signal.SOC_PCT: soc_pct}
    readings = {
        owner: {
            signal: reading(signal, value, "missing" if value is None else "good")
            for signal, value in values.items()
        }
        for owner, values in ((SITE, site), (UNIT, unit))
    }
    content: dict[str, Any] = {
        "site": "Test site",
        "currency": "EUR",
        "authority": "full",
        "utc": at,
        "monotonic_ns": int((at - BEGIN) / timedelta(seconds=1) * NS_PER_S) + 10**15,
        "state": State.RUNNING,
        "waits_for": (),
        "emergency_stop_latched": False,
        "latched_faults": (),
        "latches_on_disk": True,
        "ignored_events": 0,
        "request_w": 0.0,
        "request_source": "plan",
        "request_reason": "cheap",
        "plan": None,
        "plan_refused": "",
        "quantities": (quantity(),),
        "readings": readings,
        "findings": (),
        "limits": (),
        "contactors": {},
        "comms": {},
        "loop": _LOOP,
    }
    return Status(**content | changes)


def quantity() -> Quantity:
    return Quantity(
        owner=UNIT,
        name="battery_power",
        unit="W",
        asked=1000.0,
        source="plan",
        reason="cheap",
        low=-5000.0,
        high=400.0,
        permitted=400.0,
        ramped=300.0,
        written=300.0,
        read_back=None,
        measured=290.0,
    )


def finding(row: str = "cell_voltage_high", level: str = "warning") -> FindingStatus:
    text = f"{row} is at its {level}"
    return FindingStatus(owner=UNIT, row=row, level=level, reaction="log", for_s=0.0, text=text)


def seconds(count: int, start: datetime = BEGIN) -> Iterator[datetime]:
    """The middle of each second: when it is looked."""
    for number in range(count):
        yield start + timedelta(seconds=number + 0.4)


def minutes_of(statuses: Iterable[Status], prices: PricesNow = PRICES) -> list[Minute]:
    """The minutes that a book makes of them, the last one however short."""
    book = MinuteBook((UNIT,))
    found = [book.take(status, prices) for status in statuses]
    return [minute for minute in (*found, book.close()) if minute is not None]


def store_in(folder: Path, now_s: int = BEGIN_S) -> HistoryStore:
    return HistoryStore(place_in(folder), "here", now_s)


def place_in(folder: Path) -> HistoryPlace:
    return HistoryPlace.in_file(folder / "history.db")


def write_all(store: HistoryStore, minutes: Iterable[Minute]) -> None:
    for minute in minutes:
        store.write(minute, minute.start_s + 60)
