"""Speaks the API's contract without a site behind it, in every state that a page has to show.

`python -m tests.ui.fake_api` serves it with the pages, for work on them.
"""

import argparse
import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from holdfast.ui.built import pages
from tests.ui import fake_day as day
from tests.ui import fake_history, fake_incidents, fake_schedule, fake_settings
from tests.ui import fake_records as records
from tests.ui.fake_day import iso

RECORDED = Path(__file__).parent / "recorded"
PASSWORD = fake_settings.PASSWORD
EMERGENCY_PORT = 9464
RIGHTS = {
    "viewer": ["site.read", "site.stop", "history.export", "own.account"],
    "operator": ["site.start", "site.reset", "plan.override", "prices.refresh", "audit.read"],
    "service": ["site.service_reset", "config.read"],
    "admin": ["config.write", "users.manage"],
}
SAFE = {"verdict": "safe", "headline": "All is well", "lines": [], "kind": "info"}
STOPPED = {
    "verdict": "stopped",
    "headline": "Emergency stop: power is at 0 W",
    "lines": ["It holds until somebody resets it on site."],
    "kind": "fault",
}
GLANCES = {
    "running": SAFE | {"lines": ["It runs, and nothing is near a limit."]},
    "idle": SAFE | {"lines": ["It is ready, and waits for a start."]},
    "stopped": STOPPED,
    "error": {
        "verdict": "fault",
        "headline": "A fault has tripped",
        "lines": ["cell voltage of battery was 3.66 V, 3.65 V is permitted"],
        "kind": "fault",
    },
    "boot": SAFE | {"headline": "The site tests itself"},
}
WEATHER = {
    "verdict": "attention",
    "headline": "The weather forecast is 9 h old",
    "lines": ["The plan uses what it has learned of the sun instead."],
    "kind": "info",
}


@dataclass
class FakeSite:
    """Is whatever a test makes it."""

    state: str = "running"
    role: str | None = None
    """None: somebody who only looks."""
    open_to_view: bool = True
    setup_needed: bool = False
    silent: bool = False
    """The live stream stays open and says nothing."""
    gone: bool = False
    """No controller runs."""
    stop_works: bool = True
    stop_is_slow: bool = False
    """A stop is accepted, and the site does not say that it stopped."""
    glance: dict[str, Any] | None = None
    findings: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    """Everything that a page changed, or wanted to."""
    manual: list[dict[str, Any]] = field(default_factory=list)
    mode: dict[str, Any] = field(default_factory=dict)
    """Changes who leads, and how; empty: the plan does, by self-consumption."""
    authority: str = "full"
    laid: list[dict[str, Any]] = field(default_factory=list)
    """Changes the first slots of the plan."""
    manual_is_taken_over: bool = True
    """False: the planner has not handed over what was asked by hand."""
    oidc: str | None = None
    settings: fake_settings.FakeSettings = field(default_factory=fake_settings.FakeSettings)
    history_problem: str = ""
    """Is why the history cannot be read; empty: it can."""
    history_is_empty: bool = False
    history_is_stuck: bool = False
    """Nothing has been written for hours."""
    refuses_manual: str = ""
    """Is why nothing can be asked for by hand; empty: it can."""

    def snapshot(self) -> dict[str, Any]:
        """Returns the status that was recorded, moved to now and into this state."""
        now = datetime.now(UTC)
        snapshot = json.loads((RECORDED / "status.json").read_text(encoding="utf-8"))
        runs = self.state == "running"
        battery_w = round(day.battery_w(now)) if runs else 0
        pv_w, load_w = round(day.pv_w(now)), round(day.load_w(now))
        site, battery = snapshot["readings"]["site"], snapshot["readings"]["battery"]
        site["pv_power_w"]["value"] = pv_w
        site["grid_power_w"]["value"] = load_w + battery_w - pv_w
        battery["battery_power_w"]["value"] = battery_w
        soc_pct = battery["soc_pct"]["value"] = round(day.soc_pct(now), 1)
        for limit in snapshot["limits"]:
            if limit["signal"] == "soc_pct":
                limit["margin"] = abs(soc_pct - limit["levels"]["alarm"])
        layers = ("asked", "asked_of_site", "permitted", "ramped", "written", "read_back")
        snapshot["quantities"][0] |= dict.fromkeys((*layers, "measured"), battery_w)
        snapshot["plan"]["slot"] = day.plan_slot(day.quarter_of(now))
        mode = self._mode() if runs else None
        return snapshot | {
            "utc": iso(now),
            "authority": self.authority,
            "mode": mode,
            "request_source": "passive" if mode is None else mode["by"],
            "state": self.state,
            "request_w": battery_w,
            "emergency_stop_latched": self.state == "stopped",
            "latched_faults": ["battery/cell_voltage_high"] if self.state == "error" else [],
            "findings": self.findings,
            "age_s": 0.05,
            "glance": self.glance or GLANCES[self.state],
        }

    def _mode(self) -> dict[str, Any]:
        now = iso(datetime.now(UTC))
        held = any(one["start"] <= now < one["end"] for one in self.manual)
        return {
            "by": "operator" if held and self.manual_is_taken_over else "plan",
            "mode": "self_consumption", "for_s": 754.0, "kept_by": [], "urgent": False,
            "instead_by": "default", "instead_mode": "self_consumption", "instead_w": -640.0,
            "verdict": "stable", "meter_rms_w": 12.4, "reversals_a_minute": 1.5,
        } | self.mode  # fmt: skip

    def latched(self) -> list[dict[str, Any]]:
        """Returns what holds the site, and how it is cleared."""
        match self.state:
            case "stopped":
                return [
                    {
                        "row": "emergency_stop",
                        "text": "Somebody pressed the emergency stop.",
                        "cleared_by": "operator",
                        "steps": ["Find out why it was pressed.", "Reset it at the site."],
                    }
                ]
            case "error":
                return [
                    {
                        "row": "cell_voltage_high",
                        "text": "A cell of battery was above 3.65 V.",
                        "cleared_by": "service",
                        "steps": ["Look at the cells.", "Reset as service."],
                    }
                ]
            case _:
                return []

    def commands(self) -> list[dict[str, Any]]:
        """Returns each command, and why it does nothing now."""
        return [
            self._command("start", "site.start", "idle", "The site runs already, or cannot run."),
            self._command("stop", "site.stop", "running", "The site does not run."),
            self._command("reset", "site.reset", "error stopped", "There is nothing to reset."),
            self._command(
                "service_reset", "site.service_reset", "error", "No fault waits for service."
            ),
        ]

    def _command(self, command: str, right: str, states: str, why_not: str) -> dict[str, Any]:
        enabled = self.state in states.split()
        return {
            "command": command,
            "enabled": enabled,
            "right": right,
            "why_not": "" if enabled else why_not,
        }

    def rights(self) -> list[str]:
        """Returns what this role and all below it may do."""
        if self.role is None:
            return (
                ["site.read", "site.stop", "history.export"] if self.open_to_view else ["site.stop"]
            )
        role = self.role
        return [
            right for name in list(RIGHTS)[: list(RIGHTS).index(role) + 1] for right in RIGHTS[name]
        ]

    def take(self, command: str) -> dict[str, Any]:
        """Does what is asked, at once."""
        leads_to = {
            "start": "running", "stop": "idle", "estop": "stopped",
            "reset": "idle", "service_reset": "idle",
        }  # fmt: skip
        if not (command == "estop" and self.stop_is_slow):
            self.state = leads_to[command]
        return {"accepted": True, "reason": "", "state": self.state}


