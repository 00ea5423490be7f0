"""The layers of the safety path, each with what stands in its place once it is taken out.

Nothing in the cycle can be switched off: whoever takes a layer out puts an object in its place that
finds nothing, or permits everything. What then happens shows what the layer is good for.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from holdfast.control.cycle import Cycle
from holdfast.control.storage.power_ramper import Setpoint
from holdfast.control.storage.unit import UnitControl
from holdfast.core.commands import Point, Write
from holdfast.core.data_store import Snapshot
from holdfast.core.role import Role
from holdfast.devices.contactor.memory import RelayMemory
from holdfast.devices.inverter_safety_wrapper import InverterSafetyWrapper
from holdfast.devices.written_point import DeviceMemory, PointMemory
from holdfast.safety.envelope import Envelope
from holdfast.safety.limit_monitor import LimitMonitor
from holdfast.safety.permit import Permit
from holdfast.safety.trend_analyzer import TrendAnalyzer

_FAR_W = 1e9
_EVERYTHING = Envelope(min_w=-_FAR_W, max_w=_FAR_W, min_by="nobody", max_by="nobody")
_FOR_EVER_NS = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A layer of the safety path, and how to do without it."""

    name: str
    does: str
    take_out: Callable[[Cycle], None]


class _FindsNothing:
    """Stands in the place of a layer that returns findings first and its memory behind them."""

    def __init__(self, layer: Any) -> None:
        self._layer = layer

    def __getattr__(self, name: str) -> Any:
        original = getattr(self._layer, name)
        if not callable(original):
            return original

        def silenced(*arguments: Any, **keywords: Any) -> Any:
            return _silenced(original(*arguments, **keywords))

        return silenced


def _silenced(result: Any) -> Any:
    if not isinstance(result, tuple):
        return result
    if _are_findings(result):
        return ()
    return tuple(() if _are_findings(part) else part for part in result)


def _are_findings(part: object) -> bool:
    names = {"Finding", "Block"}
    return isinstance(part, tuple) and bool(part) and all(type(o).__name__ in names for o in part)


class _NarrowsNothing(TrendAnalyzer):
    def assess(self, snapshot: Any, memory: Any) -> Any:
        _, after = super().assess(snapshot, memory)
        return (), after

    def narrow(self, _unit: Any, envelope: Any, *_: Any) -> Any:
        return envelope


class _PermitsAll:
    """Stands in the place of the safety wrapper."""

    def __init__(self, units: tuple[str, ...]) -> None:
        self._units = units

    def authorise(self, request: Any, *_: object) -> Mapping[str, Permit]:
        return {unit: _permit_of_all(unit, request) for unit in self._units}


def _permit_of_all(unit: str, request: Any) -> Permit:
    return Permit(
        unit=unit,
        envelope=_EVERYTHING,
        expires_ns=_FOR_EVER_NS,
        may_write=True,
        may_increase=True,
        may_connect=True,
        may_close=True,
        may_run=True,
        islanded=False,
        export_limit_w=request.export_limit_w,
        pv_on=request.pv_on,
    )


class _Jumps:
    """Stands in the place of the ramp: what is asked is the setpoint, at once."""

    def approach(self, _last_w: float, asked_w: float, permit: Permit, *_: Any, **__: Any) -> Any:
        asked_w = asked_w if math.isfinite(asked_w) else 0.0
        return Setpoint(unit=permit.unit, asked_w=asked_w, permitted_w=asked_w, power_w=asked_w)


class _Believes:
    """Stands in the place of the inverter's wrapper, without its last check and its read-back."""

    def __init__(self, wrapper: InverterSafetyWrapper, *, checks: bool, reads: bool) -> None:
        self._wrapper, self._checks, self._reads = wrapper, checks, reads

    def mode_of(self, permit: Permit, now_ns: int) -> Any:
        return self._wrapper.mode_of(permit, now_ns)

    def decide(
        self, power_w: float, permit: Permit, snapshot: Snapshot, memory: Any, *, force: bool
    ) -> tuple[tuple[Write, ...], DeviceMemory, tuple[Any, ...]]:
        if not self._checks:
            permit = replace(permit, envelope=_EVERYTHING, expires_ns=_FOR_EVER_NS)
        writes, after, findings = self._wrapper.decide(
            power_w, permit, snapshot, memory, force=force
        )
        return writes, after, findings if self._reads else ()


