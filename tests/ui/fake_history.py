"""What the fake site remembers: values of every series, energies, findings, and files of them."""

import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.ui import fake_day as day
from tests.ui import fake_incidents
from tests.ui.fake_day import iso

ZONE = ZoneInfo("Europe/Berlin")
KEPT = timedelta(days=400)
LEVELS_S = (1, 60, 900)
STATES = ("boot", "idle", "running", "error", "stopped")
STAGES = ("asked", "low", "high", "permitted", "ramped", "written", "read_back", "measured")

Curve = Callable[[datetime], float | None]


def _battery_w(at: datetime) -> float:
    return 0.0 if fake_incidents.state_at(at) != "running" else day.battery_w(at)


def _grid_w(at: datetime) -> float:
    return day.load_w(at) + _battery_w(at) - day.pv_w(at)


def _cell_v(offset: float) -> Curve:
    return lambda at: 3.18 + 0.0030 * day.soc_pct(at) + 0.00003 * _battery_w(at) + offset


def _stage(stage: str) -> Curve:
    match stage:
        case "low":
            return lambda _: -5000.0
        case "high":
            return lambda at: 5000.0 if fake_incidents.state_at(at) == "running" else 0.0
        case "asked":
            return day.battery_w
        case _:
            return _battery_w


SERIES: dict[str, tuple[str, Curve]] = {
    "battery/battery_current_a": ("A", lambda at: _battery_w(at) / 51.2),
    "battery/battery_power_w": ("W", _battery_w),
    "battery/cell_temperature_max_c": ("°C", lambda at: 24.0 + abs(_battery_w(at)) / 600),
    "battery/cell_temperature_min_c": ("°C", lambda at: 21.5 + abs(_battery_w(at)) / 900),
    "battery/cell_voltage_max_v": ("V", _cell_v(0.012)),
    "battery/cell_voltage_min_v": ("V", _cell_v(-0.011)),
    "battery/contactor_closed": (
        "0/1", lambda at: float(fake_incidents.state_at(at) == "running"),
    ),
    "battery/pack_voltage_v": ("V", lambda at: 16 * (_cell_v(0.0)(at) or 0.0)),
    "battery/soc_pct": ("%", day.soc_pct),
    "battery/soh_pct": ("%", lambda _: 98.0),
    **{f"battery/battery_power/{stage}": ("W", _stage(stage)) for stage in STAGES},
    "site/grid_frequency_hz": ("Hz", lambda at: 50 + 0.02 * math.sin(at.timestamp() / 97)),
    "site/grid_power_w": ("W", _grid_w),
    "site/grid_voltage_v": ("V", lambda at: 231 + 2 * math.sin(at.timestamp() / 4000)),
    "site/load_power_w": ("W", day.load_w),
    "site/pv_power_w": ("W", day.pv_w),
    "site/request_w": ("W", day.battery_w),
    "site/state": ("state", lambda at: float(STATES.index(fake_incidents.state_at(at)))),
}  # fmt: skip


def gap(now: datetime) -> tuple[datetime, datetime]:
    """Returns a time in which nothing was recorded."""
    return now - timedelta(hours=8), now - timedelta(hours=7, minutes=25)


def _noise_w(at_s: float) -> float:
    return 60 * math.sin(at_s * 1.7) + 40 * math.sin(at_s * 0.31)


def _no(request: Request) -> Response | None:
    problem = request.app.state.fake.history_problem
    return JSONResponse({"detail": problem}, 503) if problem else None


async def _list(request: Request) -> Response:
    if (no := _no(request)) is not None:
        return no
    now = datetime.now(UTC)
    fake = request.app.state.fake
    if fake.history_is_empty:
        return JSONResponse([])
    last = now - timedelta(hours=9) if fake.history_is_stuck else now
    return JSONResponse(
        [
            {"key": key, "unit": unit, "first": iso(now - KEPT), "last": iso(last)}
            for key, (unit, _) in sorted(SERIES.items())
        ]
    )


def _span(request: Request) -> tuple[datetime, datetime]:
    """A day without a time is one of the site."""
    start, end = (datetime.fromisoformat(request.query_params[name]) for name in ("start", "end"))
    return (
        start if start.tzinfo else start.replace(tzinfo=ZONE),
        end if end.tzinfo else end.replace(tzinfo=ZONE),
    )


def step_s(start: datetime, end: datetime, points: int) -> int:
    """Returns the step of a level, or several of them, as the reader of a history chooses it."""
    length_s = (end - start).total_seconds()
    level_s = max(level for level in LEVELS_S if level <= max(length_s / points, 1.0))
    return level_s * max(math.ceil(length_s / (level_s * points)), 1)