def _fake(request: Request) -> FakeSite:
    fake: FakeSite = request.app.state.fake
    return fake


def _no(status: int, detail: str) -> JSONResponse:
    return JSONResponse({"detail": detail}, status)


async def _status(request: Request) -> Response:
    fake = _fake(request)
    return JSONResponse(
        {
            "site": "Demo", "version": "0.1.0", "currency": "EUR", "timezone": "Europe/Berlin",
            "authority": fake.authority, "fresh": not fake.gone,
            "age_s": 0.1, "utc": iso(datetime.now(UTC)),
            "state": None if fake.gone else fake.state, "glance": GLANCES[fake.state],
        }
    )  # fmt: skip


async def _snapshot(request: Request) -> Response:
    fake = _fake(request)
    return _no(503, "no controller is running") if fake.gone else JSONResponse(fake.snapshot())


async def _live(request: Request) -> Response:
    return StreamingResponse(_events(_fake(request)), media_type="text/event-stream")


async def _events(fake: FakeSite) -> AsyncIterator[str]:
    shown: tuple[str, float] = ("", 0.0)
    while True:
        now_s = asyncio.get_running_loop().time()
        if not fake.silent and (fake.state != shown[0] or now_s - shown[1] >= 1.0):
            shown = (fake.state, now_s)
            event = "gone" if fake.gone else "snapshot"
            data = "{}" if fake.gone else json.dumps(fake.snapshot())
            yield f"event: {event}\ndata: {data}\n\n"
        await asyncio.sleep(0.1)


async def _state(request: Request) -> Response:
    fake = _fake(request)
    return JSONResponse(
        {
            "state": fake.state, "waits_for": [],
            "emergency_stop_latched": fake.state == "stopped",
            "latched": fake.latched(), "commands": fake.commands(),
        }
    )  # fmt: skip


async def _command(request: Request) -> Response:
    fake, command = _fake(request), request.path_params["command"]
    body = await request.body()
    fake.asked.append(("POST", f"commands/{command}", json.loads(body) if body else None))
    if command == "estop":
        if not fake.stop_works:
            return _no(503, "no controller answers on its socket")
        return JSONResponse(fake.take(command))
    offer = next(offer for offer in fake.commands() if offer["command"] == command)
    if offer["right"] not in fake.rights():
        return _no(403, f"{command} needs the right {offer['right']}")
    if not offer["enabled"]:
        return _no(409, offer["why_not"])
    return JSONResponse(fake.take(command))


