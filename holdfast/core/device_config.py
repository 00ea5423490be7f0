"""How a device is reached, and which register table it follows."""

from typing import Annotated, Literal

from pydantic import Field

from holdfast.core.section import Section


class ModbusTcp(Section):
    """A device that listens on Modbus TCP."""

    kind: Literal["modbus_tcp"] = "modbus_tcp"
    host: str
    port: Annotated[int, Field(ge=1, le=65535)] = 502
    device_id: Annotated[int, Field(ge=0, le=255)] = 1
    timeout_s: Annotated[float, Field(gt=0, le=5)] = 0.5


class CanBus(Section):
    """A CAN interface as python-can names it."""

    kind: Literal["can"] = "can"
    interface: Literal["slcan", "socketcan", "virtual"]
    channel: str
    bitrate: Annotated[int, Field(ge=10_000, le=1_000_000)] = 500_000
    acts_as_inverter: bool = False
    """Send the keep-alive 0x305; only if no inverter on this bus does."""


Connection = Annotated[ModbusTcp | CanBus, Field(discriminator="kind")]


class Device(Section):
    """A device: which register table it follows and how it is reached."""

    profile: str
    connection: Connection
