"""Where a device is, as people say it: an address, a serial port, a CAN interface."""

import re

from holdfast.deployment.wizard.question import Answers, NotAnAnswer

USUAL_PORTS = {"modbus": 502, "http": 80}
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")
_EXAMPLES = {
    "modbus": "192.168.1.20, 192.168.1.20:1502, or /dev/ttyUSB0",
    "http": "192.168.1.30",
    "can": "can0, or /dev/ttyACM0 for a serial adapter",
}


def example(protocol: str) -> str:
    """Returns what a place of a device that speaks ``protocol`` looks like."""
    return _EXAMPLES[protocol]


def is_serial(place: str) -> bool:
    """Says whether ``place`` is a serial port of this computer."""
    return place.startswith("/")


def host_and_port(place: str, protocol: str = "modbus") -> tuple[str, int]:
    """Returns name and port of a device in the network."""
    host, colon, port = place.partition(":")
    return host, int(port) if colon else USUAL_PORTS[protocol]


def understand_place(protocol: str, typed: str) -> str:
    """Returns the place as it is kept. Raises NotAnAnswer."""
    if protocol == "can" or is_serial(typed):
        return _on_this_computer(protocol, typed)
    host, colon, port = typed.removeprefix("http://").rstrip("/").partition(":")
    right_port = not colon or (port.isdecimal() and 1 <= int(port) <= 65535)
    if not _HOST.fullmatch(host) or not right_port:
        raise NotAnAnswer(f"{typed}: an address such as {example(protocol)}")
    return f"{host}{colon}{port}"


def _on_this_computer(protocol: str, typed: str) -> str:
    pattern = r"/[\w./:-]*\w|[a-z][a-z0-9_-]*" if protocol == "can" else r"/[\w./:-]*\w"
    if protocol == "http" or not re.fullmatch(pattern, typed):
        raise NotAnAnswer(f"{typed}: {example(protocol)}")
    return typed


def connection(protocol: str, answers: Answers, key: str) -> str:
    """Returns the connection of the device ``key`` as site.yaml has it."""
    place = answers[f"{key}_place"]
    if protocol == "can":
        interface = "slcan" if is_serial(place) else "socketcan"
        return f"{{kind: can, interface: {interface}, channel: {place}, bitrate: 500000}}"
    if protocol == "http":
        host, port = host_and_port(place, "http")
        return f"{{kind: http, host: {host}, port: {port}}}"
    device_id = answers[f"{key}_id"]
    if is_serial(place):
        baud = answers[f"{key}_baud"]
        return f"{{kind: modbus_rtu, port: {place}, baudrate: {baud}, device_id: {device_id}}}"
    host, port = host_and_port(place)
    return f"{{kind: modbus_tcp, host: {host}, port: {port}, device_id: {device_id}}}"
