"""What people ask of the batteries for a while, in place of the plan; it ends by itself."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException, Path, Request
from pydantic import BaseModel, Field

from holdfast.api.access import Principal, Right, needs
from holdfast.api.auth.dependencies import auth_of
from holdfast.api.bodies import Body, Moment
from holdfast.api.problems import answers
from holdfast.api.site_view import View
from holdfast.client.manual_slots import power_limit_w
from holdfast.client.messages import Act
from holdfast.core.errors import ManualRefused
from holdfast.core.manual_slot import ManualMode, ManualSlot
from holdfast.core.texts import MAX_ID, MAX_NAME

router = APIRouter(prefix="/manual", tags=["manual"])
Operator = Annotated[Principal, Depends(needs(Right.PLAN_OVERRIDE))]
ModeName = Literal["self_consumption", "hold", "charge", "discharge", "rest", "stand_aside"]
MOST_W = 1e9


class Wish(Body):
    """Holds what somebody asks for."""

    start: Moment | None = None
    """Null: from now on."""
    end: Moment
    mode: ModeName
    power_w: Annotated[float, Field(gt=0.0, le=MOST_W)] | None = None
    """Is that of all batteries together, > 0 W; in charge and discharge only."""
    owner: Annotated[str, Field(max_length=MAX_NAME)] = ""
    """Names who has the batteries meanwhile; in stand_aside only, where they rest at 0 W."""


class ManualNow(BaseModel):
    """Tells what people ask for, and what can be asked for."""

    slots: tuple[ManualSlot, ...]
    problem: str
    """Tells why nothing of what was asked before counts; empty if it does."""
    power_max_w: dict[ManualMode, float]
    """Tells the most that can be asked for, by mode, in W; 0 where no power is asked for."""


class Removed(BaseModel):
    """Tells what was removed."""

    id: str


@router.get("", dependencies=[Depends(needs(Right.SITE_READ))])
def manual(view: View) -> ManualNow:
    """Lists what people ask for from now on."""
    found = view.manual.current()
    limits_w = {mode: power_limit_w(view.site, mode) for mode in ManualMode}
    return ManualNow(slots=found.slots, problem=found.problem, power_max_w=limits_w)


@router.post("", status_code=201, responses=answers(409))
def ask(view: View, wish: Wish, operator: Operator, request: Request) -> ManualSlot:
    """Asks for a mode, or a power, for a while; of what was asked before the rest stays."""
    try:
        slot = view.manual.add(
            start=wish.start,
            end=wish.end,
            mode=ManualMode(wish.mode),
            power_w=wish.power_w,
            by=operator.name,
            owner=wish.owner,
        )
    except ManualRefused as error:
        raise HTTPException(409, str(error)) from error
    except OSError as error:
        raise HTTPException(503, f"it cannot be written: {error.strerror}") from error
    power = "" if slot.power_w is None else f" with {slot.power_w:.0f} W"
    owner = f" for {slot.owner}" if slot.owner else ""
    told = f"{slot.mode}{power}{owner} from {slot.start:%Y-%m-%d %H:%M:%S}Z to {slot.end:%H:%M:%S}Z"
    auth_of(request).tell(operator, Act.OVERRIDE, told)
    return slot


@router.delete("/{slot_id}", responses=answers(404))
def remove(
    view: View,
    slot_id: Annotated[str, Path(min_length=1, max_length=MAX_ID)],
    operator: Operator,
    request: Request,
) -> Removed:
    """Takes back what was asked for; the plan goes on in its place."""
    try:
        removed = view.manual.remove(slot_id)
    except OSError as error:
        raise HTTPException(503, f"it cannot be written: {error.strerror}") from error
    if not removed:
        raise HTTPException(404, f"no slot {slot_id!r} lasts or comes")
    auth_of(request).tell(operator, Act.OVERRIDE, f"slot {slot_id} taken back")
    return Removed(id=slot_id)
