"""Reports of a day, a month or a year: a page to print, or a table."""

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from holdfast.api.access import Right, needs
from holdfast.api.bodies import Day
from holdfast.api.jobs import Jobs
from holdfast.api.report import PeriodReport, encode_report, make_report, report_csv
from holdfast.api.site_view import SiteView, View
from holdfast.api.turns import IN_TURN

router = APIRouter(
    prefix="/reports",
    tags=["reports"],
    dependencies=[Depends(needs(Right.HISTORY_EXPORT)), IN_TURN],
)
Kind = Literal["day", "month", "year"]
_FILES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The report.",
        "content": {
            "application/pdf": {"schema": {"type": "string", "format": "binary"}},
            "text/csv": {"schema": {"type": "string"}},
        },
    }
}


@router.get("/{kind}/{day}", response_class=Response, responses=_FILES)
async def report(
    view: View,
    request: Request,
    kind: Annotated[Kind, Path()],
    day: Annotated[Day, Path(description="Any day of it, on the site's clock.")],
    format: Annotated[Literal["pdf", "csv"], Query()] = "pdf",  # noqa: A002 - as it is asked for
) -> Response:
    """Returns the report of the day, month or year that a day is in."""
    made = await run_in_threadpool(_make, view, kind, day)
    name = f"{kind}-{made.day}.{format}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    if format == "csv":
        return Response(report_csv(made), media_type="text/csv", headers=headers)
    jobs: Jobs = request.app.state.jobs
    content = await jobs.output("report_pdf", {"report": encode_report(made).decode()})
    return Response(content, media_type="application/pdf", headers=headers)


def _make(view: SiteView, kind: Kind, day: Day) -> PeriodReport:
    return view.history.read(
        lambda reader: make_report(
            reader,
            kind,
            day,
            site=view.site.name,
            currency=view.site.currency,
            zone=view.history.zone,
        )
    )
