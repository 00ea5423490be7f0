"""``holdfast check --connect`` tells whether each device answers, and what it tells."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from holdfast.core.config import Site
from holdfast.core.device_mode import mode_of
from holdfast.core.errors import ConfigError
from holdfast.core.reading import MISSING, Bad, Good, Reading
from holdfast.core.signals import BARE_UNITS, SIGNALS, Signal
from holdfast.devices.limit_write import NO_LIMIT_W
from holdfast.runtime.device_check import Tried, refuse_while_running, try_devices
from holdfast.site.files import SiteFiles


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Tells what became of it."""

    answered: bool
    """Says whether every device told what the site needs."""
    lines: tuple[str, ...]
    """Tells it to people."""
    content: tuple[dict[str, object], ...]
    """Tells it to programs."""


def report_devices(site: Site, within_s: float) -> Report:
    """Tries each device. Raises ConfigError, and AlreadyRunning while the site runs."""
    if not 0.0 < within_s <= 600.0:
        raise ConfigError(f"--within {within_s:g}: from more than 0 to 600 seconds")
    refuse_while_running(SiteFiles.of(site))
    tried = asyncio.run(try_devices(site, within_s))
    answering = sum(one.answers for one in tried)
    return Report(
        answered=answering == len(tried),
        lines=(
            *(line for one in tried for line in _lines(one, within_s)),
            *(line for one in tried for line in _raised(one, site.grid.export_max_w)),
            f"{answering} of {len(tried)} devices tell what the site needs; nothing was written",
        ),
        content=tuple(map(_content, tried)),
    )


def _content(tried: Tried) -> dict[str, object]:
    return {
        "path": tried.path,
        "profile": tried.profile,
        "answers": tried.answers,
        "lacking": tried.lacking,
        "readings": {
            signal: {"value": _value(reading), "unit": SIGNALS[signal].unit}
            for signal, reading in tried.readings.items()
        },
        "comms": tried.comms,
    }


def _lines(tried: Tried, within_s: float) -> Iterator[str]:
    comms = tried.comms
    yield f"{tried.path}: {tried.profile} at {comms.where}"
    if not comms.reads:
        yield f"  NO ANSWER: {comms.why_silent or f'nothing was heard within {within_s:g} s'}"
        return
    for signal, reading in tried.readings.items():
        yield f"  {signal:30} {_told(tried, signal, reading)}"
    if comms.last_error:
        yield f"  {comms.errors} errors, the last one: {comms.last_error}"


def _raised(tried: Tried, export_max_w: float) -> Iterator[str]:
    """Yields a warning of a limit that somebody has set in a device, and Holdfast would raise."""
    held = _value(tried.readings.get(Signal.EXPORT_LIMIT_READBACK_W, MISSING))
    if held is not None and 0.0 <= held < export_max_w:  # -1 is some devices' word for none
        yield (
            f"{tried.path} lets the site export {held:g} W at most, and would be told "
            f"grid.export_max_w, {export_max_w:g} W: write {held:g} there if it may export no more"
        )


def _told(tried: Tried, signal: Signal, reading: Reading) -> str:
    if signal in tried.untold:
        return "none of ours: it follows its own rule"
    match reading:
        case Good(value=value):
            if signal is Signal.EXPORT_LIMIT_READBACK_W and value == NO_LIMIT_W:
                return "none in force"
            if signal is Signal.DEVICE_MODE:
                return str(mode_of(value) or "none: it follows the setpoint")
            unit = SIGNALS[signal].unit
            return f"{value:g}" if unit in BARE_UNITS else f"{value:g} {unit}"
        case Bad(reason=reason):
            return f"NOT PLAUSIBLE: {reason}"
        case _:
            return "NOT TOLD, and needed" if signal in tried.lacking else "not told"


def _value(reading: Reading) -> float | None:
    return reading.value if isinstance(reading, Good) else None
