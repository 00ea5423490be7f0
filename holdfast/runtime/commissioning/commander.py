"""The commander tells an inverter a power, keeps it up, and watches; in the end it sees 0 W."""

import asyncio
import time
from collections.abc import Collection
from contextlib import suppress

from holdfast.core.commands import Point
from holdfast.core.config import StorageUnit
from holdfast.core.data_store import Snapshot
from holdfast.core.errors import DeviceError
from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_S, s_from_ns
from holdfast.runtime.commissioning import judgement
from holdfast.runtime.commissioning.bounds import why_lost, why_stop
from holdfast.runtime.commissioning.contactor import ProofContactor
from holdfast.runtime.commissioning.judgement import Order
from holdfast.runtime.commissioning.steps import ProofTimes
from holdfast.runtime.commissioning.wires import UnitWires

_TOLERANCE, _LEAST_TOLERANCE_W = 0.2, 50.0
"""A small power is kept and measured no better than this."""
_SEEN_WITHIN_S = 3.0
"""So long is looked for 0 W before it is written again,"""
_SEEN_POLLS = 6
"""and for so many polls more, where a device is slow."""
_LOST_LOOKS = 10


class ProofStopped(Exception):
    """The power has to end; its text says why."""


class Commander:
    """Has the inverter of one unit in hand."""

    def __init__(
        self, wires: UnitWires, unit: StorageUnit, power_w: float, times: ProofTimes
    ) -> None:
        self.wires, self.times = wires, times
        self._unit, self._power_w = unit, power_w
        traits = wires.profile.traits[Point.SETPOINT_W]
        self._step_w = max(1.0, traits.step)
        self._tolerance_w = max(_TOLERANCE * power_w, _LEAST_TOLERANCE_W, 2.0 * self._step_w)
        self._refresh_s = None if traits.refresh_ns is None else s_from_ns(traits.refresh_ns)
        self._beat_ns: int | None = None
        """The command is written anew then, so that it does not end by itself."""
        self.touched = False
        """Says whether anything was written."""
        self._enabled_here = False
        self._lost_looks = 0
        self.contactor = ProofContactor(wires, unit)

    async def look(self) -> Snapshot:
        """Waits a moment, keeps the contactor, and returns what is known then."""
        await asyncio.sleep(self.times.look_s)
        snapshot = self.wires.look()
        if self.touched:
            await self.contactor.keep(snapshot)
        return snapshot

    def good(self, snapshot: Snapshot, signal: Signal) -> float | None:
        """Returns what the unit tells of ``signal``."""
        return snapshot.good(self._unit.name, signal)

    async def connect(self, before: Snapshot) -> None:
        """Closes the contactor, onto a power stage that is off. Raises ProofStopped."""
        order = await self.tell(0.0, before)
        if Point.ENABLE in self.wires.profile.points:
            await self.wires.write(Point.ENABLE, 0.0)
        self.contactor.want(closed=True)
        end_s = time.monotonic() + self.times.connect_s
        while not self.contactor.is_closed(await self.watch(order, guarded=False)):
            if time.monotonic() >= end_s:
                raise ProofStopped(f"the contactor is not closed after {self.times.connect_s:g} s")

    async def disconnect(self) -> bool:
        """Opens the contactor, and sees it open; True if there is none."""
        self.contactor.want(closed=False)
        end_s = time.monotonic() + self.times.connect_s
        while self.touched and time.monotonic() < end_s:
            with suppress(DeviceError):
                if self.contactor.is_open(await self.look()):
                    return True
        return not self.touched

    async def take_over(self, before: Snapshot) -> Order:
        """Tells 0 W, as a running site does: the timer first, the power stage last."""
        self.touched = True
        points = self.wires.profile.points
        if Point.REVERT_TIMEOUT_S in points:
            wanted_s = self._unit.inverter_hardware.revert_timeout_s
            await self.wires.write(Point.REVERT_TIMEOUT_S, wanted_s)
        order = await self.tell(0.0, before)
        if Point.ENABLE in points:
            self._enabled_here = self.good(before, Signal.INVERTER_ENABLED) != 1.0
            await self.wires.write(Point.ENABLE, 1.0)
        return order

    async def tell(self, to_w: float, before: Snapshot, *, keep_up: bool = True) -> Order:
        """Tells a power. Unless it is to ``keep_up``, it is told once."""
        from_w = self.good(before, Signal.BATTERY_POWER_W) or 0.0
        self.touched = True
        self.wires.forget()
        written_ns = await self.wires.write(Point.SETPOINT_W, to_w)
        self._beat_ns = self._next_beat_ns() if keep_up else None
        return self._order(from_w, to_w, written_ns)

    async def watch(self, order: Order, *, guarded: bool) -> Snapshot:
        """Looks once, and keeps the command up.

        Raises ProofStopped where something is not as it should be; unless ``guarded`` the power
        itself is not judged, since it is by the device's own rule.
        """
        snapshot = await self.look()
        direction = 0.0 if order.to_w == 0.0 else order.to_w / abs(order.to_w)
        reason = self.contactor.trouble or why_stop(snapshot, self.wires.limits, (direction,))
        if reason:
            raise ProofStopped(reason)
        self._check_lost(snapshot)
        for sample in self.wires.record(Signal.BATTERY_POWER_W) if guarded else ():
            is_new = sample.time_ns >= order.written_ns
            if is_new and (reason := judgement.danger(sample.value, order)):
                raise ProofStopped(reason)
        await self._beat(order)
        return snapshot

    async def _beat(self, order: Order) -> None:
        if self._beat_ns is not None and time.monotonic_ns() >= self._beat_ns:
            await self.wires.write(Point.SETPOINT_W, order.to_w)
            self._beat_ns = self._next_beat_ns()

    async def hold(self, order: Order) -> None:
        """Keeps the command up, whatever is told: while the grid is away much may be silent."""
        with suppress(DeviceError):
            await self.look()
        with suppress(DeviceError):
            await self._beat(order)

    def why_not(self, snapshot: Snapshot, directions: Collection[float]) -> str:
        """Returns why power may not flow in ``directions``; empty if it may."""
        lost = self._why_lost(snapshot)
        return lost or why_stop(snapshot, self.wires.limits, directions)

    def _check_lost(self, snapshot: Snapshot) -> None:
        """Raises ProofStopped for what stays lost: after a stall of this computer the first look
        comes before the next answer."""
        lost = self._why_lost(snapshot)
        self._lost_looks = self._lost_looks + 1 if lost else 0
        if self._lost_looks >= _LOST_LOOKS:
            raise ProofStopped(lost)

    def _why_lost(self, snapshot: Snapshot) -> str:
        lost = why_lost(snapshot, self.wires.expected)
        silent = self.wires.why_silent() if lost else ""
        return f"{lost} ({silent})" if silent else lost

    def settled_s(self, order: Order) -> float | None:
        """Returns after what time the power was there, once it is, is shown, and stays."""
        if judgement.shown_s(self.wires.record(Signal.SETPOINT_READBACK_W), order) is None:
            return None
        is_on = self.good(self.wires.look(), Signal.INVERTER_ENABLED) == 1.0
        if self._enabled_here and not is_on:
            return None
        return judgement.settled_s(self.wires.record(Signal.BATTERY_POWER_W), order)

    async def to_zero(self) -> bool:
        """Writes 0 W until it is seen; True if it was, or nothing was ever written."""
        if not self.touched:
            return True
        end_s = time.monotonic() + self.times.zero_s
        while time.monotonic() < end_s:
            with suppress(DeviceError):
                self.wires.forget()
                written_ns = await self.wires.write(Point.SETPOINT_W, 0.0)
                if await self._sees(self._order(0.0, 0.0, written_ns), end_s):
                    if self._enabled_here:
                        await self.wires.write(Point.ENABLE, 0.0)
                    return True
        return False

    async def _sees(self, order: Order, end_s: float) -> bool:
        polls_s = _SEEN_POLLS * self.wires.profile.poll_period_s
        again_s = min(end_s, time.monotonic() + _SEEN_WITHIN_S + polls_s)
        while time.monotonic() < again_s:
            await self.look()
            shown = self.wires.record(Signal.SETPOINT_READBACK_W)
            power = self.wires.record(Signal.BATTERY_POWER_W)
            if (
                judgement.shown_s(shown, order) is not None
                and judgement.settled_s(power, order) is not None
            ):
                return True
        return False

    def _order(self, from_w: float, to_w: float, written_ns: int) -> Order:
        return Order(
            from_w=from_w,
            to_w=to_w,
            power_w=self._power_w,
            tolerance_w=self._tolerance_w,
            step_w=self._step_w,
            written_ns=written_ns,
        )

    def _next_beat_ns(self) -> int | None:
        """Returns when the command is to be written anew, as a running site does; None: never."""
        every_s = [] if self._refresh_s is None else [self._refresh_s]
        if Signal.REVERT_TIMEOUT_READBACK_S not in self.wires.profile.lacks:
            shown_s = self.good(self.wires.look(), Signal.REVERT_TIMEOUT_READBACK_S)
            wanted_s = self._unit.inverter_hardware.revert_timeout_s
            every_s.append(min(wanted_s, shown_s or wanted_s) / 3.0)
        return time.monotonic_ns() + round(min(every_s) * NS_PER_S) if every_s else None
