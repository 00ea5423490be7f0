"""Who asks the batteries, what for, and what would be without it, in sentences."""

import math
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from holdfast.core.asked_slot import AskedBy
from holdfast.core.slot_mode import DOES, SlotMode
from holdfast.monitoring.explain.situation import RequestSituation, Situation
from holdfast.monitoring.explain.wording import SAME_W, plain, to_power, watts

_ASKERS: dict[str, str] = {
    AskedBy.OPERATOR: "A person",
    AskedBy.GRID_OPERATOR: "The grid operator",
    AskedBy.RULE: "A rule",
    AskedBy.SCHEDULE: "The schedule",
    AskedBy.PLAN: "The plan",
}
_BY_ITSELF = (AskedBy.DEFAULT, "self_consumption")
"""The latter in older logs."""


def asked_sentences(situation: Situation, timezone: ZoneInfo) -> Iterator[str]:
    """Yields who asks, what for, what bounds it, and what would be asked otherwise."""
    request = situation.request
    if request is None:
        return
    asker = _ASKERS.get(request.source)
    if asker is not None:
        yield _planned(asker, request, timezone)
        yield _grid_limit(request)
    elif request.source in _BY_ITSELF:
        yield f"{_by_itself(request)}{_meaning(request.power_w)}."
        if situation.plan_refused:
            yield f"The last plan was refused: {situation.plan_refused}."
    else:
        yield f"Nothing is asked of it: {plain(request.reason)}."
    yield from _beside(request)


def _by_itself(request: RequestSituation) -> str:
    mode = SlotMode.SELF_CONSUMPTION if request.mode is None else SlotMode(request.mode.mode)
    if mode is SlotMode.SELF_CONSUMPTION:
        return "No plan is valid, so the site keeps its grid connection at 0 W by itself"
    return f"No plan is valid, so the site keeps to its own mode, to {DOES[mode]}"


def _beside(request: RequestSituation) -> Iterator[str]:
    """Tells what bounds the wish, and what would be asked without the one who leads."""
    mode = request.mode
    if mode is None:
        return
    if mode.kept_by:
        hurry = ", at once" if mode.urgent else ""
        yield f"It is kept by {' and '.join(plain(by) for by in mode.kept_by)}{hurry}."
    if mode.instead_w is not None and mode.by != AskedBy.DEFAULT:
        instead = mode.instead_mode.replace("_", " ")
        yield f"Otherwise {instead} would ask it {to_power(mode.instead_w)}."


def _planned(asker: str, request: RequestSituation, timezone: ZoneInfo) -> str:
    slot = request.slot
    until = "" if slot is None else f" until {slot.end.astimezone(timezone):%H:%M}"
    match None if slot is None else slot.mode:
        case SlotMode.SELF_CONSUMPTION:
            wish = f"to keep the grid connection at 0 W{until}{_meaning(request.power_w)}"
        case SlotMode.HOLD:
            wish = f"to store only PV surplus{until}{_meaning(request.power_w)}"
        case SlotMode.POWER if slot is not None and slot.battery_power_w is not None:
            wish = f"{to_power(slot.battery_power_w)}{until}"
        case SlotMode() as mode if mode is not SlotMode.POWER:
            wish = f"to {DOES[mode]}{until}{_meaning(request.power_w)}"
        case _:
            wish = f"{to_power(request.power_w)}{until}"
    return f"{asker} asks {wish}; its reason: {request.reason}."


def _grid_limit(request: RequestSituation) -> str:
    slot, power_w = request.slot, request.power_w
    if slot is None or slot.mode != SlotMode.POWER or slot.battery_power_w is None:
        return ""
    if power_w is None or abs(slot.battery_power_w) - abs(power_w) <= SAME_W:
        return ""
    return f"The limit of the grid connection leaves {watts(power_w)} of that."


def _meaning(power_w: float | None) -> str:
    return (
        "" if power_w is None or not math.isfinite(power_w) else f", which asks {to_power(power_w)}"
    )
