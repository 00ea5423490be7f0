"""This module tells what is latched on a site, who may clear it, and what to do first."""

from dataclasses import dataclass
from typing import Literal

from holdfast.core.signals import SITE
from holdfast.monitoring.language import Language
from holdfast.monitoring.recovery.meaning import owner_shown, steps_for, what_is
from holdfast.monitoring.recovery.rows import EMERGENCY_STOP
from holdfast.monitoring.status.schema import Status
from holdfast.safety.clearing import is_for_service


@dataclass(frozen=True, slots=True, kw_only=True)
class LatchedFault:
    """Holds one thing that is latched, in words."""

    row: str
    """Names it as ``owner/row``; an emergency stop as ``site/emergency_stop``."""
    text: str
    cleared_by: Literal["operator", "service"]
    """Tells who may clear it; of an emergency stop: an operator, at the site's computer."""
    steps: tuple[str, ...]


def latched_faults(status: Status, language: Language = Language.EN) -> tuple[LatchedFault, ...]:
    """Returns all that is latched, an emergency stop first; also what no table knows."""
    stop = (f"{SITE}/{EMERGENCY_STOP}",) if status.emergency_stop_latched else ()
    return tuple(_latched_fault(status, key, language) for key in (*stop, *status.latched_faults))


def _latched_fault(status: Status, key: str, language: Language) -> LatchedFault:
    owner, _, row = key.partition("/")
    stop = key == f"{SITE}/{EMERGENCY_STOP}"
    return LatchedFault(
        row=key,
        text=what_is(owner_shown(status, owner), row, language),
        cleared_by="service" if not stop and is_for_service(key) else "operator",
        steps=steps_for(row, language),
    )
