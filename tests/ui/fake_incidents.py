"""What has happened to the fake site, as its audit log would tell it."""

import bisect
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from holdfast.monitoring.audit.events import (
    AuditEvent,
    CommandAnswered,
    FindingCleared,
    FindingRaised,
    LatchesChanged,
    QuantityChanged,
    StateChanged,
)
from holdfast.monitoring.audit.text import describe
from holdfast.monitoring.quantities.quantity import Quantity
from tests.ui.fake_day import iso

BEGUN = datetime.now(UTC).replace(microsecond=0)
SECOND = timedelta(seconds=1)
AROUND = 60 * SECOND
CELL = "cell_voltage_high"
_EVENT: TypeAdapter[AuditEvent] = TypeAdapter(AuditEvent)


@dataclass(frozen=True, kw_only=True)
class Told:
    """An incident, and the events around it by seconds from its beginning."""

    id: int
    start: datetime
    lasted_s: float
    state: str
    first_finding: str
    text: str
    events: list[tuple[float, AuditEvent]] = field(default_factory=list)

    @property
    def end(self) -> datetime:
        """Returns when it was over."""
        return self.start + self.lasted_s * SECOND


def quantity(asked_w: float, written_w: float, limited_by: str = "") -> Quantity:
    """Returns the battery's power, layer by layer."""
    high_w = written_w if limited_by else 5000.0
    return Quantity(
        owner="battery", name="battery_power", unit="W", asked=asked_w, asked_of_site=asked_w,
        source="plan", reason="stores PV surplus, used at 21:30 for 50.8 ct",
        low=-5000.0, low_by="site.yaml", high=high_w, high_by=limited_by or "site.yaml",
        limited_by=limited_by, permitted=written_w, ramped=written_w, written=written_w,
        read_back=written_w, measured=written_w,
    )  # fmt: skip


def _changed(asked_w: float, written_w: float, limited_by: str = "") -> QuantityChanged:
    return QuantityChanged(quantity=quantity(asked_w, written_w, limited_by), causes=())


def _moved(source: str, target: str, event: str, *reasons: str) -> StateChanged:
    return StateChanged(source=source, target=target, event=event, reasons=reasons)


def _answered(command: str, state: str, reason: str = "", *, ok: bool = True) -> CommandAnswered:
    return CommandAnswered(command=command, accepted=ok, reason=reason, state=state)


def _raised(level: str, reaction: str, text: str) -> FindingRaised:
    return FindingRaised(owner="battery", row=CELL, level=level, reaction=reaction, text=text)


def _in_the_sun(at: datetime) -> datetime:
    """Returns ``at`` or the last time before it at which the fake day charges with 2,600 W."""
    if 10 <= at.hour < 15:
        return at
    day = at if at.hour >= 15 else at - timedelta(days=1)
    return day.replace(hour=14, minute=0)


CELL_HIGH = Told(
    id=1204, start=_in_the_sun(BEGUN - timedelta(hours=3)), lasted_s=850, state="error",
    first_finding=f"battery/{CELL}",
    text=f"RUNNING -> ERROR by trip: because battery/{CELL}: cell 3.66 V, 3.65 V is permitted",
    events=[
        (-41, _raised("warning", "log", "cell 3.56 V, warns from 3.55 V")),
        (-12, _raised("alarm", "derate", "cell 3.61 V, acts from 3.60 V")),
        (-11.9, _changed(2600.0, 1300.0, f"battery/{CELL}")),
        (0, _raised("trip", "trip", "cell 3.66 V, 3.65 V is permitted")),
        (0.02, _moved("running", "error", "trip", f"battery/{CELL}: cell 3.66 V")),
        (0.03, LatchesChanged(emergency_stop=False, faults=(f"battery/{CELL}",))),
        (0.04, _changed(2600.0, 0.0, "state_error")),
        (95, _answered("reset", "error", "only service may reset this fault", ok=False)),
        (311, FindingCleared(
            owner="battery", row=CELL, level="trip", reaction="trip", text="cell 3.42 V",
            lasted_s=352.0,
        )),
        (848, _answered("service_reset", "boot")),
        (848.1, LatchesChanged(emergency_stop=False, faults=())),
        (850, _moved("error", "boot", "reset", "by command service_reset")),
        (855, _moved("boot", "idle", "self_test_passed")),
        (862, _answered("start", "running")),
        (862.1, _moved("idle", "running", "start")),
        (862.5, _changed(2400.0, 2400.0)),
    ],
)  # fmt: skip
STOP = Told(
    id=1107, start=BEGUN - timedelta(days=2, hours=1), lasted_s=2460, state="stopped",
    first_finding="", text="RUNNING -> STOPPED by emergency_stop: because asked for by anna",
    events=[
        (-0.01, _answered("estop", "stopped")),
        (0, _moved("running", "stopped", "emergency_stop", "asked for by anna")),
        (0.01, LatchesChanged(emergency_stop=True, faults=())),
        (0.02, _changed(1800.0, 0.0, "state_stopped")),
        (2458, _answered("reset", "boot")),
        (2458.1, LatchesChanged(emergency_stop=False, faults=())),
        (2460, _moved("stopped", "boot", "reset", "by command reset")),
        (2464, _moved("boot", "idle", "self_test_passed")),
        (2470, _moved("idle", "running", "start")),
    ],
)  # fmt: skip
WATCHDOG = Told(
    id=912, start=BEGUN - timedelta(days=9), lasted_s=31, state="error",
    first_finding="site/watchdog_lost", text="RUNNING -> ERROR by trip: because site/watchdog_lost",
    events=[
        (0, _moved("running", "error", "trip", "site/watchdog_lost: no sign of it for 0.5 s")),
        (0.02, _changed(-600.0, 0.0, "state_error")),
        (31, _moved("error", "boot", "reset", "by command reset")),
        (35, _moved("boot", "idle", "self_test_passed")),
        (41, _moved("idle", "running", "start")),
    ],
)  # fmt: skip
ALL = (CELL_HIGH, STOP, WATCHDOG)


