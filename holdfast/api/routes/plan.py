"""The plan, and what it asks for now."""

from datetime import UTC, datetime

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from holdfast.api.access import Right, needs
from holdfast.api.site_view import FreshStatus, View
from holdfast.client.plan_report import PlanReport, read_report
from holdfast.core.manual_slot import ManualSlot
from holdfast.core.slot_mode import SlotMode

router = APIRouter(tags=["plan"], dependencies=[Depends(needs(Right.SITE_READ))])


class PlanNow(BaseModel):
    """Tells what the planner last did."""

    report: PlanReport | None
    """Null: there is none yet."""
    manual: tuple[ManualSlot, ...]
    """Holds what people ask for, in place of the plan."""
    age_s: float | None


class Recommendation(BaseModel):
    """Tells what is asked of the batteries now, and why."""

    mode: SlotMode | None
    """Null: no plan is followed."""
    power_w: float
    """Tells what is asked of all batteries together, + charging."""
    source: str
    """Tells who asks, such as the plan or the local rule."""
    reason: str
    optimization_status: str | None
    expected_soc_pct: float | None
    until: datetime | None


@router.get("/plan")
def plan(view: View) -> PlanNow:
    """Returns the plan, slot by slot, with the reasons."""
    report = read_report(view.files)
    age_s = None if report is None else (datetime.now(UTC) - report.utc).total_seconds()
    return PlanNow(report=report, manual=view.manual.current().slots, age_s=age_s)


@router.get("/recommendation/now")
def recommendation(latest: FreshStatus) -> Recommendation:
    """Tells what is asked of the batteries now, and why."""
    followed = latest.plan
    slot = None if followed is None else followed.slot
    return Recommendation(
        mode=None if slot is None else slot.mode,
        power_w=latest.request_w,
        source=latest.request_source,
        reason=latest.request_reason,
        optimization_status=None if followed is None else followed.status,
        expected_soc_pct=None if slot is None else slot.soc_end_pct,
        until=None if slot is None else slot.end,
    )
