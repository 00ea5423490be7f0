"""A glance tells in two seconds whether the site is safe, then what it does and why.

Checks stand in a table, the most important first: the first thing told that is not safe gives the
verdict. Only what comes from the controller counts; prices and weather reach it as a plan that is
there or not, which is never more than information.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

from holdfast.core.signals import SITE, Signal
from holdfast.core.state_machine import State
from holdfast.monitoring import glance_words as words
from holdfast.monitoring.language import Language, Phrase
from holdfast.monitoring.quantities.quantity import QuantityName
from holdfast.monitoring.recovery.meaning import owner_shown, what_is
from holdfast.monitoring.status.comms import troubled_devices
from holdfast.monitoring.status.schema import FRESH_S, FindingStatus, Status

Verdict = Literal["safe", "attention", "fault", "stopped", "unknown"]
Kind = Literal["info", "warning", "fault"]
FLOWS_W = 50.0
"""Less than this an inverter may measure while no power flows."""
DAILY = frozenset({"soc_high", "soc_low", "bms_forbids_charge", "bms_forbids_discharge"})
"""These are found on each day on which the battery becomes full or empty."""
_REST_W = 10.0
_OFF = frozenset({State.ERROR, State.STOPPED})
_WEIGHTS = {
    "ramp_to_zero": 0, "block_discharge": 1, "block_charge": 1, "derate": 2, "hold": 3, "log": 4,
}  # fmt: skip
"""Orders the reactions that narrow, the strongest first. Any other switches the site off."""
assert _WEIGHTS.keys() == words.EFFECTS.keys(), "each reaction that narrows is told in words"


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """Tells how the site is."""

    verdict: Verdict
    headline: str
    """Says it in one sentence."""
    lines: tuple[str, ...]
    """Tells what else there is: what is wrong, the most important first; what it does, and why."""
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class _Notice:
    """Holds one thing that there is to tell."""

    text: str
    verdict: Verdict = "safe"
    kind: Kind = "info"


_Notices = Iterator[_Notice]
_danger = partial(_Notice, verdict="fault", kind="fault")
_warns = partial(_Notice, verdict="attention", kind="warning")
_notes = partial(_Notice, verdict="attention", kind="info")


def glance(status: Status | None, age_s: float | None, language: Language = Language.EN) -> Glance:
    """Returns how the site is by its ``status``, which is ``age_s`` old.

    One that is older than FRESH_S tells of the past: then nothing is known, as without any.
    """
    if status is None or age_s is None:
        return _unknown(words.NO_CONTROLLER.told(language), language)
    if not 0.0 <= age_s <= FRESH_S:
        age = f"{age_s:.0f}\u00a0s" if math.isfinite(age_s) else "?"
        return _unknown(words.STALE.told(language, age=age), language)
    notices = [notice for check in _CHECKS for notice in check(status, language)]
    first = next((notice for notice in notices if notice.verdict != "safe"), None)
    if first is None:
        well = words.RUNNING_WELL if status.state is State.RUNNING else words.IDLE_WELL
        first = _Notice(text=well.told(language))
    lines = dict.fromkeys(notice.text for notice in notices if notice.text != first.text)
    return Glance(verdict=first.verdict, headline=first.text, lines=tuple(lines), kind=first.kind)


def _unknown(headline: str, language: Language) -> Glance:
    lines = (words.PRESS.told(language),)
    return Glance(verdict="unknown", headline=headline, lines=lines, kind="fault")


# ---------------------------------------------------------------------- what switches off


def _flows_though_off(status: Status, language: Language) -> _Notices:
    for unit, power_w in _powers_w(status).items() if status.state in _OFF else ():
        name = _named(unit, status, language)
        if power_w is None:
            yield _danger(text=words.POWER_UNKNOWN.told(language, unit=name))
        elif abs(power_w) > FLOWS_W:
            power = _watts(power_w)
            yield _danger(text=words.FLOWS_ALL_THE_SAME.told(language, unit=name, power=power))


def _stop(status: Status, language: Language) -> _Notices:
    if status.emergency_stop_latched or status.state is State.STOPPED:
        yield _Notice(text=words.STOPPED.told(language), verdict="stopped", kind="fault")


def _latches(status: Status, language: Language) -> _Notices:
    parts = (key.partition("/") for key in status.latched_faults)
    why = "; ".join(_what(status, owner, row, language) for owner, _, row in parts)
    if status.state is State.ERROR:
        yield _danger(text=words.TRIPPED.told(language, why=why or "?"))
    elif why:
        yield _danger(text=words.LATCHED.told(language, why=why))


def _trips(status: Status, language: Language) -> _Notices:
    for found in status.findings:
        if _switches_off(found):
            what = _what(status, found.owner, found.row, language)
            yield _danger(text=words.TRIPS.told(language, what=what))


def _switches_off(found: FindingStatus) -> bool:
    """Says whether a finding trips; what is not known counts as that."""
    return found.level == "trip" or found.reaction not in _WEIGHTS


# ---------------------------------------------------------------------- what else is wrong


def _is_harmless(found: FindingStatus) -> bool:
    return found.row in DAILY or found.level == "warning"


def _narrowing(status: Status) -> list[FindingStatus]:
    """Returns the findings that do not switch off, the strongest first."""
    found = (found for found in status.findings if not _switches_off(found))
    return sorted(found, key=lambda found: _WEIGHTS[found.reaction])


def _effect(status: Status, found: FindingStatus, language: Language) -> str:
    what = _what(status, found.owner, found.row, language)
    return words.EFFECTS[found.reaction].told(language, what=_capital(what))


def _alarms(status: Status, language: Language) -> _Notices:
    for found in _narrowing(status):
        if not _is_harmless(found):
            yield _warns(text=_effect(status, found, language))


def _books(status: Status, language: Language) -> _Notices:
    """Yields what Holdfast itself cannot do."""
    if not status.latches_on_disk:
        yield _warns(text=words.NOT_ON_DISK.told(language))
    if status.audit is not None and status.audit.problem:
        yield _warns(text=words.LOG_TROUBLE.told(language, why=status.audit.problem))
    if status.left_out:
        yield _warns(text=words.LEFT_OUT.told(language, why=status.left_out))


def _waits(status: Status, language: Language) -> _Notices:
    if status.waits_for_start:
        yield _warns(text=words.WAITS_FOR_START.told(language))
    if status.state is State.BOOT:
        yield _notes(text=words.BOOTS.told(language))
    for why in status.waits_for:
        yield _notes(text=words.NOT_READY.told(language, why=why))


def _authority(status: Status, language: Language) -> _Notices:
    if status.authority == "observe":
        yield _notes(text=words.OBSERVES.told(language))


# ---------------------------------------------------------------------- what it does, and why


def _does(status: Status, language: Language) -> _Notices:
    for unit, power_w in _powers_w(status).items():
        soc_pct = _finite(status.value(unit, Signal.SOC_PCT))
        text = _activity(power_w).told(
            language,
            unit=_named(unit, status, language),
            power="" if power_w is None else _watts(power_w),
            soc="" if soc_pct is None else f", {soc_pct:.0f}\u00a0%",
        )
        yield _Notice(text=_capital(text))


def _activity(power_w: float | None) -> Phrase:
    if power_w is None:
        return words.UNSEEN
    if abs(power_w) < _REST_W:
        return words.RESTS
    return words.CHARGES if power_w > 0.0 else words.DISCHARGES


def _why(status: Status, language: Language) -> _Notices:
    if status.state is State.RUNNING:
        source, reason = status.request_source, status.request_reason
        yield _Notice(text=words.ASKS.told(language, source=source, reason=reason))
    grid_w = _finite(status.value(SITE, Signal.GRID_POWER_W))
    if grid_w is not None:
        phrase = words.EXPORTS if grid_w < 0.0 else words.IMPORTS
        yield _Notice(text=phrase.told(language, power=_watts(grid_w)))
    if status.plan_refused:
        yield _Notice(text=words.PLAN_REFUSED.told(language, why=status.plan_refused))


def _daily(status: Status, language: Language) -> _Notices:
    for found in _narrowing(status):
        if _is_harmless(found):
            yield _Notice(text=_effect(status, found, language))


def _trouble(status: Status, _: Language) -> _Notices:
    for device in troubled_devices(status):
        yield _Notice(text=device)


_CHECKS: tuple[Callable[[Status, Language], _Notices], ...] = (
    _flows_though_off,
    _stop,
    _latches,
    _trips,
    _alarms,
    _books,
    _waits,
    _authority,
    _does,
    _why,
    _daily,
    _trouble,
)


# ---------------------------------------------------------------------- values


def _powers_w(status: Status) -> Mapping[str, float | None]:
    """Returns what each storage unit is measured to do, in W, + charging; None: not known."""
    powers = status.quantities_of(QuantityName.BATTERY_POWER)
    return {unit: _finite(quantity.measured) for unit, quantity in powers.items()}


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _what(status: Status, owner: str, row: str, language: Language) -> str:
    return what_is(owner_shown(status, owner), row, language)


def _named(unit: str, status: Status, language: Language) -> str:
    several = len(status.quantities_of(QuantityName.BATTERY_POWER)) > 1
    return unit if several else words.THE_BATTERY.told(language)


def _watts(power_w: float) -> str:
    return f"{abs(power_w):.0f}\u00a0W"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
