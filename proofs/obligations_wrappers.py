"""The gate and the last check before the wire: what is permitted, written, and held afterwards."""

from dataclasses import replace
from functools import partial

from holdfast.control.request import Request
from holdfast.control.safety_wrapper import SafetyWrapper
from holdfast.core.asked_slot import AskedBy
from holdfast.core.commands import Point
from holdfast.core.data_store import Snapshot
from holdfast.core.device_mode import DeviceMode
from holdfast.core.reading import Good, Reading
from holdfast.core.signals import SITE, Signal
from holdfast.core.state_machine import State
from holdfast.devices.bms_safety_wrapper import BmsSafetyWrapper
from holdfast.devices.contactor.memory import OPEN_AT_THE_LATEST_NS, RelayMemory
from holdfast.devices.contactor.relay_controller import RelayController
from holdfast.devices.inverter_safety_wrapper import InverterSafetyWrapper
from holdfast.devices.written_point import INCREASE_EVERY_NS, DeviceMemory, PointMemory
from holdfast.safety.assessment import Assessment
from holdfast.safety.finding import Finding, Level, Reaction
from holdfast.safety.interlock_manager import Block
from holdfast.safety.interlocks import Action
from holdfast.safety.permit import Permit
from proofs.inputs import (
    SOME_SITE,
    UNIT,
    any_envelope,
    any_permit,
    covers,
    having,
    inside,
    some_unit,
)
from proofs.proof import Proof, Values, negated

_YEARS_NS = 2**61
"""Clocks in here are within 73 years of the computer's start."""


def _clock(v: Values, name: str) -> int:
    time_ns = v.time_ns(name)
    v.assume((time_ns > -_YEARS_NS) & (time_ns < _YEARS_NS))
    return time_ns


_HARDWARE = SOME_SITE.storage[0].inverter_hardware
_REACH_W = _HARDWARE.charge_power_max_w
assert _HARDWARE.discharge_power_max_w == _REACH_W


# The gate. ----------------------------------------------------------------------------------------


def authorising(authority: str, mode: str, state: State, v: Values) -> None:
    """A permit never covers more than the assessment, the state and the authority leave."""
    limited_w = v.number("limited_power_w")
    site = having(SOME_SITE, authority=authority, operating_mode=mode, limited_power_w=limited_w)
    envelope = any_envelope(v)
    request = Request(
        power_w=0.0,
        source=AskedBy.PLAN,
        reason="",
        expires_ns=_clock(v, "expires_ns"),
        export_limit_w=v.number("export_limit_w"),
        pv_on=False,
        device_mode=DeviceMode.LOAD_FIRST,
    )
    now_ns = _clock(v, "now_ns")
    blocked, tripped, held, islanded, known = (
        bool(v.truth(name)) for name in ("blocked", "tripped", "held", "islanded", "known")
    )
    reactions = [Reaction.TRIP] * tripped + [Reaction.HOLD] * held
    assessment = Assessment(
        findings=tuple(
            Finding(owner=SITE, row="", level=Level.ALARM, reaction=reaction, since_ns=0, text="")
            for reaction in reactions
        ),
        envelopes={UNIT: envelope},
        blocks=(Block(owner=UNIT, row="", action=Action.POWER, text="", known=known),) * blocked,
        islanded=frozenset({UNIT} if islanded else ()),
    )
    permit = SafetyWrapper(site).authorise(request, state, assessment, now_ns)[UNIT]
    given = permit.envelope
    closed = (given.min_w == 0.0) & (given.max_w == 0.0)
    running = authority != "observe" and state is State.RUNNING and not tripped
    v.claim("no more than was assessed", covers(envelope, given))
    v.claim("nothing unless running, untripped and allowed to write", closed, given=not running)
    expired = now_ns >= request.expires_ns
    v.claim("no charging while an interlock blocks", given.max_w == 0.0, given=blocked)
    v.claim("no charging for a request that has expired", given.max_w == 0.0, given=expired)
    holds = blocked and (known or not islanded)
    v.claim("nothing while an interlock blocks that holds here", closed, given=holds)
    v.claim("nothing for a request that has expired", closed, given=expired & (not islanded))
    v.claim("an island is told as one", permit.islanded is islanded)
    v.claim("it expires within a second", permit.expires_ns - now_ns <= 10**9)
    v.claim("it is fresh at first", permit.is_fresh(now_ns))
    v.claim("may_write is not given to an observer", permit.may_write is (authority != "observe"))
    v.claim("may_connect is given only while running", permit.may_connect is running)
    v.claim("may_close is given only while running", permit.may_close is running)
    runs = running and not holds
    v.claim(
        "may_run is given only while running, unblocked",
        (runs or not permit.may_run) if islanded else permit.may_run is runs,
    )
    discharges_so = (given.min_w < 0.0) if permit.may_run else (given.min_w == 0.0)
    v.claim("an island runs while it may discharge", discharges_so if islanded and runs else True)
    wider = permit.export_limit_w > request.export_limit_w
    v.claim("no more export than was asked for", negated(wider))
    v.claim("PV stands still only while running", permit.pv_on or running)
    v.claim("PV is on for a request that has expired", permit.pv_on, given=expired)
    v.claim("a hold takes may_increase", permit.may_increase is not held)
    if authority != "observe" and mode == "auto" and state is State.RUNNING:
        _leads_within(v, permit, runs=runs and not held and not islanded, expired=expired)
    else:
        v.claim("no rule of its own here", permit.device_mode is None)
    if mode != "auto":
        v.claim("no discharge in this mode", given.min_w == 0.0, given=not islanded)
    if mode == "passive":
        v.claim("no charging in this mode", given.max_w == 0.0)
    if authority == "limited":
        charges = (given.max_w <= limited_w) | (given.max_w == 0.0)
        discharges = (-given.min_w <= limited_w) | (given.min_w == 0.0)
        v.claim("no more charging than the limited power", charges)
        v.claim("no more than the limited power", discharges, given=not islanded)


