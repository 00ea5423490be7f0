"""The MQTT driver hears what a device sends to its broker, and sends it commands."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from holdfast.core.commands import Write
from holdfast.core.config.device import MqttBroker
from holdfast.core.data_store import DataStore, Told
from holdfast.core.errors import (
    DeviceError,
    DeviceRefused,
    DeviceUnreachable,
)
from holdfast.core.ports import CommsCounters
from holdfast.core.role import Role
from holdfast.core.signals import SIGNALS, Signal
from holdfast.core.units import NS_PER_S, ns_from_s
from holdfast.devices.drivers.addressed import row_of
from holdfast.devices.drivers.backoff import Backoff
from holdfast.devices.drivers.document_reader import DocumentReader
from holdfast.devices.drivers.mqtt_link import MqttLink, OldBroker, check_library
from holdfast.devices.json_path import Unreadable, parse_document, parse_path, value_at, word_of
from holdfast.devices.mqtt_profile import BASE, Availability, MqttProfile

if TYPE_CHECKING:
    import aiomqtt

MAX_PER_S = 50
"""So many messages a second are read; a broker that sends more is left for a while."""
_LOOK_S = 0.25
_QUIET_PERIODS = 2.0
_QUIET_S = 2.0
"""Nobody is called silent for less."""


class _Flood:
    """Counts the messages of the present second."""

    def __init__(self) -> None:
        self._second = self._count = 0

    def note(self, now_ns: int) -> None:
        """Counts one. Raises DeviceRefused if there are too many."""
        second = now_ns // NS_PER_S
        self._count = self._count + 1 if second == self._second else 1
        self._second = second
        if self._count > MAX_PER_S:
            raise DeviceRefused(f"more than {MAX_PER_S} messages a second come on its topics")


class MqttDriver:
    """Serves one device behind a broker. Counts as a read each message that tells something."""

    def __init__(
        self,
        name: str,
        owners: Mapping[Role, str],
        profile: MqttProfile,
        connection: MqttBroker,
        store: DataStore,
    ) -> None:
        """Raises ConfigError if the library is not installed."""
        check_library(name)
        self.name = name
        self.counters = CommsCounters(
            where=f"{connection.host}:{connection.port}, topic {connection.topic}"
        )
        self._owners = owners
        self._connection = connection
        self._store = store
        self._points = profile.points
        self._readers = {
            self._whole(document.topic): DocumentReader(
                document,
                lost_s=min(profile.lost_s(row.signal) for row in document.values),
                or_text=True,
            )
            for document in profile.reads
        }
        self._availability = profile.availability
        self._available_at = (
            "" if profile.availability is None else self._whole(profile.availability.topic)
        )
        self._quiet_ns = ns_from_s(max(_QUIET_S, _QUIET_PERIODS * profile.period_s))
        self._link: MqttLink | None = None
        self._told: set[Signal] = set()
        self._offline = self._left = self._closed = False
        self._kept = ""
        """Names a topic on which only what the broker had kept has come."""

    async def run(self) -> None:
        """Listens until cancelled or closed; survives every failure of broker and device."""
        backoff, v5 = Backoff(), True
        while not self._closed:
            try:
                await self._live(backoff, v5=v5)
            except OldBroker:
                v5 = False
            except DeviceError as error:
                self.counters.silent(str(error))
            await self._wait(backoff.next_s())

    async def write(self, write: Write, _is_stale: Callable[[], bool] = lambda: False) -> None:
        """Sends one command now; nothing is queued, kept by the broker, or tried again.

        Raises DeviceRefused if the device, or its table, does not take it, and DeviceUnreachable
        without a connection, or where the broker does not acknowledge it.
        """
        try:
            await self._send(write)
        except DeviceError as error:
            self.counters.failed(str(error))
            raise
        self.counters.writes += 1

    async def close(self) -> None:
        """Lets go of the connection; :meth:`run` ends by itself."""
        self._closed = True

    def _whole(self, topic: str) -> str:
        return topic.replace(BASE, self._connection.topic)

    async def _wait(self, seconds: float) -> None:
        while seconds > 0.0 and not self._closed:
            await asyncio.sleep(min(seconds, _LOOK_S))
            seconds -= _LOOK_S

    async def _live(self, backoff: Backoff, *, v5: bool) -> None:
        """Lives one life of a connection. Raises DeviceError, which says why it ended."""
        async with MqttLink(self._connection, v5=v5) as link:
            topics = dict.fromkeys([*self._readers, self._available_at])
            await link.subscribe([topic for topic in topics if topic])
            self._link, self._left = link, False
            try:
                await self._listen(link, backoff)
            finally:
                self._link = None

    async def _listen(self, link: MqttLink, backoff: Backoff) -> None:
        flood, quiet_since_ns = _Flood(), time.monotonic_ns()
        while not self._closed and not self._left:
            message = await link.next(_LOOK_S)
            now_ns = time.monotonic_ns()
            if message is not None:
                flood.note(now_ns)
                if self._take(message, now_ns):
                    backoff.reset()
                    quiet_since_ns = now_ns
            if now_ns - quiet_since_ns > self._quiet_ns:
                quiet_since_ns = now_ns
                self.counters.silent(self._why_quiet())

    def _why_quiet(self) -> str:
        if self._offline:
            return f"it is offline, says {self._available_at}"
        seconds = f"{self._quiet_ns / NS_PER_S:g} s"
        if self._kept:
            return f"nothing new within {seconds}: what came on {self._kept} was kept by the broker"
        return f"nothing came within {seconds} on {', '.join(self._readers)}"

    def _take(self, message: "aiomqtt.Message", now_ns: int) -> bool:
        """Takes a message in; says whether it told something."""
        topic, payload = message.topic.value, message.payload
        content = payload if isinstance(payload, bytes) else b""
        if topic == self._available_at and self._availability is not None:
            self._hear_of(self._availability, content, now_ns)
            return False
        reader = self._readers.get(topic)
        if reader is None or self._offline:
            return False
        if message.retain:  # of any age
            self._kept = topic
            return False
        try:
            told = reader.read(content, now_ns)
        except DeviceError as error:
            self.counters.silent(f"{topic}: {error}")
            return False
        self._keep(told)
        return True

    def _keep(self, told: tuple[Told, ...]) -> None:
        self._kept = ""
        self._told |= {each.signal for each in told}
        doubt = self._store.put_poll(self._owners, told)
        self.counters.took(doubt, time.monotonic_ns())

    def _hear_of(self, availability: Availability, content: bytes, now_ns: int) -> None:
        """Hears that the device is there, or not: then nothing that it told counts any more."""
        parsed = parse_document(content, or_text=True)
        if isinstance(parsed, Unreadable):
            return
        word = word_of(value_at(parse_path(availability.path), parsed))
        if word == availability.online:
            self._offline = False
        elif word == availability.offline:
            self._offline = True
            reason = self._why_quiet()
            self.counters.silent(reason)
            for signal in self._told:
                producer = SIGNALS[signal].producer
                for role, owner in self._owners.items():
                    if role is producer:
                        self._store.put_bad(producer, owner, signal, reason, now_ns)

    async def _send(self, write: Write) -> None:
        row = row_of(self.name, self._owners, self._points, write)
        try:
            payload = row.message(write.value)
        except ValueError as error:
            raise DeviceRefused(f"{self.name}: {write.point}: {error}") from error
        if self._link is None:
            raise DeviceUnreachable(f"{self.name}: not connected, {write.point} not sent")
        if self._offline:
            raise DeviceUnreachable(f"{self.name}: {self._why_quiet()}")
        try:
            await self._link.publish(self._whole(row.topic), payload)
        except DeviceError:
            self._left = True  # what may still be under way goes with the connection
            raise
