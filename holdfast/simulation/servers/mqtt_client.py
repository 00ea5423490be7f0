"""A simulated device behind an MQTT broker sends what it is like, and does what it is told there.

The broker is somebody else's: it tells of the device's end by itself, and of what it had kept.
"""

import asyncio
import math
from contextlib import suppress
from typing import TYPE_CHECKING

from holdfast.core.config.device import MqttBroker
from holdfast.core.errors import ConfigError
from holdfast.devices.mqtt_profile import BASE, MqttProfile, MqttWrite
from holdfast.simulation.servers.json_coding import command_in, word_at
from holdfast.simulation.servers.json_device import JsonDevice
from holdfast.simulation.servers.protocol_faults import ProtocolFault

if TYPE_CHECKING:
    import aiomqtt

_AGAIN_S = 0.3
"""It looks for a broker that is not there so often."""
_LOOK_S = 0.2
"""What takes commands looks so often whether it has changed."""


class MqttClient:
    """Is one device at a broker."""

    def __init__(self, connection: MqttBroker, device: JsonDevice) -> None:
        """Raises ConfigError if the library is not installed."""
        try:
            import aiomqtt  # noqa: F401 - an extra, for nobody but who has such a device
        except ImportError:
            raise ConfigError("MQTT needs another package: pip install 'holdfast[mqtt]'") from None
        assert isinstance(device.profile, MqttProfile)
        self._connection, self._device, self._profile = connection, device, device.profile
        self._commands: dict[str, list[MqttWrite]] = {}
        """It is what is commanded on each topic."""
        for write in self._profile.points.values():
            self._commands.setdefault(self._whole(write.topic), []).append(write)
        self._task: asyncio.Task[None] | None = None

    async def refresh(self) -> None:
        """Goes to the broker, or leaves it while it is absent."""
        if ProtocolFault.ABSENT in self._device.faults:
            await self.close()
        elif self._task is None:
            self._task = asyncio.create_task(self._run(), name="mqtt device")

    async def close(self) -> None:
        """Leaves the broker."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        import aiomqtt

        while True:
            with suppress(aiomqtt.MqttError):
                async with self._client() as client:
                    await self._greet(client)
                    await self._live(client)
            await asyncio.sleep(_AGAIN_S)

    def _client(self) -> "aiomqtt.Client":
        import aiomqtt

        away = self._available(online=False)
        will = None if away is None else aiomqtt.Will(*away, qos=1, retain=True)
        return aiomqtt.Client(self._connection.host, self._connection.port, will=will)

    async def _greet(self, client: "aiomqtt.Client") -> None:
        for topic in self._commands:
            await client.subscribe(topic, qos=1)
        there = self._available(online=True)
        if there is not None:
            await client.publish(*there, qos=1, retain=True)

    async def _live(self, client: "aiomqtt.Client") -> None:
        """Sends what it is like every period, and what takes commands at each change, too."""
        loop = asyncio.get_running_loop()
        told, due_s = self._told(), -math.inf
        while True:
            now = self._told()
            if loop.time() >= due_s or (self._commands and now != told):
                told, due_s = now, loop.time() + self._profile.period_s
                for topic, payload in told.items():
                    await client.publish(topic, payload)
            look_s = _LOOK_S if self._commands else due_s - loop.time()
            with suppress(TimeoutError):
                async with asyncio.timeout(look_s):
                    self._obey(await anext(client.messages))

    def _told(self) -> dict[str, bytes]:
        return {self._whole(each.topic): self._device.told(each) for each in self._profile.reads}

    def _obey(self, message: "aiomqtt.Message") -> None:
        for write in self._commands[message.topic.value]:
            value = command_in(write, bytes(message.payload))
            if value is not None:
                self._device.take(write.point, value)

    def _available(self, *, online: bool) -> tuple[str, bytes] | None:
        """Returns where, and how, it is told that the device is there, or not."""
        told = self._profile.availability
        if told is None:
            return None
        word = told.online if online else told.offline
        return self._whole(told.topic), word_at(told.path, word)

    def _whole(self, topic: str) -> str:
        return topic.replace(BASE, self._connection.topic)