def _leads_within(v: Values, permit: Permit, *, runs: bool, expired: bool) -> None:
    """An inverter is left to a rule of its own only where all that it may do by it is permitted."""
    led, given = permit.device_mode is not None, permit.envelope
    whole = (given.max_w >= _REACH_W) & (given.min_w <= -_REACH_W)
    v.claim("a rule of its own only where all that it may ask is permitted", whole, given=led)
    v.claim("only while running on the grid and not held", runs, given=led)
    v.claim("no rule of its own for a request that has expired", negated(expired), given=led)


# The wires. ---------------------------------------------------------------------------------------


def _memory(v: Values, point: Point) -> PointMemory:
    """Anything that may have been written before."""
    return PointMemory(
        value=v.number(f"{point} held"), written_ns=_clock(v, f"{point} written_ns"), first_ns=0
    )


def _shown(v: Values, signal: Signal, *, readable: bool) -> dict[Signal, Reading]:
    """What the device shows of it."""
    if not readable:
        return {}
    return {signal: Good(value=v.number(signal), time_ns=_clock(v, f"{signal} time_ns"))}


def inverting(v: Values, *, known: bool, readable: bool) -> None:
    """Whatever the ramp asks, the inverter is told, and holds, nothing but what is permitted."""
    permit, power_w, now_ns = any_permit(v), v.number("power_w"), _clock(v, "now_ns")
    memory: DeviceMemory = {Point.SETPOINT_W: _memory(v, Point.SETPOINT_W)} if known else {}
    readings = _shown(v, Signal.SETPOINT_READBACK_W, readable=readable)
    snapshot = Snapshot(time_ns=now_ns, readings={UNIT: readings})
    force = bool(v.truth("force"))
    wrapper = InverterSafetyWrapper(some_unit())
    writes, after, _ = wrapper.decide(power_w, permit, snapshot, memory, force=force)
    v.claim(
        "nothing is written without leave to write", not writes, given=negated(permit.may_write)
    )
    if not after:
        return
    held_w, fresh = after[Point.SETPOINT_W].value, now_ns < permit.expires_ns
    _permitted(v, permit, held_w, fresh)
    for write in writes:
        if write.point is Point.SETPOINT_W:
            v.claim("what is written is inside the permit", inside(permit.envelope, write.value))
            v.claim("what is written is what is held then", write.value == held_w)
            asked = (write.value == power_w) | (write.value == 0.0)
            v.claim("what is written is what was asked, or 0 W", asked)
        if write.point is Point.ENABLE:
            v.claim(
                "the power stage runs only by a fresh permit",
                (write.value == 0.0) | ((write.value == 1.0) & fresh & permit.may_run),
            )
    points = [write.point for write in writes]
    both = Point.SETPOINT_W in points and Point.ENABLE in points
    v.claim("an emergency writes both", both, given=force)


