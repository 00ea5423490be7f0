"""Why is it doing this? This module says it in plain words, and nothing where nothing is known."""

import math
from collections.abc import Callable, Iterator
from zoneinfo import ZoneInfo

from holdfast.core.signals import SITE, Signal
from holdfast.core.state_machine import State
from holdfast.monitoring.audit.events import Cause, ChildEnded, ChildStarted
from holdfast.monitoring.explain.asking import asked_sentences
from holdfast.monitoring.explain.quantities import quantity_sentences
from holdfast.monitoring.explain.situation import Situation
from holdfast.monitoring.explain.wording import (
    SAME_W,
    WAITS_FOR_START,
    capital,
    plain,
    to_power,
    unit_name,
    verb,
    watts,
)
from holdfast.monitoring.quantities.quantity import Quantity
from holdfast.safety.clearing import is_for_service, why_service
from holdfast.safety.hold_time import HOLD_S
from holdfast.safety.interlocks import INTERLOCKS, Action
from holdfast.safety.limits import ALL_LIMITS

_REST_W = 10.0
"""Less than this is rest."""
_FOLLOWS_W, _FOLLOWS_SHARE = 50.0, 0.05
"""A battery follows its setpoint if it is off by no more than the larger of these."""

_STATES = {
    State.BOOT: "The site is in BOOT, its self-test: power off, contactors open.",
    State.IDLE: "The site is in IDLE: power off, contactors open.",
    State.RUNNING: "The site is in RUNNING.",
    State.ERROR: "The site is in ERROR: a fault has tripped; power off, contactors open.",
    State.STOPPED: "The site is in STOPPED, by an emergency stop: power off, contactors open.",
}
_WAYS_OUT = {
    State.IDLE: "`holdfast start` lets power flow.",
    State.ERROR: "Once every cause has been gone for its hold time, `holdfast reset` leads back "
    "through the self-test.",
    State.STOPPED: "Once the emergency-stop loop is closed, `holdfast reset` on site leads back "
    "through the self-test.",
}
_SERVICE_WAY_OUT = (
    "For service only: {}. After that, and once every cause has been gone for its hold time, "
    "`holdfast reset --service` leads back through the self-test."
)
_EFFECTS = {
    "log": "",
    "hold": "so the power may not rise",
    "derate": "so only half of the power is permitted",
    "block_charge": "so it may not charge",
    "block_discharge": "so it may not discharge",
    "ramp_to_zero": "so the power goes to 0 W",
    "trip": "so it trips: 0 W at once, inverter off, contactor open",
    "emergency_stop": "so everything stops",
}
"""Tells what a finding does, by its reaction."""

_BLOCKED = {
    Action.START: "the site may not start",
    Action.CONNECT: "the contactor may not close",
    Action.POWER: "no power may flow",
    Action.CHARGE: "it may not charge",
    Action.DISCHARGE: "it may not discharge",
    Action.OPEN: "the contactor is about to open",
}
_HOLD_S = {row.id: row.hold_s for row in ALL_LIMITS}
_INTERLOCK_TEXTS = {row.id: row.text for row in INTERLOCKS}


def explain(situation: Situation, timezone: ZoneInfo) -> tuple[str, ...]:
    """Returns sentences, the main one first: what it does, who asks, what narrows it, what next."""
    if situation.ended:
        return (f"No controller was running: the last one had ended ({situation.ended}).",)
    running = situation.state is State.RUNNING
    sentences = [
        *([] if running or situation.state is None else _state(situation)),
        *(f"No answer from {device}." for device in situation.silent),
        *(_does(unit, situation) for unit in situation.batteries),
        *(asked_sentences(situation, timezone) if running else ()),
        *(text for unit in situation.batteries for text in _way(unit, situation)),
        *quantity_sentences(situation),
        *_findings(situation),
        *(f"Trouble with {device}." for device in situation.troubled),
        *(_processes(situation, timezone)),
        *(_waiting(situation) if not running else ()),
    ]
    sentences += _blocked(situation, " ".join(sentences))
    return tuple(text for text in dict.fromkeys(sentences) if text)


# ---------------------------------------------------------------------- state


def _state(situation: Situation) -> Iterator[str]:
    state = situation.state
    assert state is not None
    yield _STATES[state]
    if situation.waits_for_start:
        yield WAITS_FOR_START
    if state in {State.ERROR, State.STOPPED} and situation.reasons:
        yield f"It came there because of: {'; '.join(map(plain, situation.reasons))}."
    if situation.faults:
        yield f"Latched: {', '.join(situation.faults)}."