async def _values(request: Request) -> Response:
    if (no := _no(request)) is not None:
        return no
    start, end = _span(request)
    keys = request.query_params.getlist("series")
    unknown = [key for key in keys if key not in SERIES]
    if unknown:
        detail = f"series: there is no {unknown[0]!r}; the list of series has all"
        return JSONResponse({"detail": detail}, 422)
    step = step_s(start, end, int(request.query_params.get("points", "800")))
    first_s = start.timestamp() // step * step
    count = math.ceil((end.timestamp() - first_s) / step)
    times = [first_s + step * n for n in range(count)]
    return JSONResponse(
        {
            "start": iso(datetime.fromtimestamp(first_s, UTC)),
            "end": iso(datetime.fromtimestamp(first_s + step * count, UTC)),
            "step_s": step,
            "series": {key: _series(key, times, first_s, step) for key in keys},
        }
    )


def _series(key: str, times: list[float], first_s: float, step: int) -> dict[str, Any]:
    unit, curve = SERIES[key]
    is_noisy = unit == "W" and "/battery_power/" not in key
    now = datetime.now(UTC)
    begins, ends = gap(now)
    mean: list[float | None] = []
    for at_s in times:
        at = datetime.fromtimestamp(at_s, UTC)
        value = None if begins <= at < ends or at > now else curve(at)
        mean.append(value if value is None or not is_noisy else value + _noise_w(at_s))
    wide = min(400.0, 8.0 * math.sqrt(step)) if is_noisy and step > 1 else 0.0
    known = [
        (at_s - first_s, value)
        for at_s, value in zip(times, mean, strict=True)
        if value is not None
    ]
    return {
        "unit": unit,
        "t": [offset_s for offset_s, _ in known],
        "mean": [value for _, value in known],
        "min": [value - wide for _, value in known],
        "max": [value + wide * 1.6 for _, value in known],
    }


async def _spells(request: Request) -> Response:
    start, end = _span(request)
    if end - start > timedelta(days=32):
        return JSONResponse({"detail": "end: may be 32 days after start at most"}, 422)
    found = [
        finding
        for finding in fake_incidents.findings()
        if finding["start"] < iso(end) and (finding["end"] or iso(end)) >= iso(start)
    ]
    return JSONResponse({"states": [], "findings": found, "decisions": []})


async def _export(request: Request) -> Response:
    query = request.query_params
    if query["format"] == "parquet":
        return Response(b"PAR1", media_type="application/vnd.apache.parquet")
    lines = [",".join(["time_utc", *query.getlist("series")])]
    return Response("\n".join(lines) + "\n", media_type="text/csv")


def _days(start: datetime, end: datetime, step: str) -> Iterator[tuple[datetime, datetime]]:
    at = start.astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    if step == "month":
        at = at.replace(day=1)
    while at < end:
        after = at + timedelta(days=32 if step == "month" else 1)
        after = after.replace(day=1) if step == "month" else after
        yield at, after
        at = after


async def _energy(request: Request) -> Response:
    if (no := _no(request)) is not None:
        return no
    step = request.query_params["step"]
    rows = [_energies(*row, step) for row in _days(*_span(request), step)]
    return JSONResponse({"currency": "EUR", "rows": rows})


def _energies(start: datetime, end: datetime, step: str) -> dict[str, Any]:
    quarters = [start.replace(hour=0) + day.QUARTER * n for n in range(96)]
    until = datetime.now(UTC)
    known = [at.astimezone(UTC) for at in quarters if step == "month" or at < until]
    days = 30 if step == "month" else 1
    cloud = 0.55 + 0.45 * math.sin(start.toordinal() * 1.9)

    def wh(power: Curve, sign: int = 1) -> float:
        return sum(max(0.0, sign * (power(at) or 0.0)) for at in known) / 4 * days

    return {
        "start": iso(start), "end": iso(end),
        "pv_wh": wh(day.pv_w) * cloud, "load_wh": wh(day.load_w),
        "import_wh": wh(_grid_w) * (1.4 - cloud), "export_wh": wh(_grid_w, -1) * cloud,
        "charge_wh": wh(_battery_w) * cloud, "discharge_wh": wh(_battery_w, -1) * cloud,
        "cost": 1.2, "cost_no_battery": 2.1, "purchase_per_kwh": 0.28, "feed_in_per_kwh": 0.08,
        "complete": len(known) / 96 * (0.93 if start.day % 7 == 3 else 1.0), "priced": 1.0,
    }  # fmt: skip


ROUTES = [
    Route("/history", _values),
    Route("/history/series", _list),
    Route("/history/spells", _spells),
    Route("/history/export", _export),
    Route("/energy", _energy),
]