def _moves() -> list[tuple[datetime, str]]:
    return sorted(
        (told.start + offset_s * SECOND, event.target)
        for told in ALL
        for offset_s, event in told.events
        if isinstance(event, StateChanged)
    )


_MOVES = _moves()
_TIMES = [at for at, _ in _MOVES]


def state_at(at: datetime) -> str:
    """Returns the state that the site was in."""
    place = bisect.bisect_right(_TIMES, at)
    return _MOVES[place - 1][1] if place else "running"


def findings() -> list[dict[str, Any]]:
    """Returns what was found, as the history has it."""
    told = CELL_HIGH
    rows = [
        ("battery", CELL, "trip", "trip", "cell 3.66 V, 3.65 V is permitted", -41.0, 311.0),
        ("site", "grid_voltage_high", "warning", "log", "253.4 V", -7000.0, -5600.0),
        ("battery", "soc_low", "warning", "log", "11 %, warns from 12 %", -30000.0, -26000.0),
    ]
    return [
        {
            "start": iso(told.start + begins_s * SECOND), "end": iso(told.start + ends_s * SECOND),
            "times": 1, "owner": owner, "row": row, "level": level, "reaction": reaction,
            "text": text,
        }
        for owner, row, level, reaction, text, begins_s, ends_s in reversed(rows)
    ]  # fmt: skip


def _incidents(state: str) -> Iterator[dict[str, Any]]:
    if state in {"error", "stopped"}:
        yield {
            "id": 2500, "start": iso(BEGUN), "end": None, "state": state,
            "first_finding": f"battery/{CELL}" if state == "error" else "",
            "text": f"RUNNING -> {state.upper()}",
        }  # fmt: skip
    for told in ALL:
        yield {
            "id": told.id, "start": iso(told.start), "end": iso(told.end), "state": told.state,
            "first_finding": told.first_finding, "text": told.text,
        }  # fmt: skip


async def _list(request: Request) -> Response:
    fake = request.app.state.fake
    return JSONResponse([] if fake.history_is_empty else list(_incidents(fake.state)))


async def _one(request: Request) -> Response:
    number = request.path_params["number"]
    told = next((one for one in ALL if one.id == number), None)
    found = next(
        (one for one in _incidents(request.app.state.fake.state) if one["id"] == number), None
    )
    if found is None:
        return JSONResponse({"detail": f"no incident {number} is on record"}, 404)
    events = [] if told is None else told.events
    return JSONResponse(
        {
            "incident": found,
            "before": [
                "The battery is set to charge with 2,600 W.",
                "The plan asks for it; its reason: stores PV surplus, used at 21:30 for 50.8 ct.",
            ],
            "setpoints": [_json(quantity(2600.0, 2600.0))],
            "events": [
                {
                    "sequence": number + place,
                    "utc": iso(datetime.fromisoformat(found["start"]) + offset_s * SECOND),
                    "event": _EVENT.dump_python(event, mode="json"),
                    "text": describe(event),
                }
                for place, (offset_s, event) in enumerate(events)
            ],
            "left_out": 0,
        }
    )


def _json(value: Quantity) -> Any:
    return TypeAdapter(Quantity).dump_python(value, mode="json")


def explained(at: datetime) -> list[str]:
    """Returns why the site did what it did."""
    state = state_at(at)
    match state:
        case "running":
            sentences = [
                "The battery is set to charge with 2,600 W.",
                "The plan asks for it; its reason: stores PV surplus, used at 21:30 for 50.8 ct.",
                "The site is in RUNNING.",
            ]
        case "error":
            sentences = [
                "The battery is set to 0 W.",
                "The site is in ERROR: a fault has tripped; power off, contactors open.",
            ]
        case "stopped":
            sentences = [
                "The battery is set to 0 W.",
                "The site is in STOPPED: an emergency stop holds until it is reset on site.",
            ]
        case _:
            sentences = [f"The site is in {state.upper()}: power off, contactors open."]
    told = [
        event
        for one in ALL
        for offset_s, event in one.events
        if one.start - AROUND <= at and one.start + offset_s * SECOND <= at <= one.end + AROUND
    ]
    raised = [event for event in told if isinstance(event, FindingRaised)]
    return [*sentences, *(f"Found: {event.text} ({event.reaction})." for event in raised[-1:])]


ROUTES = [
    Route("/incidents", _list),
    Route("/incidents/{number:int}", _one),
]
