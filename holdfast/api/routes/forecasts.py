"""What the last plan expects of load and PV."""

from datetime import datetime

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from holdfast.api.access import Right, needs
from holdfast.api.site_view import View
from holdfast.client.forecast_report import ForecastScore, ForecastSlot, read_forecast

router = APIRouter(tags=["forecasts"], dependencies=[Depends(needs(Right.SITE_READ))])


class Forecasts(BaseModel):
    """Tells what is expected, on what grounds, and how far to trust it; by ``load`` and ``pv``."""

    made: datetime | None
    """Null: there is no forecast yet."""
    slots: tuple[ForecastSlot, ...]
    basis: dict[str, str]
    model: dict[str, str]
    score: dict[str, ForecastScore | None]


@router.get("/forecasts")
def forecasts(view: View) -> Forecasts:
    """Lists what is expected by quarter hour, with the range that 8 of 10 fall into."""
    report = read_forecast(view.files)
    if report is None:
        return Forecasts(made=None, slots=(), basis={}, model={}, score={})
    return Forecasts(
        made=report.made,
        slots=report.slots,
        basis=dict(report.basis),
        model=dict(report.model),
        score=dict(report.score),
    )
