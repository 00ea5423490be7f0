"""An MQTT link lives one life of a connection to a broker, from the first greeting to its end.

The library's client connects once. A new life is a new client: what an old one could not send is
gone with it, and is never sent late. The library is an extra, so it is imported where it is used.
"""

import asyncio
import logging
import ssl
from collections.abc import Collection, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self

from holdfast.core.config.device import Broker
from holdfast.core.errors import ConfigError, DeviceError, DeviceRefused, DeviceUnreachable
from holdfast.devices.drivers.causes import cause_in_words
from holdfast.devices.drivers.password import password_of
from holdfast.devices.json_path import MAX_BYTES

if TYPE_CHECKING:
    import aiomqtt
    from paho.mqtt.properties import Properties

CONNECT_S = 5.0
"""A broker that has not greeted by then does not."""
WRITE_S = 2.0
"""A broker that has not acknowledged a command by then is left."""
EXPIRES_S = 10
"""A broker does not pass a command on to a device that comes back later than this."""
_KEEPALIVE_S = 10
_QUEUE = 100
"""So many messages may wait; more are thrown away."""
_BESIDE_PAYLOAD = 512
"""A message has a topic, too, and a few properties."""
_FAILED = 128
"""Reason codes from here on are failures."""
_OLDER = frozenset({1, 132})
"""With these a broker refuses a protocol version that it does not know."""
_CALLBACKS = (
    "on_connect", "on_disconnect", "on_subscribe", "on_unsubscribe", "on_message", "on_publish",
    "on_socket_open", "on_socket_close", "on_socket_register_write", "on_socket_unregister_write",
)  # fmt: skip
_SILENCED = "holdfast.mqtt"
"""The library logs each message there; what matters is counted and told by the driver."""


def check_library(name: str) -> None:
    """Raises ConfigError if the library is not installed that ``name`` needs."""
    try:
        import aiomqtt  # noqa: F401 - an extra, for nobody but who has such a device
    except ImportError:
        raise ConfigError(
            f"{name}: MQTT needs another package: pip install 'holdfast[mqtt]'"
        ) from None


class OldBroker(DeviceRefused):
    """The broker does not know MQTT 5."""


class MqttLink:
    """Is a connection as long as its block runs. Each method raises DeviceError."""

    def __init__(self, connection: Broker, *, v5: bool) -> None:
        self._connection = connection
        self._v5 = v5
        self._stack = AsyncExitStack()
        self._client: aiomqtt.Client | None = None

    async def __aenter__(self) -> Self:
        """Connects. Raises OldBroker if that takes an older protocol."""
        import aiomqtt

        client = await self._new_client()
        try:
            await self._stack.enter_async_context(client)
        except aiomqtt.MqttError as error:
            raise _why_not_connected(error) from error
        except (OSError, ValueError) as error:
            raise DeviceUnreachable(cause_in_words(error)) from error
        else:
            self._client = client
        finally:
            if self._client is None:
                _let_go(client)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Hangs up, and says so to a broker that still listens."""
        import aiomqtt

        client, self._client = self._client, None
        with suppress(aiomqtt.MqttError):
            await self._stack.aclose()
        if client is not None:
            _let_go(client)

    async def subscribe(self, topics: Collection[str]) -> None:
        """Asks for all that comes on ``topics``."""
        for topic in topics:
            with _explained(f"topic {topic}"):
                codes = await self._now.subscribe(topic, qos=0)
            if any(_number(code) >= _FAILED for code in codes):
                raise DeviceRefused(f"the broker refuses topic {topic}: {codes[0]}")

    async def next(self, within_s: float) -> "aiomqtt.Message | None":
        """Returns the next message; None if none came in time."""
        with _explained("the broker is gone"), suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                return await anext(self._now.messages)
        return None

    async def publish(self, topic: str, payload: str) -> None:
        """Sends a command, which the broker has acknowledged when this returns."""
        with _explained(f"topic {topic}"):
            await self._now.publish(
                topic,
                payload.encode(),
                qos=1,
                retain=False,
                properties=_expiring() if self._v5 else None,
                timeout=WRITE_S,
            )

    @property
    def _now(self) -> "aiomqtt.Client":
        if self._client is None:
            raise DeviceUnreachable("not connected")
        return self._client

    async def _new_client(self) -> "aiomqtt.Client":
        import aiomqtt

        connection, versions = self._connection, aiomqtt.ProtocolVersion
        logger = logging.getLogger(_SILENCED)
        logger.setLevel(logging.CRITICAL)
        return aiomqtt.Client(
            connection.host,
            connection.port,
            username=connection.username,
            password=password_of(connection),
            logger=logger,
            protocol=versions.V5 if self._v5 else versions.V311,
            properties=_small_packets() if self._v5 else None,
            timeout=CONNECT_S,
            keepalive=_KEEPALIVE_S,
            max_queued_incoming_messages=_QUEUE,
            tls_context=await asyncio.to_thread(_trusting) if connection.tls else None,
        )


def _let_go(client: "aiomqtt.Client") -> None:
    """Closes the socket, which the library leaves open where a connection came to nothing, and
    takes its parts apart: they hold each other, and the controller collects no old garbage."""
    inner, ended = client._client, client._disconnected  # noqa: SLF001
    inner.on_socket_register_write = None  # it writes its farewell now, and not when it is gone
    inner.disconnect()
    if inner.socket() is not None:
        inner._sock_close()  # noqa: SLF001 - nobody takes the farewell
    for name in _CALLBACKS:
        setattr(inner, name, None)
    client._misc_task = None  # noqa: SLF001
    if ended.done() and not ended.cancelled():
        ended.exception()  # or the loop logs that nobody asked


def _trusting() -> ssl.SSLContext:
    """Reads the certificates that this computer trusts, which takes a while."""
    return ssl.create_default_context()


def _small_packets() -> "Properties":
    """Asks the broker to send nothing that is longer than any message of a device."""
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties

    properties = Properties(PacketTypes.CONNECT)
    properties.MaximumPacketSize = MAX_BYTES + _BESIDE_PAYLOAD
    return properties


def _expiring() -> "Properties":
    """Asks the broker to forget a command that it cannot pass on in time."""
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties

    properties = Properties(PacketTypes.PUBLISH)
    properties.MessageExpiryInterval = EXPIRES_S
    return properties


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Puts an error of the library in our words."""
    import aiomqtt

    try:
        yield
    except aiomqtt.MqttError as error:
        raise DeviceUnreachable(f"{what}: {_said(error)}") from error


def _why_not_connected(error: "aiomqtt.MqttError") -> DeviceError:
    import aiomqtt

    if isinstance(error, aiomqtt.MqttCodeError):
        if _number(error.rc) in _OLDER:
            return OldBroker("the broker does not know MQTT 5")
        return DeviceRefused(f"the broker refuses: {_said(error)}")
    if isinstance(error.__context__, OSError) and not isinstance(error.__context__, TimeoutError):
        return DeviceUnreachable(cause_in_words(error.__context__))
    return DeviceUnreachable(f"the broker did not greet within {CONNECT_S:g} s")


def _number(code: object) -> int:
    """Returns the number of a reason code, which the library has as an object or as a number."""
    number = getattr(code, "value", code)
    return number if isinstance(number, int) else 0


def _said(error: "aiomqtt.MqttError") -> str:
    """Returns what the library says, without a number that means nothing to people."""
    return str(error).rpartition("] ")[2]
