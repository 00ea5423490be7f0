"""This module says how a device is reached, and which table it follows."""

from types import UnionType
from typing import Annotated, ClassVar, Literal, Self, Union, get_args, get_origin

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from holdfast.core.config.form import EnvVariable, Form
from holdfast.core.config.section import FilePath, Section
from holdfast.core.texts import MAX_REASON


def _no_url(host: str) -> str:
    """Lets a name or an address alone pass. Raises ValueError, which says what is too much."""
    bare = host.rpartition("//")[2].partition("/")[0]
    name, _, port = bare.partition(":")
    if port.isdigit():
        raise ValueError(f"{host!r}: write only the name or address, {name}; {port} goes to port")
    if bare != host or host.split() != [host]:
        raise ValueError(f"{host!r}: write only the name or address, such as 192.168.1.5")
    return host


class ModbusTcp(Section):
    """A device that listens on Modbus TCP."""

    kind: Literal["modbus_tcp"] = "modbus_tcp"
    """Modbus over TCP, also through a gateway that translates."""
    host: Annotated[str, AfterValidator(_no_url)]
    """Name or address, without http:// and port."""
    port: Annotated[int, Field(ge=1, le=65535)] = 502
    """TCP port."""
    device_id: Annotated[int, Field(ge=0, le=255)] = 1
    """Unit identifier: which device behind this address."""
    timeout_s: Annotated[float, Field(gt=0, le=5)] = 0.5
    """A request without an answer for this long has failed."""


CAN_INTERFACES = (
    "canalystii", "cantact", "etas", "gs_usb", "iscan", "ixxat", "kvaser", "neousys", "neovi",
    "nican", "nixnet", "pcan", "robotell", "seeedstudio", "serial", "slcan", "socketcan",
    "socketcand", "systec", "udp_multicast", "usb2can", "vector", "virtual",
)  # fmt: skip
"""python-can comes with these; a package beside it may bring others."""
_OURS = frozenset(
    {"interface", "channel", "bitrate", "can_filters", "ignore_config", "receive_own_messages"}
)


def _of_interface(option: str) -> str:
    """Lets what is the interface's own pass. Raises ValueError for what has a place elsewhere."""
    name = option.partition("=")[0]
    if name in _OURS:
        raise ValueError(f"{name}: no option, but set by Holdfast")
    return option


_Option = Annotated[
    str, Field(pattern=r"^[a-z][A-Za-z0-9_]*=.+$", max_length=100), AfterValidator(_of_interface)
]


def _device_file(port: str) -> str:
    """Lets the whole path of a port pass. Raises ValueError for any other text."""
    if not port.startswith("/") or port.endswith("/"):
        raise ValueError(f"{port!r}: write its whole path, such as /dev/ttyUSB0")
    return port


class ModbusRtu(Section):
    """A device on a serial line (RS-485). Several of one line have one port, and ids of their own.

    A name under /dev/serial/by-id stays the adapter's, whatever else is plugged in.
    """

    kind: Literal["modbus_rtu"] = "modbus_rtu"
    """Modbus RTU on a serial port of this computer."""
    port: Annotated[str, AfterValidator(_device_file)]
    """Such as /dev/ttyUSB0, or better /dev/serial/by-id/usb-..."""
    baudrate: Annotated[int, Field(ge=300, le=4_000_000)] = 9600
    """As all devices on this line have it."""
    parity: Literal["none", "even", "odd"] = "none"
    """As all devices on this line have it."""
    stop_bits: Literal[1, 2] = 1
    """As all devices on this line have it."""
    device_id: Annotated[int, Field(ge=1, le=247)] = 1
    """Which device on this line."""
    timeout_s: Annotated[float, Field(gt=0, le=5)] = 1.0
    """A request without an answer for this long has failed; the others on the line wait for it."""


class ModbusRtuTcp(Section):
    """A device on a serial line behind a gateway that hands bytes on as they are (transparent)."""

    kind: Literal["modbus_rtu_tcp"] = "modbus_rtu_tcp"
    """Modbus RTU through a transparent gateway. One that translates is modbus_tcp."""
    host: Annotated[str, AfterValidator(_no_url)]
    """Name or address of the gateway, without http:// and port."""
    port: Annotated[int, Field(ge=1, le=65535)] = 502
    """TCP port."""
    device_id: Annotated[int, Field(ge=1, le=247)] = 1
    """Which device on the line behind it."""
    timeout_s: Annotated[float, Field(gt=0, le=5)] = 1.0
    """A request without an answer for this long has failed; the others on the line wait for it."""


class CanBus(Section):
    """A CAN interface as python-can names it."""

    kind: Literal["can"] = "can"
    """A CAN bus."""
    interface: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]
    """socketcan: an interface of the kernel. slcan: a serial adapter. virtual: for tests. Or
    another one of python-can's, such as pcan, kvaser, gs_usb or socketcand."""
    channel: str
    """Such as /dev/ttyACM0 for slcan, can0 for socketcan."""
    bitrate: Annotated[int, Field(ge=10_000, le=1_000_000)] = 500_000
    """As all devices on this bus have it."""
    acts_as_inverter: bool = False
    """Send what the battery waits for, such as the keep-alive 0x305; only if no inverter on this
    bus does."""
    options: tuple[_Option, ...] = ()
    """What this interface needs beside, under python-can's names: [host=192.168.1.5, port=28600]
    for socketcand."""
    address: Annotated[int, Field(ge=0, le=15)] = 0
    """Of the battery, if those of its table have one (Pylontech high voltage)."""


