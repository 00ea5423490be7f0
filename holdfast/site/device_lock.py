"""A device has one controller on this computer, and one watchdog: two sites that steer one inverter
take turns in it.

A site.yaml that was copied names the devices of the first. Each address is a name in the kernel's
abstract sockets: nobody can delete it, and it ends with the process that holds it.
"""

import hashlib
import socket
import struct
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import assert_never

from holdfast.core.config import Site
from holdfast.core.config.device import (
    Broker,
    CanBus,
    Connection,
    GpioChip,
    HttpHost,
    ModbusMqtt,
    ModbusRtu,
    ModbusRtuTcp,
    ModbusTcp,
    MqttBroker,
    RtuLine,
)
from holdfast.core.errors import AlreadyRunning
from holdfast.devices.profile import load_profile
from holdfast.site.devices import address_of, devices

_CREDENTIALS = struct.Struct("iII")  # struct ucred: pid, uid, gid
_LOCAL = {"localhost": "127.0.0.1"}
_ALONE = CanBus | RtuLine | GpioChip
"""Nobody else may listen there."""
_WAITING = 100
"""So many may ask who holds it."""


@contextmanager
def hold_devices(site: Site, name: str) -> Iterator[None]:
    """Makes this the only ``name`` of this computer for each device that ``site`` steers, until
    the end of the block. Raises AlreadyRunning, which names who is."""
    with ExitStack() as held:
        for place, address in _steered(site).items():
            holder = held.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            try:
                holder.bind(_key(name, place))
            except OSError:
                raise _refusal(name, place, address) from None
            holder.listen(_WAITING)
        yield


def refuse_steered(site: Site, *names: str) -> None:
    """Raises AlreadyRunning if one of ``names`` steers a device of ``site`` already."""
    _refuse(_steered(site), names)


def refuse_held(connections: Iterable[Connection], *names: str) -> None:
    """Raises AlreadyRunning if one of ``names`` steers what is behind one of ``connections``."""
    _refuse({_place(each): address_of(each) for each in connections}, names)


def _refuse(places: Mapping[str, str], names: Iterable[str]) -> None:
    for place, address in places.items():
        for name in names:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
                asking.setblocking(False)  # noqa: FBT003 - the library's signature
                try:
                    asking.connect(_key(name, place))
                except ConnectionRefusedError:
                    continue  # nobody is there
                except OSError:
                    pass  # somebody is, and many ask
            raise _refusal(name, place, address)


def _steered(site: Site) -> dict[str, str]:
    """Returns the places of devices that are written to, or that nobody else may listen to, each
    with its address in words. A site that observes takes nothing from anybody."""
    if site.authority == "observe":
        return {}
    return {
        _place(device.connection): address_of(device.connection)
        for _, device in devices(site).values()
        if load_profile(device.profile).points or isinstance(device.connection, _ALONE)
    }


def _place(connection: Connection) -> str:
    """Returns the address as others would have it who write it in another way.

    Of a line that only one process can be on, it is the line.
    """
    match connection:
        case CanBus():
            channel = Path(connection.channel)
            at = channel.resolve() if channel.is_absolute() else channel
            return f"{connection.interface} {at}"
        case ModbusRtu():
            return str(Path(connection.port).resolve())
        case ModbusRtuTcp():
            return _host_and_port(connection)
        case ModbusTcp():
            return f"{_host_and_port(connection)} {connection.device_id}"
        case HttpHost(prefix=prefix):
            return f"{_host_and_port(connection)}{prefix}"
        case MqttBroker(topic=topic) | ModbusMqtt(topic=topic):
            return f"{_host_and_port(connection)} {topic}"
        case GpioChip():
            return address_of(connection).removeprefix("/dev/")
        case _:
            assert_never(connection)


def _host_and_port(connection: ModbusTcp | ModbusRtuTcp | HttpHost | Broker) -> str:
    host = connection.host.lower().rstrip(".")
    return f"{_LOCAL.get(host, host)}:{connection.port}"


def _key(name: str, place: str) -> str:
    return f"\0holdfast/{name}/{hashlib.sha256(place.encode()).hexdigest()[:32]}"


def _refusal(name: str, place: str, address: str) -> AlreadyRunning:
    who = _holder(_key(name, place))
    return AlreadyRunning(f"the device at {address} has a {name} on this computer already: {who}")


def _holder(key: str) -> str:
    """Tells who holds a key: his process, and how it was started."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.setblocking(False)  # noqa: FBT003 - the library's signature
        try:
            asking.connect(key)
            found = asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        except OSError:
            return "another process"
    pid, _, _ = _CREDENTIALS.unpack(found)
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        words = []
    configs = [after for word, after in pairwise(words) if word == b"--config"]
    told = f" of {configs[0].decode(errors='replace')}" if configs else ""
    return f"process {pid}{told}"
