"""The emergency stop of the plain pages: to the controller's socket for stops, and nothing between.

Whoever presses has his answer within a second or so, also that nobody took the stop. Presses that
come together go together: the controller lets one process have few connections.
"""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum, auto

from holdfast.client.control import ControlClient
from holdfast.client.messages import Reply
from holdfast.core.commands import Command
from holdfast.core.errors import AlreadyRunning, ConfigError, NotRunning
from holdfast.core.state_machine import State
from holdfast.site.files import SiteFiles
from holdfast.site.site_lock import refuse_second

WITHIN_S = 1.0
"""Whoever needs a stop has no time for a controller that hangs."""
_AGAIN_S = 0.05


class Outcome(Enum):
    """Tells what became of a stop."""

    TAKEN = auto()
    """The controller has carried it out."""
    REFUSED = auto()
    """The controller answered something else."""
    HANGS = auto()
    """A controller runs, and does not answer."""
    ABSENT = auto()
    """No controller runs."""
    FORBIDDEN = auto()
    """This process may not talk to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopAnswer:
    """Holds what became of a stop, and what the controller said."""

    outcome: Outcome
    reason: str = ""


class Stopper:
    """Hands stops to the controller, in a thread of its own: nothing else is done there."""

    def __init__(self, files: SiteFiles) -> None:
        self._files = files
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="stop")
        self._under_way: asyncio.Future[StopAnswer] | None = None

    async def stop(self) -> StopAnswer:
        """Stops the site. Tries again for WITHIN_S if that fails."""
        end_s = time.monotonic() + WITHIN_S
        said: StopAnswer | None = None
        while (left_s := end_s - time.monotonic()) > 0.0:
            answer = await self._tried(left_s)
            if answer is None:
                break
            if answer.outcome is Outcome.TAKEN:
                return answer
            said = answer
            await asyncio.sleep(_AGAIN_S)
        if said is not None and said.outcome is not Outcome.ABSENT:
            return said
        # One that was absent may be there by now, and may have been asked.
        reason = "" if said is None else said.reason
        return StopAnswer(outcome=_silent(self._files), reason=reason)

    async def _tried(self, within_s: float) -> StopAnswer | None:
        """Tries once, or waits for who is trying; None if there is no answer in time."""
        if self._under_way is None or self._under_way.done():
            loop = asyncio.get_running_loop()
            self._under_way = loop.run_in_executor(self._thread, send_stop, self._files)
        try:
            return await asyncio.wait_for(asyncio.shield(self._under_way), within_s)
        except TimeoutError:
            return None

    def close(self) -> None:
        """Lets go of the thread."""
        self._thread.shutdown(wait=False)


def send_stop(files: SiteFiles) -> StopAnswer:
    """Asks the controller once for an emergency stop, and waits for its answer."""
    try:
        with ControlClient.for_stops(files, WITHIN_S) as client:
            reply = client.command(Command.EMERGENCY_STOP)
    except NotRunning as error:
        return StopAnswer(outcome=_why(files, error), reason=str(error))
    except ValueError as error:
        return StopAnswer(outcome=Outcome.REFUSED, reason=str(error))
    taken = Outcome.TAKEN if _is_taken(reply) else Outcome.REFUSED
    return StopAnswer(outcome=taken, reason=reply.reason)


def _is_taken(reply: Reply) -> bool:
    return reply.accepted and reply.state is State.STOPPED


def _why(files: SiteFiles, error: NotRunning) -> Outcome:
    if isinstance(error.__cause__, PermissionError):
        return Outcome.FORBIDDEN
    return _silent(files)


def _silent(files: SiteFiles) -> Outcome:
    return Outcome.HANGS if runs(files, "controller") else Outcome.ABSENT


def runs(files: SiteFiles, process: str) -> bool:
    """Says whether ``process`` of the site runs; a kernel's lock tells."""
    try:
        refuse_second(files, process)
    except AlreadyRunning:
        return True
    except ConfigError:
        return False
    return False
