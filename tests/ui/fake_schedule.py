"""What people ask of the batteries by hand, as the API takes it, for the fake site."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.ui import fake_day as day
from tests.ui.fake_day import iso

POWER_MAX_W = {"charge": 5000.0, "discharge": 4600.0}
NAME = "anna"


def slot(
    mode: str, start: datetime, end: datetime, power_w: float | None = None, by: str = NAME
) -> dict[str, Any]:
    """Returns what somebody asks for."""
    return {
        "id": secrets.token_hex(6), "start": iso(start), "end": iso(end), "mode": mode,
        "power_w": power_w, "by": by, "made": iso(datetime.now(UTC)),
        "owner": "",
    }  # fmt: skip


def _fake(request: Request) -> Any:
    return request.app.state.fake


async def _manual(request: Request) -> Response:
    return JSONResponse({"slots": _fake(request).manual, "problem": "", "power_max_w": POWER_MAX_W})


async def _add(request: Request) -> Response:
    """Takes a slot; it cuts what it overlaps."""
    fake, body = _fake(request), await request.json()
    fake.asked.append(("POST", "manual", body))
    if "plan.override" not in fake.rights():
        return JSONResponse({"detail": "this needs the right plan.override"}, 403)
    if fake.refuses_manual:
        return JSONResponse({"detail": fake.refuses_manual}, 409)
    now = datetime.now(UTC)
    start = now if body["start"] is None else max(now, _time(body["start"]))
    new = slot(body["mode"], start, _time(body["end"]), body["power_w"])
    rest = [piece for old in fake.manual for piece in _cut(old, new)]
    fake.manual = [*rest, new]
    return JSONResponse(new, 201)


def _cut(old: dict[str, Any], new: dict[str, Any]) -> list[dict[str, Any]]:
    pieces = []
    if old["start"] < new["start"]:
        pieces.append(old | {"end": min(old["end"], new["start"])})
    if old["end"] > new["end"]:
        pieces.append(old | {"id": secrets.token_hex(6), "start": max(old["start"], new["end"])})
    return [piece for piece in pieces if _time(piece["end"]) > datetime.now(UTC)]


async def _remove(request: Request) -> Response:
    fake, slot_id = _fake(request), request.path_params["id"]
    fake.asked.append(("DELETE", f"manual/{slot_id}", None))
    rest = [one for one in fake.manual if one["id"] != slot_id]
    if len(rest) == len(fake.manual):
        return JSONResponse({"detail": f"no slot {slot_id!r} lasts or comes"}, 404)
    fake.manual = rest
    return Response(status_code=204)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def some(now: datetime) -> list[dict[str, Any]]:
    """Returns what a site has been asked for that people look at."""
    later = day.quarter_of(now) + timedelta(hours=9)
    return [
        slot("discharge", now - timedelta(minutes=20), now + timedelta(minutes=70), 2000.0, "ben"),
        slot("rest", later, later + timedelta(hours=3)),
    ]


ROUTES = [
    Route("/manual", _manual),
    Route("/manual", _add, methods=["POST"]),
    Route("/manual/{id}", _remove, methods=["DELETE"]),
]