def _waiting(situation: Situation) -> Iterator[str]:
    refused = situation.refused
    if refused is not None:
        what = f"A {refused.what}" if refused.what else "A message"
        yield f"{what} was refused before it was looked at: {refused.reason}."
    told = {f"({cause.row})" for cause in situation.causes}
    waits = [plain(why) for why in situation.waits_for if why.rpartition(" ")[2] not in told]
    if situation.waits_for:
        if len(waits) < len(situation.waits_for):
            waits.append("each alarm above has to end")
        yield f"Before it may start: {'; '.join(waits)}."
    elif situation.state is State.ERROR and (kept := [*filter(is_for_service, situation.faults)]):
        yield _SERVICE_WAY_OUT.format("; ".join(map(why_service, kept)))
    elif situation.state in _WAYS_OUT:
        yield _WAYS_OUT[situation.state]


# ---------------------------------------------------------------------- what it does, who asked


def _does(battery: Quantity, situation: Situation) -> str:
    name = unit_name(battery, situation)
    power_w = battery.written if situation.recorded else battery.measured
    if power_w is None or not math.isfinite(power_w):
        return "" if situation.recorded else f"The power of {name} is not known."
    soc_pct = situation.reading(battery.owner, Signal.SOC_PCT)
    charge = "" if soc_pct is None else f", at {soc_pct:.0f} % state of charge"
    if abs(power_w) < _REST_W:
        return f"{capital(name)} {'is set to' if situation.recorded else 'rests at'} 0 W{charge}."
    if situation.recorded:
        return f"{capital(name)} is set {to_power(power_w)}{charge}."
    return f"{capital(name)} {verb(power_w)}s with {watts(power_w)}{charge}."


# ---------------------------------------------------------------------- the way through the layers


def _way(battery: Quantity, situation: Situation) -> Iterator[str]:
    if situation.authority == "observe":
        yield "Holdfast only observes (authority: observe): it writes nothing."
        return
    if situation.state is not State.RUNNING:
        return
    yield _narrowed(battery, situation)
    yield _ramp(battery, situation)
    if not situation.recorded:
        yield _followed(battery, situation)


def _narrowed(battery: Quantity, situation: Situation) -> str:
    asked_w, by = battery.asked_of_site, battery.limited_by
    if not by or not asked_w or not math.isfinite(asked_w):
        return ""
    charging = asked_w > 0.0
    bound_w = battery.high if charging else battery.low
    does = "charge" if charging else "discharge"
    may = f"{capital(unit_name(battery, situation))} may"
    much = (
        f"{may} {does} with no more than {watts(bound_w)}" if bound_w else f"{may} not {does} now"
    )
    return f"{much}: {_why(by, battery.owner, situation, charging=charging)}."


def _why(by: str, unit: str, situation: Situation, *, charging: bool) -> str:
    """Tells what the name of an envelope's end means."""
    if by in _BOUNDS:
        return _BOUNDS[by](unit, situation, charging)
    if by in _INTERLOCK_TEXTS:
        return f"{_INTERLOCK_TEXTS[by]} ({by})"
    for cause in situation.causes:
        if cause.row == by and cause.owner in (unit, SITE):
            return f"{plain(cause.text)}{_clears(cause)}"
    if by.startswith("state_"):
        return "power flows in RUNNING only"
    return by


def _bms_limit(unit: str, situation: Situation, charging: bool) -> str:  # noqa: FBT001 - a row's
    limit_a = situation.reading(
        unit, Signal.CHARGE_CURRENT_LIMIT_A if charging else Signal.DISCHARGE_CURRENT_LIMIT_A
    )
    voltage_v = situation.reading(unit, Signal.PACK_VOLTAGE_V)
    if limit_a is None or voltage_v is None:
        return "the BMS permits no more current"
    losses = "" if charging else ", less the inverter's losses"
    return f"the BMS permits {limit_a:g} A at {voltage_v:.1f} V{losses}"


def _rated_current(unit: str, situation: Situation, _charging: bool) -> str:  # noqa: FBT001
    voltage_v = situation.reading(unit, Signal.PACK_VOLTAGE_V)
    voltage = "" if voltage_v is None else f" at {voltage_v:.1f} V"
    return f"the battery's rated current in site.yaml{voltage}"


