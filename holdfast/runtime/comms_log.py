"""This module tells the log of devices that do not answer: at once, and then rarely."""

import asyncio
import logging
import time
from collections.abc import Collection
from dataclasses import dataclass

from holdfast.core.ports import DeviceDriver
from holdfast.core.units import NS_PER_S
from holdfast.monitoring.status.comms import comms_status, device_name, silence, trouble

_log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
LEAST_NS = 10 * NS_PER_S
"""A device that comes and goes, or fails in two ways by turns, gets no more than a line in this."""
AGAIN_NS = 600 * NS_PER_S
"""One that stays silent is told of again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    at_ns: int
    why: str
    """Tells why the device is silent; it is empty if the log was told that it answers."""


class CommsLog:
    """Watches what the drivers count."""

    def __init__(self, drivers: Collection[DeviceDriver]) -> None:
        self._drivers = drivers
        self._told: dict[str, _Told] = {}
        self._troubled_ns: dict[str, int] = {}
        """Tells when trouble with a device that answers was told of."""

    async def watch(self) -> None:
        """Looks until cancelled."""
        while True:
            self.look(time.monotonic_ns())
            await asyncio.sleep(LOOK_EVERY_S)

    def look(self, now_ns: int) -> None:
        """Tells what is new about each device, if its time has come."""
        for driver in self._drivers:
            comms = comms_status(driver.counters, now_ns)
            self._tell_trouble(driver.name, trouble(driver.name, comms), now_ns)
            text = silence(driver.name, comms)
            why = comms.why_silent if text else ""
            if not self._is_due(driver.name, why, now_ns):
                continue
            self._told[driver.name] = _Told(at_ns=now_ns, why=why)
            if text:
                _log.warning("no answer from %s", text)
            else:
                _log.info("%s answers again", device_name(driver.name, comms))

    def _tell_trouble(self, name: str, text: str, now_ns: int) -> None:
        told_ns = self._troubled_ns.get(name)
        if text and (told_ns is None or now_ns - told_ns >= AGAIN_NS):
            self._troubled_ns[name] = now_ns
            _log.warning("trouble with %s", text)

    def _is_due(self, name: str, why: str, now_ns: int) -> bool:
        told = self._told.get(name)
        if told is None:
            return bool(why)
        if told.why == why:
            return bool(why) and now_ns - told.at_ns >= AGAIN_NS
        return now_ns - told.at_ns >= LEAST_NS
