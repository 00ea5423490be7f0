"""A day of a site, as curves: what the pages draw while nothing real is there."""

import math
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from functools import cache

from holdfast.core.asked_slot import SlotTerms

HOUR = timedelta(hours=1)
QUARTER = timedelta(minutes=15)
CAPACITY_WH = 10_240.0


def quarter_of(when: datetime) -> datetime:
    """Returns the start of the quarter hour."""
    return when.replace(minute=when.minute // 15 * 15, second=0, microsecond=0)


def iso(when: datetime) -> str:
    """Returns the time as the API writes it."""
    return when.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _hour(when: datetime) -> float:
    return when.hour + when.minute / 60 + when.second / 3600


def _bump(hour: float, middle: float, width: float) -> float:
    return math.exp(-(((hour - middle) / width) ** 2))


def pv_w(when: datetime) -> float:
    """Returns what the sun gives."""
    return (
        max(0.0, 4200 * math.sin((_hour(when) - 6) / 12 * math.pi)) if 6 < _hour(when) < 18 else 0.0
    )


def load_w(when: datetime) -> float:
    """Returns what the house uses."""
    hour = _hour(when)
    return (
        320 + 900 * _bump(hour, 7.2, 1.0) + 700 * _bump(hour, 12.3, 1.2) + 1900 * _bump(hour, 19, 2)
    )


def price(when: datetime) -> float:
    """Returns what a kWh costs, in the site's currency."""
    hour = _hour(when)
    return (
        0.19
        + 0.12 * _bump(hour, 7.5, 1.6)
        + 0.24 * _bump(hour, 18.7, 2.2)
        - 0.07 * _bump(hour, 13, 2.5)
    )


def mode(when: datetime) -> str:
    """Returns what the plan has for this time."""
    hour = _hour(when)
    if 2 <= hour < 4:
        return "power"
    return "hold" if 4 <= hour < 6 else "self_consumption"


def battery_w(when: datetime) -> float:
    """Returns the battery's power, + charging."""
    if mode(when) == "power":
        return 1500.0
    surplus_w = pv_w(when) - load_w(when)
    if mode(when) == "hold":
        return max(0.0, surplus_w)
    return max(-2500.0, min(2600.0, surplus_w))


def grid_w(when: datetime) -> float:
    """Returns the power at the grid connection, + import."""
    return load_w(when) + battery_w(when) - pv_w(when)


@cache
def soc_pct(when: datetime) -> float:
    """Returns the state of charge, summed up from the start of the day."""
    at = when.replace(hour=0, minute=0, second=0, microsecond=0)
    soc = 38.0
    while at < when:
        soc = min(95.0, max(10.0, soc + battery_w(at) * 0.25 / CAPACITY_WH * 100))
        at += QUARTER
    return soc


REASONS = {
    "power": "charges at 15.2 ct, used at 19:00 for 42.9 ct",
    "hold": "keeps what is stored for 07:30, when a kWh costs 31.0 ct",
    "self_consumption": "stores PV surplus, used at 21:30 for 50.8 ct",
}


NO_TERMS: dict[str, float | None] = {term.name: None for term in fields(SlotTerms)}


def plan_slot(start: datetime) -> dict[str, object]:
    """Returns the slot of a plan that begins at ``start``."""
    return {
        "start": iso(start),
        "end": iso(start + QUARTER),
        "mode": mode(start),
        "battery_power_w": battery_w(start),
        "grid_power_w": grid_w(start),
        "soc_end_pct": soc_pct(start + QUARTER),
        "import_price_per_kwh": price(start),
        "reason": REASONS[mode(start)],
        "export_limit_w": None,
        "pv_on": True,
        "loads": [],
        "device_mode": None,
        "by": "plan",
        "terms": NO_TERMS,
    }


def plan(
    now: datetime, manual: list[dict[str, object]], asked: list[dict[str, object]]
) -> dict[str, object]:
    """Returns what the planner last did: a plan for 36 hours, with ``asked`` first in it."""
    starts = [quarter_of(now) + n * QUARTER for n in range(144)]
    slots = [plan_slot(start) for start in starts]
    for slot, laid in zip(slots, asked, strict=False):
        slot.update(laid)
    costs = [{"cost": grid_w(s) / 4000 * price(s), "cost_at_rest": 0.1} for s in starts]
    return {
        "utc": iso(now - timedelta(seconds=33)),
        "plan": {
            "plan_id": "5aecb5c3e8f1",
            "created": iso(now - timedelta(seconds=33)),
            "expires": iso(now + timedelta(minutes=30)),
            "status": "optimal",
            "expected_cost": sum(float(str(cost["cost"])) for cost in costs),
            "slots": slots,
            "note": "",
        },
        "accepted": True,
        "problem": "",
        "manual": [_manual_at(start, manual) for start in starts],
        "manual_problem": "",
        "asked": [_names(slot) for slot in slots],
        "asked_problem": "",
        "alternatives": ALTERNATIVES,
        "slot_costs": costs,
    }


def _names(slot: dict[str, object]) -> list[str]:
    """Names who asks, as a planner does."""
    by = str(slot["by"])
    return [] if by in {"plan", "default"} else [f"{by.replace('_', ' ')} of {slot['mode']}"]


def _manual_at(start: datetime, manual: list[dict[str, object]]) -> object:
    at = iso(max(start, datetime.now(UTC)))
    return next((one["id"] for one in manual if str(one["start"]) <= at < str(one["end"])), None)


ALTERNATIVES = [
    {
        "name": name,
        "expected_cost": cost,
        "costs_more": more,
        "soc_end_pct": soc,
        "why": why,
    }
    for name, cost, more, soc, why in (
        ("no_battery", 4.93, 2.44, 15.0, "the battery rests: every evening is bought at 43 ct"),
        ("self_consumption", 3.31, 0.82, 22.0, "nothing is bought at night, when it is cheap"),
        ("previous_plan", 2.51, 0.02, 31.0, "the plan of a minute ago, at the newer forecast"),
    )
]


def prices(now: datetime) -> dict[str, object]:
    """Returns the prices of the coming hours."""
    starts = [quarter_of(now) + n * QUARTER for n in range(132)]
    return {
        "site": "Demo",
        "currency": "EUR",
        "known_until": iso(starts[-1] + QUARTER),
        "problem": "",
        "sources": [],
        "files": [],
        "prices": [
            {
                "start": iso(start),
                "end": iso(start + QUARTER),
                "purchase_per_kwh": price(start),
                "feed_in_per_kwh": price(start) / 3 - 0.03,
            }
            for start in starts
        ],
    }


def forecasts(now: datetime) -> dict[str, object]:
    """Returns what is expected of load and PV."""
    starts = [quarter_of(now) + n * QUARTER for n in range(144)]
    return {
        "made": iso(now - timedelta(minutes=4)),
        "slots": [
            {
                "start": iso(start),
                "end": iso(start + QUARTER),
                "load_w": load_w(start),
                "load_low_w": load_w(start) * 0.7,
                "load_high_w": load_w(start) * 1.4,
                "pv_w": pv_w(start),
                "pv_low_w": pv_w(start) * 0.6,
                "pv_high_w": pv_w(start) * 1.15,
            }
            for start in starts
        ],
        "score": None,
    }