def _fixed(text: str) -> Callable[[str, Situation, bool], str]:
    return lambda _unit, _situation, _charging: text


_BOUNDS: dict[str, Callable[[str, Situation, bool], str]] = {
    "site.yaml": _fixed("site.yaml permits no more"),
    "charge_current_limit_a": _bms_limit,
    "discharge_current_limit_a": _bms_limit,
    "battery_current_max": _rated_current,
    "pack_voltage_charge": _fixed("its voltage is near the one up to which it may be charged"),
    "pack_voltage_unknown": _fixed("the battery's voltage is not known"),
    "authority_limited": _fixed("site.yaml says authority: limited"),
    "authority_observe": _fixed("site.yaml says authority: observe"),
    "request_expired": _fixed("the request has expired"),
}


def _ramp(battery: Quantity, situation: Situation) -> str:
    permitted_w, ramped_w = battery.permitted, battery.ramped
    if permitted_w is None or ramped_w is None or abs(permitted_w - ramped_w) <= SAME_W:
        return ""
    if any(cause.reaction == "hold" for cause in situation.causes):
        return f"It is held at {watts(ramped_w)} and may not rise to {watts(permitted_w)}."
    return f"On its ramp it has reached {watts(ramped_w)} of {watts(permitted_w)}."


def _followed(battery: Quantity, situation: Situation) -> str:
    written_w, shown_w, measured_w = battery.written, battery.read_back, battery.measured
    if written_w is None:
        return ""
    told = f"The inverter of {unit_name(battery, situation)} was told {watts(written_w)} and"
    if shown_w is not None and abs(shown_w - written_w) > _REST_W:
        return f"{told} still shows {watts(shown_w)}."
    tolerated_w = max(_FOLLOWS_W, _FOLLOWS_SHARE * abs(written_w))
    if measured_w is not None and abs(measured_w - written_w) > tolerated_w:
        return f"{told} delivers {watts(measured_w)}."
    return ""


def _blocked(situation: Situation, said: str) -> Iterator[str]:
    """Tells of interlocks that were not named yet."""
    for block in situation.blocks:
        if f"({block.row})" not in said:
            owner = "" if len(situation.batteries) < 2 else f"{block.owner}: "
            yield f"{capital(owner + _BLOCKED[Action(block.action)])}: {block.text} ({block.row})."


# ---------------------------------------------------------------------- findings


def _findings(situation: Situation) -> Iterator[str]:
    for cause in situation.causes:
        owner = "" if len(situation.batteries) < 2 and cause.owner != SITE else f"{cause.owner}: "
        effect = _EFFECTS.get(cause.reaction, cause.reaction)
        tail = f", {effect}" if effect else ""
        yield f"{capital(cause.level)}: {owner}{plain(cause.text)}{tail}{_clears(cause)}."


def _clears(cause: Cause) -> str:
    """Tells what has to happen for a finding to go away."""
    if cause.reaction in {"log", "trip", "emergency_stop"}:
        return ""
    if cause.row in _HOLD_S:
        hold_s = _HOLD_S[cause.row]
        return f"; it ends once the value has been back inside for {hold_s:g} s"
    if cause.row in HOLD_S:
        return f"; it ends once its cause has been gone for {HOLD_S[cause.row]:g} s"
    return "; it ends when data come" if cause.row.endswith("_data_missing") else ""


# ---------------------------------------------------------------------- processes

_WITHOUT = {
    "watchdog": "; without it no power may flow",
    "planner": "; without it no new plan comes",
    "gateway": "; without it nothing is shown to the outside",
}


def _processes(situation: Situation, timezone: ZoneInfo) -> Iterator[str]:
    for event in situation.children:
        at = f"at {event.at.astimezone(timezone):%H:%M:%S}"
        match event:
            case ChildEnded(process="controller", code=code):
                yield f"The controller before this one ended {at} with code {code}."
            case ChildEnded(process=name, asked=True):
                yield f"The {name} was told to end {at}{_WITHOUT.get(name, '')}."
            case ChildEnded(process=name, code=code):
                yield f"The {name} ended by itself {at} with code {code}{_WITHOUT.get(name, '')}."
            case ChildStarted(process=name, starts=starts) if starts > 1:
                yield f"The {name} was started again {at}."
            case ChildStarted():
                pass
