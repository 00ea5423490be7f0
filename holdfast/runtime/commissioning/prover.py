"""The prover makes the steps of a proof on one unit, tells each, and keeps what was measured."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import assert_never

from holdfast.core.data_store import Snapshot
from holdfast.core.errors import DeviceError
from holdfast.core.signals import SITE, Signal
from holdfast.core.units import s_from_ns
from holdfast.runtime.commissioning import judgement
from holdfast.runtime.commissioning.commander import Commander, ProofStopped
from holdfast.runtime.commissioning.judgement import Order
from holdfast.runtime.commissioning.steps import (
    LONGEST_TIMER_S,
    TIMER_FACTOR,
    StepKind,
    StepRow,
    steps_of,
)
from holdfast.site.proof import OutageFound, ProofStep, TimerFound

NextLine = Callable[[], Awaitable[str]]
_BOTH = (1.0, -1.0)
_ON = "on"
_SWITCH_OFF = """\
   Switch the grid off at the main switch. This computer needs a supply of its own.
   Wait half a minute, look at the house, and type `served` if it has power, or `dark`."""
_SWITCH_ON = "   Switch the grid on again, and type `on`."


class Prover:
    """Makes the steps."""

    def __init__(
        self,
        commander: Commander,
        power_w: float,
        tell: Callable[[str], None],
        typed: NextLine | None = None,
    ) -> None:
        """Takes who ``typed`` an answer, a line at a time, where the grid may be switched off."""
        self._commander, self._wires, self._times = commander, commander.wires, commander.times
        self._power_w, self._say, self._typed = power_w, tell, typed
        self.steps: list[ProofStep] = []
        self.response_s: float | None = None
        self.outage: OutageFound | None = None
        self.timer: TimerFound | None = None
        self.timer_set_s: float | None = None
        self.timer_s: float | None = None

    async def all_steps(self) -> str:
        """Makes the steps until one fails; returns why it did, or nothing."""
        rows = steps_of(
            has_contactor=self._commander.contactor.is_ours, has_outage=self._typed is not None
        )
        for number, row in enumerate(rows, 1):
            power_w = self._power_w * row.share
            self.tell(f"{number} of {len(rows)}: " + row.text.format(power=f"{power_w:+.0f} W"))
            try:
                step = await self._make(row, power_w)
            except ProofStopped as stopped:
                return self._failed(row, str(stopped))
            except DeviceError as error:
                return self._failed(row, f"it cannot be told anything: {error}")
            self._keep(step)
        return ""

    def tell(self, line: str) -> None:
        """Tells whoever looks on."""
        with suppress(OSError):  # nobody does any more, and 0 W is to be written all the same
            self._say(line)

    # ------------------------------------------------------------------ steps

    async def _make(self, row: StepRow, power_w: float) -> ProofStep:
        match row.kind:
            case StepKind.READ:
                return await self._read(row)
            case StepKind.CONNECT:
                return await self._connect(row)
            case StepKind.TAKE_OVER | StepKind.COMMAND:
                return await self._command(row, power_w)
            case StepKind.OUTAGE:
                return await self._outage(row)
            case StepKind.SILENCE:
                return await self._silence(row, power_w)
            case _:
                assert_never(row.kind)

    async def _read(self, row: StepRow) -> ProofStep:
        end_s = time.monotonic() + self._times.read_s
        reason = "nothing was read"
        while time.monotonic() < end_s:
            snapshot = await self._commander.look()
            reason = self._commander.why_not(snapshot, _BOTH)
            if not reason:
                count = sum(map(len, self._wires.expected.values()))
                return ProofStep(
                    name=row.name, passed=True, told=f"{count} values came, and all can be true"
                )
        raise ProofStopped(reason)

    async def _connect(self, row: StepRow) -> ProofStep:
        began_s = time.monotonic()
        await self._commander.connect(await self._commander.look())
        closed_s = time.monotonic() - began_s
        told = f"the contactor is closed, and shows it, after {closed_s:.1f} s"
        return ProofStep(name=row.name, passed=True, told=told, figures={"closed_s": closed_s})

    async def _command(self, row: StepRow, to_w: float) -> ProofStep:
        before = await self._commander.look()
        ours = row.kind is not StepKind.TAKE_OVER
        order = await (
            self._commander.tell(to_w, before) if ours else self._commander.take_over(before)
        )
        end_s = time.monotonic() + self._times.command_s
        while (settled_s := self._commander.settled_s(order)) is None:
            if time.monotonic() >= end_s:
                power = self._wires.record(Signal.BATTERY_POWER_W)
                shown = self._wires.record(Signal.SETPOINT_READBACK_W)
                raise ProofStopped(judgement.why_not_there(power, shown, order))
            await self._commander.watch(order, guarded=ours)
        witnessed = await self._witnesses(order, before) if to_w else {}
        return self._measured(row, order, settled_s, witnessed)

    async def _outage(self, row: StepRow) -> ProofStep:
        order = await self._commander.tell(0.0, await self._commander.look())
        self.tell(_SWITCH_OFF)
        self.outage = OutageFound(await self._answer(order, *OutageFound))
        shown = self._wires.record(Signal.BATTERY_POWER_W)[-1:]
        self.tell(_SWITCH_ON)
        await self._answer(order, _ON)
        await self._until_grid_is_back(order)
        told = f"told 0 W the house was {self.outage}"
        figures: dict[str, float] = {}
        if shown:  # else it was silent while the grid was away
            figures["power_w"] = shown[0].value
            told += f", the battery at {shown[0].value:+.0f} W"
        return ProofStep(name=row.name, passed=True, told=told, figures=figures)

    async def _answer(self, order: Order, *words: str) -> str:
        """Returns one of ``words`` once somebody types it; the command is kept up until then."""
        assert self._typed is not None, "nobody asks where nobody can answer"
        while True:
            typing = asyncio.ensure_future(self._typed())
            try:
                while not typing.done():
                    await self._commander.hold(order)
                if (line := typing.result()) in words:
                    return line
            except EOFError:
                raise ProofStopped("nobody can answer any more") from None
            finally:
                typing.cancel()
            self.tell(f"   {line!r}: type {' or '.join(words)}")

    async def _until_grid_is_back(self, order: Order) -> None:
        end_s = time.monotonic() + self._times.grid_back_s
        while reason := self._commander.why_not(self._wires.look(), (0.0,)):
            if time.monotonic() >= end_s:
                raise ProofStopped(f"after {self._times.grid_back_s:g} s with the grid: {reason}")
            await self._commander.hold(order)

    async def _silence(self, row: StepRow, power_w: float) -> ProofStep:
        if why := self._wires.profile.lacks.get(Signal.REVERT_TIMEOUT_READBACK_S):
            self.timer = TimerFound.NONE
            return ProofStep(name=row.name, passed=True, told=f"left out, it has no timer: {why}")
        now = await self._commander.look()
        set_s = self.timer_set_s = self._commander.good(now, Signal.REVERT_TIMEOUT_READBACK_S)
        if set_s is None or not 0.0 < set_s <= LONGEST_TIMER_S:
            self.timer = TimerFound.LATE
            shown = "nothing" if set_s is None else f"{set_s:g} s"
            told = f"its timer shows {shown}, on which no site may rely: nobody waited for it"
            return ProofStep(name=row.name, passed=False, told=told)
        await self._command(row, power_w)
        order = await self._commander.tell(power_w, await self._commander.look(), keep_up=False)
        self.timer_s = await self._until_left(order, TIMER_FACTOR * set_s)
        return self._timed(row, set_s)

    async def _until_left(self, order: Order, longest_s: float) -> float | None:
        slack_s = 4.0 * self._wires.profile.poll_period_s + 0.5
        while s_from_ns(time.monotonic_ns() - order.written_ns) <= longest_s + slack_s:
            await self._commander.watch(order, guarded=False)
            left_s = judgement.left_s(self._wires.record(Signal.BATTERY_POWER_W), order)
            if left_s is not None:
                return left_s if left_s <= longest_s else None
        return None

    def _timed(self, row: StepRow, set_s: float) -> ProofStep:
        if self.timer_s is None:
            self.timer = TimerFound.LATE
            told = (
                f"its timer is set to {set_s:g} s, and after {TIMER_FACTOR * set_s:g} s the power "
                "was still there: nobody may rely on it"
            )
            return ProofStep(name=row.name, passed=False, told=told, figures={"set_s": set_s})
        self.timer = TimerFound.ENDS
        return ProofStep(
            name=row.name,
            passed=True,
            told=f"the power left after {self.timer_s:.1f} s; its timer is set to {set_s:g} s",
            figures={"set_s": set_s, "left_s": self.timer_s},
        )

    # ------------------------------------------------------------------ witnesses and figures

    async def _witnesses(self, order: Order, before: Snapshot) -> dict[str, float]:
        """Waits until BMS and meter confirm the power; returns what they told."""
        end_s = time.monotonic() + self._times.witness_s
        while True:
            snapshot = await self._commander.watch(order, guarded=True)
            told, reason = self._witnessed(order, before, snapshot)
            if not reason:
                return told
            if time.monotonic() >= end_s:
                raise ProofStopped(reason)

    def _witnessed(
        self, order: Order, before: Snapshot, now: Snapshot
    ) -> tuple[dict[str, float], str]:
        good = self._commander.good
        current_a = good(now, Signal.BATTERY_CURRENT_A) or 0.0
        voltage_v = good(now, Signal.PACK_VOLTAGE_V) or 0.0
        moved_w = (good(now, Signal.BATTERY_POWER_W) or 0.0) - order.from_w
        grid_w, was_w = _grid_w(now), _grid_w(before)
        told = {"current_a": current_a, "grid_moved_w": grid_w - was_w}
        if not judgement.current_agrees(current_a, voltage_v, order):
            return told, (
                f"the inverter tells {order.to_w:+.0f} W and the BMS {current_a:+.1f} A: one of "
                "them has a wrong sign or scale"
            )
        if abs(moved_w) > order.tolerance_w and not judgement.grid_agrees(was_w, grid_w, moved_w):
            return told, (
                f"the battery moved by {moved_w:+.0f} W and the grid meter by "
                f"{grid_w - was_w:+.0f} W: one of them has a wrong sign or scale, or a load was "
                "switched at the same moment; then try again"
            )
        return told, ""

    def _measured(
        self, row: StepRow, order: Order, settled_s: float, witnessed: dict[str, float]
    ) -> ProofStep:
        power = self._wires.record(Signal.BATTERY_POWER_W)
        shown_s = judgement.shown_s(self._wires.record(Signal.SETPOINT_READBACK_W), order)
        risen_s = judgement.risen_s(power, order)
        figures = {"settled_s": settled_s, "power_w": power[-1].value} | witnessed
        told = f"{power[-1].value:+.0f} W"
        for name, text, value in (
            ("shown_s", "shown", shown_s),
            ("risen_s", "most of it there", risen_s),
        ):
            if value is not None:
                figures[name] = value
                told += f", {text} after {value:.2f} s"
        told += f", steady after {settled_s:.2f} s"
        if row.share:
            self.response_s = max(settled_s, self.response_s or 0.0)
            told += f"; BMS {figures['current_a']:+.1f} A, grid {figures['grid_moved_w']:+.0f} W"
        return ProofStep(name=row.name, passed=True, told=told, figures=figures)

    def _failed(self, row: StepRow, reason: str) -> str:
        self._keep(ProofStep(name=row.name, passed=False, told=reason))
        return f"{row.name}: {reason}"

    def _keep(self, step: ProofStep) -> None:
        self.steps.append(step)
        self.tell(f"   {'ok' if step.passed else 'NOT RIGHT'}: {step.told}")


def _grid_w(snapshot: Snapshot) -> float:
    """Returns what flows at the grid connection, as if there were no PV."""
    grid_w = snapshot.good(SITE, Signal.GRID_POWER_W) or 0.0
    return grid_w + (snapshot.good(SITE, Signal.PV_POWER_W) or 0.0)