def leading(v: Values, *known: Point) -> None:
    """An inverter is left to a rule of its own by a fresh permit alone, and never in an emergency;
    then it is told no setpoint, and else it is told nothing but what is permitted."""
    permit = replace(any_permit(v), device_mode=DeviceMode.LOAD_FIRST)
    power_w, now_ns = v.number("power_w"), _clock(v, "now_ns")
    memory: DeviceMemory = {point: _memory(v, point) for point in known}
    waits = False
    if Point.DEVICE_MODE in known:
        last = memory[Point.DEVICE_MODE]
        v.assume((last.value == 0.0) | (last.value == 1.0) | (last.value == 3.0))
        waits = now_ns - last.written_ns < INCREASE_EVERY_NS
    snapshot = Snapshot(time_ns=now_ns, readings={UNIT: {}})
    force = bool(v.truth("force"))
    points = (Point.SETPOINT_W, Point.DEVICE_MODE)
    wrapper = InverterSafetyWrapper(some_unit(), points)
    writes, after, _ = wrapper.decide(power_w, permit, snapshot, memory, force=force)
    v.claim(
        "nothing is written without leave to write", not writes, given=negated(permit.may_write)
    )
    if not after:
        return
    held = after[Point.DEVICE_MODE].value
    may = (now_ns < permit.expires_ns) & permit.may_run
    is_led = Point.SETPOINT_W not in after
    v.claim("it is left to itself only by a fresh permit to run", may, given=is_led)
    v.claim("it is told what it is left to, in its turn", (held == 1.0) | waits, given=is_led)
    v.claim("or else that it follows its setpoint", held == 0.0, given=not is_led)
    v.claim("an emergency leaves it to nothing", not is_led, given=force)
    written = {write.point: write.value for write in writes}
    v.claim("one of both is told", not (is_led and Point.SETPOINT_W in written))
    if not is_led:
        _permitted(v, permit, after[Point.SETPOINT_W].value, now_ns < permit.expires_ns)
        v.claim("an emergency writes the setpoint", Point.SETPOINT_W in written, given=force)


def _permitted(v: Values, permit: Permit, held_w: float, fresh: bool) -> None:  # noqa: FBT001 - a value
    v.claim("what is held then is inside the permit", inside(permit.envelope, held_w))
    v.claim("a stale permit leaves 0 W", held_w == 0.0, given=negated(fresh))
    v.claim("without leave to run 0 W is left", held_w == 0.0, given=negated(permit.may_run))


def managing(v: Values, *, known: bool) -> None:
    """The BMS's two registers stay inside the permit, and are never both set."""
    points = (Point.CHARGE_POWER_W, Point.DISCHARGE_POWER_W)
    permit, power_w, now_ns = any_permit(v), v.number("power_w"), _clock(v, "now_ns")
    memory: DeviceMemory = {point: _memory(v, point) for point in points} if known else {}
    snapshot = Snapshot(time_ns=now_ns, readings={UNIT: {}})
    wrapper = BmsSafetyWrapper(some_unit(), points)
    writes, after, _ = wrapper.decide(
        power_w, permit, snapshot, memory, force=bool(v.truth("force"))
    )
    v.claim(
        "nothing is written without leave to write", not writes, given=negated(permit.may_write)
    )
    if not after:
        return
    fresh = now_ns < permit.expires_ns
    charge_w, discharge_w = (after[point].value for point in points)
    sound = (memory[points[0]].value >= 0.0) & (memory[points[1]].value >= 0.0) if known else True
    for name, end_w, held_w in (
        ("charge", permit.envelope.max_w, charge_w),
        ("discharge", -permit.envelope.min_w, discharge_w),
    ):
        v.claim(
            f"{name}: what is held is permitted", (held_w >= 0.0) & (held_w <= end_w), given=sound
        )
        v.claim(f"{name}: a stale permit leaves 0 W", held_w == 0.0, given=negated(fresh))
        v.claim(
            f"{name}: without leave to run 0 W is left", held_w == 0.0,
            given=negated(permit.may_run),
        )  # fmt: skip
    one_way = negated(permit.islanded)
    v.claim("never both at the end", (charge_w == 0.0) | (discharge_w == 0.0), given=one_way)
    held: dict[Point, float] = {point: memory[point].value for point in points} if known else {}
    one = (held[points[0]] == 0.0) | (held[points[1]] == 0.0) if known else True
    for write in writes:
        held[write.point] = write.value
        if len(held) == len(points):
            both = (held[points[0]] != 0.0) & (held[points[1]] != 0.0)
            v.claim("never both on the way", negated(both), given=one & one_way)