class HttpHost(Section):
    """A device that is asked over HTTP, in the network of the house."""

    kind: Literal["http"] = "http"
    """HTTP, without a password."""
    host: Annotated[str, AfterValidator(_no_url)]
    """Name or address, without http:// and port."""
    port: Annotated[int, Field(ge=1, le=65535)] = 80
    """TCP port."""
    prefix: Annotated[str, Form(pattern="(/[A-Za-z0-9._~-]+)*", right="path such as /meter")] = ""
    """Stands before the paths of the table, where the device is behind another server."""
    timeout_s: Annotated[float, Field(gt=0, le=5)] = 0.8
    """A request without a whole answer for this long has failed."""


_TOPIC = r"[^+#\s/][^+#\s]{0,199}"


class Broker(Section):
    """A broker, and a topic on it."""

    kind: str
    host: Annotated[str, AfterValidator(_no_url)]
    """The broker's name or address, without mqtt:// and port."""
    port: Annotated[int, Field(ge=1, le=65535)] = 1883
    """TCP port; with tls usually 8883."""
    topic: Annotated[str, Form(pattern=_TOPIC, right="topic such as house/meter")]
    """Stands in the place of {base} in the topics of the table."""
    username: Annotated[str, Field(min_length=1)] | None = None
    """As the broker knows us; None: it asks nobody."""
    password_env: EnvVariable | None = None
    """Name of the environment variable with the password; never the password itself."""
    password_file: FilePath | None = None
    """A file with nothing but the password in it; relative to site.yaml."""
    tls: bool = False
    """Encrypted; the broker's certificate is checked against those that this computer trusts."""

    @model_validator(mode="after")
    def _password_has_one_place(self) -> Self:
        if self.password_env is not None and self.password_file is not None:
            raise ValueError("password_env and password_file: only one of them can be")
        if self.username is None and (self.password_env or self.password_file) is not None:
            raise ValueError("username: a password needs one")
        return self


class MqttBroker(Broker):
    """A device behind an MQTT broker."""

    kind: Literal["mqtt"] = "mqtt"
    """MQTT; needs Holdfast's extra `mqtt`."""


class ModbusMqtt(Broker):
    """A Growatt inverter behind a stick that runs OpenInverterGateway and has a broker.

    Whoever may send to the stick's topics commands the inverter: let the broker ask for a password.
    """

    kind: Literal["modbus_mqtt"] = "modbus_mqtt"
    """Registers through OpenInverterGateway over MQTT; needs Holdfast's extra `mqtt`."""
    topic: Annotated[str, Form(pattern=_TOPIC, right="topic such as energy/solar")] = "energy/solar"
    """As the stick has it: commands go to its command/..., answers come on its result."""
    timeout_s: Annotated[float, Field(gt=0, le=5)] = 2.5
    """A request without an answer for this long has failed. While the stick reads for itself
    (REFRESH_TIMER), which takes a second or more, it answers nobody."""
    device_id: ClassVar[int] = 1
    """The stick asks no other."""
    AT_ONCE: ClassVar[int] = 2
    """It reads so many registers in one request."""


class GpioChip(Section):
    """Lines of this computer itself: a Raspberry Pi, or an industrial computer."""

    kind: Literal["gpio"] = "gpio"
    """GPIO lines; needs Holdfast's extra `gpio`."""
    chip: Annotated[str, Field(min_length=1)]
    """Its path, its name or its label: /dev/gpiochip0, gpiochip0 or pinctrl-bcm2711. The label
    stays, whatever else is plugged in."""
    lines: tuple[
        Annotated[str, Form(pattern=r"[a-z_]+=\S.{0,63}", right="line such as contactor=17")], ...
    ] = ()
    """Which line is what, where the table does not say it: [contactor=17, contactor_closed=27], by
    number or by the name that the kernel has for it."""


RtuLine = ModbusRtu | ModbusRtuTcp
"""Several devices share such a line: one request at a time, and no answer tells to which."""
Modbus = ModbusTcp | RtuLine | ModbusMqtt
"""All of these speak Modbus."""
Connection = Annotated[
    Modbus | CanBus | HttpHost | MqttBroker | GpioChip, Field(discriminator="kind")
]


def is_file(profile: str) -> bool:
    """Says whether a profile is named as a file, and not as one that comes with Holdfast."""
    return profile.endswith((".yaml", ".yml"))


class Device(Section):
    """A device: which register table it follows and how it is reached."""

    profile: str
    """Register table that it follows, by its name in holdfast/devices/profiles; or a file of your
    own, such as ./my_inverter.yaml, relative to site.yaml."""
    connection: Connection
    """How it is reached."""


class Without(Section):
    """A device that this site does not have. It is left out in words, never by default."""

    none: Annotated[str, Field(min_length=3, max_length=MAX_REASON)]
    """Why it needs none, such as: the inverter has a switch of its own."""


def _kind(content: object) -> str:
    left_out = isinstance(content, Without) or (isinstance(content, dict) and "none" in content)
    return "left_out" if left_out else "device"


DeviceOrWithout = Annotated[
    Annotated[Device, Tag("device")] | Annotated[Without, Tag("left_out")], Discriminator(_kind)
]


def device_keys(section: type[Section]) -> tuple[str, ...]:
    """Returns the keys under which ``section`` has a device, or may leave one out."""
    return tuple(
        key for key, field in section.model_fields.items() if Device in _members(field.annotation)
    )


def _members(annotation: object) -> tuple[object, ...]:
    """Returns the types of a union, whatever is said about them; or the one type that is none."""
    bare = get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
    if get_origin(bare) not in (Union, UnionType):
        return (bare,)
    return tuple(each for member in get_args(bare) for each in _members(member))
