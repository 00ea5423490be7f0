"""What was measured, set and decided: any series, at the step that fits, or as a file."""

import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import numpy as np
from fastapi import APIRouter, Depends, HTTPException, Query, Request
from pydantic import BaseModel
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse

from holdfast.api.access import Right, needs
from holdfast.api.bodies import Moment
from holdfast.api.jobs import Jobs
from holdfast.api.site_view import SiteView, View
from holdfast.api.turns import IN_TURN
from holdfast.core.texts import MAX_NAME
from holdfast.monitoring.history.past_spells import PastDecision, PastFinding, PastState
from holdfast.monitoring.history.past_values import PastSeries, SeriesInfo

router = APIRouter(prefix="/history", tags=["history"])
Reader = Depends(needs(Right.SITE_READ))
MOST_SERIES: Final = 20
MOST_POINTS: Final = 5000
MOST_CELLS: Final = 3_000_000
"""A file has no more values."""
LONGEST: Final = timedelta(days=20 * 366)
Key = Annotated[str, Query(min_length=1, max_length=3 * MAX_NAME)]
Keys = Annotated[list[Key], Query(min_length=1, max_length=MOST_SERIES)]
_FILES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "A row a step: the time, then each series.",
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            "application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}
_MEDIA: Final = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}


class Series(BaseModel):
    """Holds the values of one series; where nothing was measured there is none."""

    unit: str
    t: list[int]
    """Tells when each step begins, in s since ``start``."""
    mean: list[float]
    min: list[float]
    max: list[float]


class Values(BaseModel):
    """Holds series between two times."""

    start: datetime
    end: datetime
    step_s: int
    series: dict[str, Series]


class Spells(BaseModel):
    """Holds what lasted for a while."""

    states: tuple[PastState, ...]
    findings: tuple[PastFinding, ...]
    decisions: tuple[PastDecision, ...]


@router.get("/series", dependencies=[Reader, IN_TURN])
def series(view: View) -> list[SeriesInfo]:
    """Lists all series, and from when to when each has values."""
    return view.history.read(lambda reader: reader.list_series())


@router.get("", dependencies=[Reader, IN_TURN])
def values(
    view: View,
    series: Keys,
    start: Annotated[Moment, Query()],
    end: Annotated[Moment, Query()],
    points: Annotated[int, Query(ge=1, le=MOST_POINTS)] = 800,
) -> Values:
    """Returns about ``points`` values of each series, all at one step that fits."""
    _check_span(start, end)
    found = view.history.read(lambda reader: reader.series(series, start, end, points))
    end_s = found.step_s * found.count
    return Values(
        start=found.start,
        end=found.start + timedelta(seconds=end_s),
        step_s=found.step_s,
        series={key: _series(one, found.step_s) for key, one in found.series.items()},
    )


@router.get("/spells", dependencies=[Reader, IN_TURN])
def spells(
    view: View, start: Annotated[Moment, Query()], end: Annotated[Moment, Query()]
) -> Spells:
    """Returns states, findings and who decided, between two times no more than 32 days apart."""
    _check_span(start, end, timedelta(days=32))
    return view.history.read(
        lambda reader: Spells(
            states=tuple(reader.states(start, end)),
            findings=tuple(reader.findings(start, end)),
            decisions=tuple(reader.decisions(start, end)),
        )
    )


@router.get(
    "/export",
    dependencies=[Depends(needs(Right.HISTORY_EXPORT))],
    response_class=FileResponse,
    responses=_FILES,
)
async def export(
    view: View,
    request: Request,
    series: Keys,
    start: Annotated[Moment, Query()],
    end: Annotated[Moment, Query()],
    format: Annotated[Literal["csv", "parquet"], Query()] = "csv",  # noqa: A002 - as it is asked for
) -> FileResponse:
    """Returns a file with a row a step, at the finest step that is kept."""
    _check_span(start, end)
    await run_in_threadpool(_check_export, view, series, start, end)
    jobs: Jobs = request.app.state.jobs
    folder = tempfile.TemporaryDirectory(prefix="holdfast-export-")
    path = Path(folder.name) / f"history.{format}"
    question = view.history.question() | {
        "series": series,
        "start": start.isoformat(),
        "end": end.isoformat(),
        "format": format,
        "path": str(path),
    }
    try:
        await jobs.output("export", question)
    except BaseException:
        folder.cleanup()
        raise
    return FileResponse(
        path,
        media_type=_MEDIA[format],
        filename=f"{start:%Y-%m-%d}-{end:%Y-%m-%d}.{format}",
        background=BackgroundTask(folder.cleanup),
    )


def _check_span(start: datetime, end: datetime, longest: timedelta = LONGEST) -> None:
    if not start < end:
        raise HTTPException(422, "end: has to be after start")
    if end - start > longest:
        raise HTTPException(422, f"end: may be {longest.days} days after start at most")


def _check_export(view: SiteView, keys: list[str], start: datetime, end: datetime) -> None:
    """Raises HTTPException 422 for an unknown series, or too much at once."""
    view.history.read(lambda reader: reader.series(keys, start, end, 1))
    most = MOST_CELLS // len(keys)
    step_s = view.history.read(lambda reader: reader.finest_step_s(keys, start, end, most))
    if (end - start).total_seconds() / step_s > most:
        raise HTTPException(422, f"that is more than {MOST_CELLS} values: ask for less at once")


def _series(found: PastSeries, step_s: int) -> Series:
    known = np.flatnonzero(~np.isnan(found.mean))
    return Series(
        unit=found.unit,
        t=(known * step_s).tolist(),
        mean=found.mean[known].tolist(),
        min=found.lowest[known].tolist(),
        max=found.highest[known].tolist(),
    )
