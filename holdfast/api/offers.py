"""Which commands can be given now, by whom, and why the others cannot.

The controller decides; this tells beforehand what it would say, so that a page offers nothing that
is refused.
"""

from collections.abc import Set
from dataclasses import dataclass
from typing import Final, assert_never

from holdfast.api.access import Right
from holdfast.core.commands import Command
from holdfast.core.signals import SITE, Signal
from holdfast.core.state_machine import State
from holdfast.monitoring.status.schema import Status
from holdfast.safety.clearing import is_for_service, why_service

RIGHT_OF: Final = {
    Command.START: Right.SITE_START,
    Command.STOP: Right.SITE_STOP,
    Command.EMERGENCY_STOP: Right.SITE_STOP,
    Command.RESET: Right.SITE_RESET,
    Command.SERVICE_RESET: Right.SITE_SERVICE_RESET,
}
assert RIGHT_OF.keys() == set(Command)
STOPS: Final = frozenset({Command.STOP, Command.EMERGENCY_STOP})
_TRIPS: Final = frozenset({"trip", "emergency_stop"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Tells of one command whether it can be given now."""

    command: Command
    enabled: bool
    right: Right
    why_not: str
    """Tells what keeps it from being given; empty if nothing does."""


def offers(status: Status | None, rights: Set[Right], *, is_local: bool) -> tuple[Offer, ...]:
    """Returns an offer for each command, to who has ``rights``, on site if ``is_local``."""
    return tuple(
        _offer(command, _refusal(command, status, rights, is_local=is_local)) for command in Command
    )


def _offer(command: Command, why_not: str) -> Offer:
    return Offer(command=command, enabled=not why_not, right=RIGHT_OF[command], why_not=why_not)


def _refusal(command: Command, status: Status | None, rights: Set[Right], *, is_local: bool) -> str:
    if command is Command.EMERGENCY_STOP:
        return ""  # whatever is or is not known
    if status is None:
        return "no controller runs"
    if RIGHT_OF[command] not in rights:
        return f"takes the right {RIGHT_OF[command]}"
    match command:
        case Command.STOP:
            return "" if status.state is State.RUNNING else f"changes nothing in {_name(status)}"
        case Command.START:
            return _why_no_start(status)
        case Command.RESET | Command.SERVICE_RESET:
            return _why_no_reset(command, status, is_local=is_local)
        case _:
            assert_never(command)


def _why_no_start(status: Status) -> str:
    if status.state is not State.IDLE:
        return f"changes nothing in {_name(status)}"
    return "; ".join(status.waits_for)


def _why_no_reset(command: Command, status: Status, *, is_local: bool) -> str:
    match status.state:
        case State.STOPPED:
            return _why_no_release(status, is_local=is_local)
        case State.ERROR:
            return _why_not_clear(command, status)
        case _:
            return f"changes nothing in {_name(status)}"


def _why_no_release(status: Status, *, is_local: bool) -> str:
    if status.value(SITE, Signal.EMERGENCY_LOOP_CLOSED) != 1.0:
        return "the emergency-stop loop is not known to be closed"
    return "" if is_local else "after an emergency stop somebody has to reset on site"


def _why_not_clear(command: Command, status: Status) -> str:
    trips = [f"{found.owner}/{found.row}" for found in status.findings if found.reaction in _TRIPS]
    if trips:
        return f"not every cause has been clear for its hold time: {', '.join(trips)}"
    if command is Command.SERVICE_RESET:
        return ""
    kept = [why_service(fault) for fault in status.latched_faults if is_for_service(fault)]
    return f"for service only: {'; '.join(kept)}" if kept else ""


def _name(status: Status) -> str:
    return status.state.name