async def _explain(request: Request) -> Response:
    asked = request.query_params.get("at")
    if asked is not None:
        at = datetime.fromisoformat(asked)
        told = fake_incidents.explained(at)
        return JSONResponse({"time": iso(at), "recorded": True, "sentences": told})
    sentences = [
        "The battery charges with 1,201 W, at 15 % state of charge.",
        "The plan asks to keep the exchange at 0 W; its reason: used at 21:30 for 50.8 ct.",
    ]
    return JSONResponse({"time": iso(datetime.now(UTC)), "sentences": sentences})


async def _assurance(_: Request) -> Response:
    goals = json.loads((RECORDED / "assurance.json").read_text(encoding="utf-8"))
    return JSONResponse([goal | {"text": goal["goal"]} for goal in goals])


async def _plan(request: Request) -> Response:
    fake, now = _fake(request), datetime.now(UTC)
    laid = fake.manual if fake.manual_is_taken_over else []
    return JSONResponse(
        {"report": day.plan(now, laid, fake.laid), "manual": fake.manual, "age_s": 33.0}
    )


async def _devices(request: Request) -> Response:
    return JSONResponse(records.devices(_fake(request).snapshot()))


async def _money(request: Request) -> Response:
    start, end = _days(request)
    return JSONResponse(records.money(start, end, datetime.now(UTC)))


def _days(request: Request) -> tuple[datetime, datetime]:
    zone = ZoneInfo("Europe/Berlin")
    query = request.query_params
    start, end = (datetime.fromisoformat(query[name]) for name in ("start", "end"))
    return start.replace(tzinfo=zone), end.replace(tzinfo=zone)


def _tells(content: Callable[[datetime], Any]) -> Callable[[Request], Awaitable[Response]]:
    """Returns a route that answers what is now."""

    async def route(_: Request) -> Response:
        return JSONResponse(content(datetime.now(UTC)))

    return route


async def _auth_state(request: Request) -> Response:
    fake = _fake(request)
    return JSONResponse(
        {
            "setup_needed": fake.setup_needed, "open_to_view": fake.open_to_view,
            "passkeys": fake.settings.has_passkeys, "oidc": fake.oidc,
        }
    )  # fmt: skip


async def _me(request: Request) -> Response:
    fake = _fake(request)
    who = {"name": None, "role": "viewer", "how": "open_to_view"}
    if fake.role is not None:
        who = {"name": "anna", "role": fake.role, "how": "session"}
    return JSONResponse(who | fake.settings.factors() | {"rights": fake.rights()})


async def _log_in(request: Request) -> Response:
    fake, body = _fake(request), await request.json()
    if body["password"] != PASSWORD:
        return _no(401, "name or password is wrong")
    fake.role = "admin"
    return JSONResponse({})


async def _log_out(request: Request) -> Response:
    _fake(request).role = None
    return JSONResponse({})


async def _set_up(request: Request) -> Response:
    fake, body = _fake(request), await request.json()
    if body["code"] != "1234-5678":
        return _no(403, "this is not the code on the console")
    fake.setup_needed, fake.role = False, "admin"
    return JSONResponse({})


ROUTES = [
    Route("/status", _status),
    Route("/snapshot", _snapshot),
    Route("/live", _live),
    Route("/state", _state),
    Route("/explain", _explain),
    Route("/assurance", _assurance),
    Route("/plan", _plan),
    Route("/prices", _tells(day.prices)),
    Route("/forecasts", _tells(day.forecasts)),
    Route("/devices", _devices),
    Route("/audit", _tells(records.audit)),
    Route("/audit/verify", _tells(lambda _: records.VERIFIED)),
    Route("/money", _money),
    Route("/commands/{command}", _command, methods=["POST"]),
    Route("/auth/state", _auth_state),
    Route("/auth/me", _me),
    Route("/auth/login", _log_in, methods=["POST"]),
    Route("/auth/logout", _log_out, methods=["POST"]),
    Route("/auth/setup", _set_up, methods=["POST"]),
    *fake_schedule.ROUTES,
    *fake_settings.ROUTES,
    *fake_history.ROUTES,
    *fake_incidents.ROUTES,
]


def fake_app(fake: FakeSite) -> Starlette:
    """Returns the pages, with ``fake`` behind them."""
    app = Starlette(routes=[Mount("/api/v1", routes=ROUTES), Mount("/", app=pages(EMERGENCY_PORT))])
    app.state.fake = fake
    return app


def main() -> None:
    """Serves until interrupted."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--port", type=int, default=9480)
    parser.add_argument("--state", choices=sorted(GLANCES), default="running")
    parser.add_argument("--role", choices=sorted(RIGHTS), default="admin")
    options = parser.parse_args()
    fake = FakeSite(state=options.state, role=options.role)
    fake.manual = fake_schedule.some(datetime.now(UTC))
    uvicorn.run(fake_app(fake), port=options.port)


if __name__ == "__main__":
    main()