def connecting(v: Values, *, known: bool) -> None:
    """The contactor closes by a fresh permit alone, and opens unloaded or after a second."""
    break_a = v.number("contactor_break_current_a")
    unit = some_unit(battery={"contactor_break_current_a": break_a})
    permit, now_ns = any_permit(v), _clock(v, "now_ns")
    current_a, time_ns = v.number("current_a"), _clock(v, "sampled_ns")
    snapshot = Snapshot(
        time_ns=now_ns,
        readings={UNIT: {Signal.BATTERY_CURRENT_A: Good(value=current_a, time_ns=time_ns)}},
    )
    last = PointMemory(value=1.0, written_ns=_clock(v, "written_ns"), first_ns=0)
    since_ns = _clock(v, "opening_since_ns") if v.truth("opening") else None
    if since_ns is not None:
        v.assume((since_ns > 0) & (since_ns <= now_ns))
    points = {Point.CONTACTOR: last} if known else {}
    memory = RelayMemory(points=points, opening_since_ns=since_ns)
    writes, _, _ = RelayController(unit).decide(permit, snapshot, memory)
    v.claim(
        "nothing is written without leave to write", not writes, given=negated(permit.may_write)
    )
    close = permit.may_connect & (now_ns < permit.expires_ns)
    for write in writes:
        v.claim("it closes by a fresh permit alone", close, given=write.value == 1.0)
        v.claim("nothing but open or closed", (write.value == 0.0) | (write.value == 1.0))
        began_ns = now_ns if since_ns is None else since_ns
        small = (abs(current_a) < break_a) & (time_ns > began_ns)
        late = now_ns - began_ns >= OPEN_AT_THE_LATEST_NS
        v.claim("it opens unloaded, or late", small | late, given=write.value == 0.0)
    if since_ns is None:
        return
    over = now_ns - since_ns >= OPEN_AT_THE_LATEST_NS
    opens = any(write.value == 0.0 for write in writes)
    v.claim(
        "it opens at the latest after a second",
        opens,
        given=over & negated(close) & permit.may_write,
    )


PROOFS = (
    *(
        Proof(
            name=f"gate.{authority}.{mode}.{state}",
            run=partial(authorising, authority, mode, state),
        )
        for authority, mode, state in (
            ("observe", "auto", State.RUNNING),
            ("limited", "auto", State.RUNNING),
            ("full", "charge_only", State.RUNNING),
            ("full", "passive", State.RUNNING),
            *(("full", "auto", state) for state in State),
        )
    ),
    Proof(name="inverter.first_write", run=partial(inverting, known=False, readable=False)),
    Proof(name="inverter.unread", run=partial(inverting, known=True, readable=False)),
    Proof(name="inverter.read_back", run=partial(inverting, known=True, readable=True)),
    Proof(name="inverter.first_rule", run=leading),
    Proof(name="inverter.rule_after_setpoint", run=lambda v: leading(v, Point.SETPOINT_W)),
    Proof(name="inverter.setpoint_after_rule", run=lambda v: leading(v, Point.DEVICE_MODE)),
    Proof(name="bms.first_write", run=partial(managing, known=False)),
    Proof(name="bms.later", run=partial(managing, known=True)),
    Proof(name="relays.first_write", run=partial(connecting, known=False)),
    Proof(name="relays.closed", run=partial(connecting, known=True)),
)
