"""The outline of the controller's status is what its supervisor looks at ten times a second.

It is read with json alone: a process that only looks after others needs no model of the whole
status, which would be most of its memory.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.core.signals import SITE, Signal
from holdfast.core.state_machine import State
from holdfast.core.units import s_from_ns
from holdfast.monitoring.quantities.quantity import QuantityName
from holdfast.monitoring.status.schema import FRESH_S, CommsStatus
from holdfast.site.files import SiteFiles
from holdfast.site.shared_memory import RecordReader


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstUnit:
    """Holds the power of a site's first battery, layer by layer, in W; and its state of charge."""

    name: str
    asked_w: float | None
    written_w: float | None
    measured_w: float | None
    soc_pct: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusOutline:
    """Holds what a line of a log says; each as in the status."""

    monotonic_ns: int
    state: State
    request_w: float
    request_source: str
    plan_id: str | None
    mode: str | None
    """Names the mode of the plan's present slot."""
    first: FirstUnit | None
    """None where it is left out."""
    grid_w: float | None
    comms: Mapping[str, CommsStatus]
    waits_for_start: bool
    left_out: str


def outline_of(content: bytes) -> StatusOutline:
    """Returns the outline of an encoded status. Raises ValueError if it is none."""
    try:
        return _outline(json.loads(content))
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"this is no status: {error!r}") from error


def _outline(told: Mapping[str, Any]) -> StatusOutline:
    plan = told["plan"] or {}
    return StatusOutline(
        monotonic_ns=int(told["monotonic_ns"]),
        state=State(told["state"]),
        request_w=told["request_w"],
        request_source=told["request_source"],
        plan_id=plan.get("plan_id"),
        mode=(plan.get("slot") or {}).get("mode"),
        first=_first(told),
        grid_w=_good(told, SITE, Signal.GRID_POWER_W),
        comms={name: CommsStatus(**comms) for name, comms in told["comms"].items()},
        waits_for_start=told["waits_for_start"],
        left_out=told["left_out"],
    )


def _first(told: Mapping[str, Any]) -> FirstUnit | None:
    for layers in told["quantities"]:
        if layers["name"] == QuantityName.BATTERY_POWER:
            return FirstUnit(
                name=layers["owner"],
                asked_w=layers["asked"],
                written_w=layers["written"],
                measured_w=layers["measured"],
                soc_pct=_good(told, layers["owner"], Signal.SOC_PCT),
            )
    return None


def _good(told: Mapping[str, Any], owner: str, signal: Signal) -> float | None:
    reading = told["readings"].get(owner, {}).get(signal)
    return reading["value"] if reading and reading["quality"] == "good" else None


class OutlineReader:
    """Reads the outline of the controller's latest status, if that is of one that runs."""

    def __init__(self, files: SiteFiles) -> None:
        self._files = files
        self._reader: RecordReader | None = None
        self._content = b""
        self._outline: StatusOutline | None = None

    def fresh(self, within_s: float = FRESH_S) -> StatusOutline | None:
        """Returns what was published not longer ago than that; None if nothing was."""
        try:
            if self._reader is None:
                self._reader = RecordReader(self._files.status)
            content = self._reader.latest()
            if content is None:
                return None
            if content != self._content:
                self._content, self._outline = content, outline_of(content)
        except (OSError, ValueError):
            self._content, self._outline = b"", None
        outline = self._outline
        if outline is None:
            return None
        age_s = s_from_ns(time.monotonic_ns() - outline.monotonic_ns)
        # A status from the future was written before the computer was started anew.
        return outline if 0.0 <= age_s <= within_s else None
