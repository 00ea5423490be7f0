"""What a person asks of the site. The controller decides; its answer is handed on."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import BaseModel, Field

from holdfast.api.access import Principal, Right, needs
from holdfast.api.auth.dependencies import auth_of
from holdfast.api.bodies import Body, Moment
from holdfast.api.offers import STOPS
from holdfast.api.problems import answers
from holdfast.api.site_view import SiteView, View
from holdfast.client.control import ControlClient
from holdfast.client.messages import Act
from holdfast.core.commands import Command
from holdfast.core.errors import NotRunning
from holdfast.core.state_machine import State
from holdfast.core.texts import MAX_ID

router = APIRouter(prefix="/commands", tags=["commands"], responses=answers(409))
WITHIN_S: Final = 2.0
Stopper = Annotated[Principal, Depends(needs(Right.SITE_STOP))]
Starter = Annotated[Principal, Depends(needs(Right.SITE_START))]
Resetter = Annotated[Principal, Depends(needs(Right.SITE_RESET))]
Service = Annotated[Principal, Depends(needs(Right.SITE_SERVICE_RESET))]


class CommandAsked(Body):
    """Shows that a command is meant now: it counts once, in order, and for what was just seen."""

    nonce: Annotated[str, Field(min_length=1, max_length=MAX_ID)]
    """It is random: the same one is accepted once."""
    sequence: Annotated[int, Field(ge=0, lt=2**53)]
    """It grows with each command of one session or token."""
    seen: Moment
    """Tells the time of the snapshot that the person saw."""


class Answer(BaseModel):
    """Tells what the controller said."""

    accepted: bool
    reason: str
    state: State


@router.post("/start")
def start(view: View, request: Request, asked: CommandAsked, who: Starter) -> Answer:
    """Lets power flow."""
    return _ask_freshly(view, request, Command.START, asked, who)


@router.post("/stop")
def stop(view: View, request: Request, who: Stopper) -> Answer:
    """Ends operation in order: 0 W, contactors open."""
    return _ask(view, request, Command.STOP, who)


@router.post("/estop")
def emergency_stop(view: View, request: Request, who: Stopper) -> Answer:
    """Stops at once, and latches; nobody has to log in."""
    return _ask(view, request, Command.EMERGENCY_STOP, who)


@router.post("/reset")
def reset(view: View, request: Request, asked: CommandAsked, who: Resetter) -> Answer:
    """Leaves ERROR; after an emergency stop STOPPED, on site only."""
    return _ask_freshly(view, request, Command.RESET, asked, who)


@router.post("/service_reset")
def service_reset(view: View, request: Request, asked: CommandAsked, who: Service) -> Answer:
    """Leaves ERROR after an inspection, also where a fault is latched for service."""
    return _ask_freshly(view, request, Command.SERVICE_RESET, asked, who)


def _ask_freshly(
    view: SiteView, request: Request, command: Command, asked: CommandAsked, who: Principal
) -> Answer:
    """Raises HTTPException 409 for what is not fresh, and as :func:`_ask` does."""
    auth = auth_of(request)
    refusal = auth.freshness.refusal(
        who.sender, nonce=asked.nonce, sequence=asked.sequence, seen=asked.seen
    )
    if refusal is not None:
        auth.tell(who, Act.COMMAND, f"{command}: {refusal}", accepted=False)
        raise HTTPException(409, refusal)
    return _ask(view, request, command, who)


def _ask(view: SiteView, request: Request, command: Command, who: Principal) -> Answer:
    """Raises HTTPException 409 if the controller refuses, 503 if it does not answer."""
    auth = auth_of(request)
    try:
        with _client(view, command) as client:
            reply = client.command(command, remote=not auth.is_local(request))
    except (NotRunning, ValueError) as error:
        raise HTTPException(503, str(error)) from error
    # The controller has it on record already, and not who asked.
    auth.tell(who, Act.COMMAND, f"{command}: {reply.reason}", accepted=reply.accepted)
    if not reply.accepted:
        raise HTTPException(409, f"{reply.reason}; the site is in {reply.state.name}")
    return Answer(accepted=reply.accepted, reason=reply.reason, state=reply.state)


def _client(view: SiteView, command: Command) -> ControlClient:
    if command in STOPS:
        return ControlClient.for_stops(view.files, WITHIN_S)
    return ControlClient(view.files.control_socket, WITHIN_S)
