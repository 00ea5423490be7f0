"""A device is proven by being told a small power, step by step, and watched while it does it.

Whatever happens in between, 0 W is written in the end until it is seen.
"""

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from holdfast.core.config import Site, StorageUnit
from holdfast.runtime.commissioning.commander import Commander
from holdfast.runtime.commissioning.prover import NextLine, Prover
from holdfast.runtime.commissioning.steps import ProofTimes
from holdfast.runtime.commissioning.wires import UnitWires
from holdfast.site.proof import Proof, device_digest

_ENDED = "whoever ran it ended it"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofOutcome:
    """Holds a proof; one that somebody ended says nothing of the device."""

    proof: Proof
    interrupted: bool


async def prove(
    site: Site,
    unit: StorageUnit,
    power_w: float,
    tell: Callable[[str], None],
    *,
    typed: NextLine | None = None,
    firmware: str = "",
    times: ProofTimes | None = None,
) -> ProofOutcome:
    """Makes all steps, tells each, and leaves the inverter at 0 W.

    With ``typed``, which returns what somebody types next, the grid is to be switched off as well.
    """
    async with UnitWires(site, unit) as wires:
        commander = Commander(wires, unit, power_w, times or ProofTimes())
        prover = Prover(commander, power_w, tell, typed)
        try:
            reason, interrupted = await _until_ended(prover.all_steps())
        finally:
            if commander.touched:
                prover.tell("the end: 0 W is written until it is seen")
            at_zero = await commander.to_zero()
            is_open = await commander.disconnect()
    proof = Proof(
        unit=unit.name,
        table=wires.profile.name,
        device=device_digest(unit.inverter),
        firmware=firmware,
        utc=datetime.now(UTC).replace(microsecond=0),
        power_w=power_w,
        reason=reason or _why_not_left(at_zero=at_zero, is_open=is_open),
        at_zero=at_zero,
        steps=tuple(prover.steps),
        response_s=prover.response_s,
        timer=prover.timer,
        timer_set_s=prover.timer_set_s,
        timer_s=prover.timer_s,
        outage=prover.outage,
    )
    return ProofOutcome(proof=proof, interrupted=interrupted)


def _why_not_left(*, at_zero: bool, is_open: bool) -> str:
    if not at_zero:
        return "0 W was not seen in the end"
    return "" if is_open else "the contactor was not seen open in the end"


async def _until_ended(steps: Coroutine[Any, Any, str]) -> tuple[str, bool]:
    """Returns why the steps failed, if they did, and whether somebody ended them."""
    task = asyncio.create_task(steps)
    _end_on_signals(task)
    try:
        return await task, False
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait([task])  # what it is writing must not come after the 0 W
        return _ENDED, True


def _end_on_signals(task: "asyncio.Task[str]") -> None:
    """Ends ``task`` on Ctrl-C, SIGTERM and a terminal that goes away; nothing ends what is after
    it, since that writes 0 W."""
    if threading.current_thread() is threading.main_thread():
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, task.cancel)
