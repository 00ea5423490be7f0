"""This module tells how a device is reached: what its driver counts, and why it is silent."""

from holdfast.core.ports import CommsCounters
from holdfast.core.signals import SITE
from holdfast.core.texts import MAX_REASON, shown
from holdfast.core.units import s_from_ns
from holdfast.monitoring.status.schema import CommsStatus, Status

SILENT_S = 2.0
"""One lost answer is no silence."""
TOLD_OF = 3
"""Fewer failures of a hundred are not worth a line."""


def comms_status(counters: CommsCounters, now_ns: int) -> CommsStatus:
    """Returns what ``counters`` say now."""
    heard_ns = counters.heard_ns
    return CommsStatus(
        reads=counters.reads,
        writes=counters.writes,
        errors=counters.errors,
        last_error=shown(counters.last_error, MAX_REASON),
        where=counters.where,
        why_silent=shown(counters.why_silent, MAX_REASON),
        tries=counters.tries,
        heard_s_ago=None if heard_ns is None else s_from_ns(now_ns - heard_ns),
        failed_of_last_100=sum(counters.lately),
    )


def device_name(name: str, comms: CommsStatus) -> str:
    """Returns a driver's name and the address of its device, for people."""
    return f"{name.removeprefix(f'{SITE}/')} at {comms.where}"


def silence(name: str, comms: CommsStatus) -> str:
    """Tells which device does not answer, where, and why; empty if it does."""
    ago_s = comms.heard_s_ago
    if not comms.why_silent or (ago_s is not None and ago_s < SILENT_S):
        return ""
    tries = "" if comms.tries < 2 else f", {comms.tries} tries in a row"
    since = "" if ago_s is None else f", last heard {ago_s:.0f} s ago"
    return f"{device_name(name, comms)}: {comms.why_silent}{tries}{since}"


def trouble(name: str, comms: CommsStatus) -> str:
    """Tells which device answers and fails again and again, and why; empty if it does not."""
    if comms.failed_of_last_100 < TOLD_OF or silence(name, comms):
        return ""
    return (
        f"{device_name(name, comms)}: {comms.failed_of_last_100} of the last 100 requests failed, "
        f"the last: {comms.last_error}"
    )


def troubled_devices(status: Status) -> tuple[str, ...]:
    """Returns devices that answer and fail again and again: which, where, and why."""
    return tuple(filter(None, (trouble(*item) for item in status.comms.items())))


def silent_devices(status: Status) -> tuple[str, ...]:
    """Returns devices that do not answer: which, where, and why."""
    return tuple(filter(None, (silence(*item) for item in status.comms.items())))
