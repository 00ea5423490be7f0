"""Statuses as a controller would publish them, for who reads them."""

from datetime import UTC, datetime
from typing import Any

from holdfast.core.signals import SITE, Signal
from holdfast.core.state_machine import State
from holdfast.monitoring.quantities.quantity import Quantity, QuantityName
from holdfast.monitoring.status.histogram import BOUNDS_S, HistogramStatus
from holdfast.monitoring.status.schema import (
    FindingStatus,
    LoopStatus,
    ReadingStatus,
    Status,
)

UNIT = "battery"
_NONE = HistogramStatus(counts=(0,) * (len(BOUNDS_S) + 1), sum_s=0.0, max_s=0.0)


def power(measured_w: float | None, owner: str = UNIT) -> Quantity:
    return Quantity(
        owner=owner, name=QuantityName.BATTERY_POWER, unit="W", asked=0.0, source="plan",
        reason="the load", permitted=0.0, written=0.0, read_back=0.0, measured=measured_w,
    )  # fmt: skip


def reading(value: float, unit: str) -> ReadingStatus:
    return ReadingStatus(value=value, unit=unit, quality="good", age_s=0.1)


def found(row: str, reaction: str, level: str = "alarm", owner: str = UNIT) -> FindingStatus:
    return FindingStatus(
        owner=owner, row=row, level=level, reaction=reaction, for_s=1.0, text=f"{row}: text"
    )


def status(**changes: Any) -> Status:
    """A site that runs, and charges with 1.2 kW; nothing is wrong."""
    fields: dict[str, Any] = {
        "site": "my site",
        "currency": "EUR",
        "authority": "full",
        "utc": datetime(2026, 6, 1, 12, tzinfo=UTC),
        "monotonic_ns": 0,
        "state": State.RUNNING,
        "waits_for": (),
        "emergency_stop_latched": False,
        "latched_faults": (),
        "latches_on_disk": True,
        "ignored_events": 0,
        "request_w": 1200.0,
        "request_source": "plan",
        "request_reason": "the cheapest hour",
        "plan": None,
        "plan_refused": "",
        "quantities": (power(1200.0),),
        "readings": {
            UNIT: {Signal.SOC_PCT: reading(54.0, "%")},
            SITE: {Signal.GRID_POWER_W: reading(1800.0, "W")},
        },
        "findings": (),
        "limits": (),
        "contactors": {},
        "comms": {},
        "loop": LoopStatus(
            period_s=0.02, cycles=1, missed=0, real_time=True, cycle=_NONE, lateness=_NONE
        ),
    }
    return Status(**fields | changes)