class _Closes:
    """Stands in the place of the relay controller: the contactor follows the permit at once."""

    def __init__(self, unit: str) -> None:
        self._unit = unit

    def is_ready(self, _memory: RelayMemory) -> bool:
        return True

    def is_connected(self, _memory: RelayMemory, permit: Permit) -> bool:
        return permit.may_connect

    def decide(
        self, permit: Permit, snapshot: Snapshot, memory: RelayMemory, **_: Any
    ) -> tuple[tuple[Write, ...], RelayMemory, tuple[Any, ...]]:
        value, last = float(permit.may_connect), memory.points.get(Point.CONTACTOR)
        if last is not None and last.value == value:
            return (), memory, ()
        now_ns = snapshot.time_ns
        written = PointMemory(value=value, written_ns=now_ns, first_ns=now_ns)
        points = {**memory.points, Point.CONTACTOR: written}
        write = Write(unit=self._unit, role=Role.RELAYS, point=Point.CONTACTOR, value=value)
        return (write,), replace(memory, points=points), ()


def _of_units(change: Callable[[UnitControl, str], None]) -> Callable[[Cycle], None]:
    def take_out(cycle: Cycle) -> None:
        for name, unit in cycle._units.items():
            change(unit, name)

    return take_out


def _no_limits(cycle: Cycle) -> None:
    cycle.assessor.limit_monitor = LimitMonitor(())


def _no_battery_limits(cycle: Cycle) -> None:
    assessor: Any = cycle.assessor

    def permitted(unit: Any, snapshot: Any, findings: Any, tracks: Any) -> Envelope:
        envelope: Envelope = assessor._nameplates[unit.name]
        envelope = assessor.trend_analyzer.narrow(unit.name, envelope, snapshot, tracks)
        for found in findings:
            envelope = found.narrow(envelope, snapshot.time_ns)
        return envelope

    assessor._permitted = permitted


def _no_trends(cycle: Cycle) -> None:
    trends = cycle.assessor.trend_analyzer
    trends.__class__ = _NarrowsNothing


def _finds_nothing(name: str) -> Callable[[Cycle], None]:
    def take_out(cycle: Cycle) -> None:
        setattr(cycle.assessor, name, _FindsNothing(getattr(cycle.assessor, name)))

    return take_out


def _no_permit(cycle: Cycle) -> None:
    gate: Any = _PermitsAll(tuple(cycle._units))
    cycle._gate = gate


def _no_ramp(cycle: Cycle) -> None:
    ramper: Any = _Jumps()
    cycle._ramper = ramper


def _believing(*, checks: bool, reads: bool) -> Callable[[Cycle], None]:
    def change(unit: UnitControl, _: str) -> None:
        wrapper: Any = _Believes(unit._inverter, checks=checks, reads=reads)
        unit._inverter = wrapper

    return _of_units(change)


def _silencing(name: str) -> Callable[[Cycle], None]:
    def change(unit: UnitControl, _: str) -> None:
        setattr(unit, name, _FindsNothing(getattr(unit, name)))

    return _of_units(change)


def _no_relay_controller(unit: UnitControl, name: str) -> None:
    closes: Any = _Closes(name)
    unit._relays = closes


# fmt: off
_ROWS: tuple[Layer, ...] = (
    Layer(name="limit_monitor", does="limits of cells, currents, temperatures, grid", take_out=_no_limits),
    Layer(name="battery_limits", does="derating, and the currents that the BMS tells", take_out=_no_battery_limits),
    Layer(name="trend_analyzer", does="what is heading for a limit", take_out=_no_trends),
    Layer(name="data_age", does="data that are old, lost or cannot be true", take_out=_finds_nothing("_data_age")),
    Layer(name="plausibility", does="a battery that contradicts itself", take_out=_finds_nothing("_plausibility")),
    Layer(name="patterns", does="data that stand still, a meter the wrong way round, swinging", take_out=_finds_nothing("_patterns")),
    Layer(name="interlocks", does="what has to be seen before power flows", take_out=_finds_nothing("_interlocks")),
    Layer(name="safety_wrapper", does="the permit, which joins all of them", take_out=_no_permit),
    Layer(name="ramp", does="the ramp, always inside the permit", take_out=_no_ramp),
    Layer(name="device_check", does="the last check against the permit before the wire", take_out=_believing(checks=False, reads=True)),
    Layer(name="read_back", does="whether the inverter stores what it is told", take_out=_believing(checks=True, reads=False)),
    Layer(name="follow_up", does="whether the power follows what was told", take_out=_silencing("_follow_up")),
    Layer(name="unseen_power", does="whether anybody sees the power", take_out=_silencing("_unseen")),
    Layer(name="relay_controller", does="precharge, opening below the break current, feedback", take_out=_of_units(_no_relay_controller)),
)
# fmt: on
LAYERS: Mapping[str, Layer] = {layer.name: layer for layer in _ROWS}
