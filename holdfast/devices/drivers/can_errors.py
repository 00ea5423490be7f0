"""This module says in words what an error frame of the kernel (SocketCAN) tells of the bus."""

import can

_BUS_OFF = 0x40
_SOCKETCAN = "socketcan"
_ARE_THEY_RIGHT = "are bitrate, wiring and terminators right?"

_ROWS: tuple[tuple[int, int | None, int, str], ...] = (
    # bit of the identifier, byte, its bits, what it means
    (_BUS_OFF, None, 0, "the adapter has left the bus (bus-off), and is back only with restart-ms: "
                        + _ARE_THEY_RIGHT),
    (0x20, None, 0, "nobody acknowledges what is sent: is the battery on, and connected?"),
    (0x04, 1, 0x30, "the adapter is error-passive: " + _ARE_THEY_RIGHT),
    (0x04, 1, 0x0C, "the adapter warns of many errors on the bus"),
    (0x04, 1, 0x03, "the adapter's buffer overflows: more frames come than can be read"),
    (0x08, None, 0, "frames break the protocol: " + _ARE_THEY_RIGHT),
    (0x80, None, 0, "errors on the bus: " + _ARE_THEY_RIGHT),
    (0x10, None, 0, "the adapter's transceiver has an error: is a wire cut or shorted?"),
    (0x01, None, 0, "a frame could not be sent in time"),
)  # fmt: skip
"""The first that fits is the most important."""


def is_bus_off(message: can.Message, interface: str) -> bool:
    """Says whether an error frame tells that the adapter has left the bus."""
    return interface == _SOCKETCAN and bool(message.arbitration_id & _BUS_OFF)


def error_in_words(message: can.Message, interface: str) -> str:
    """Returns what an error frame says; those of other interfaces have meanings of their own.

    >>> alone = can.Message(arbitration_id=0x20, is_error_frame=True, data=bytes(8))
    >>> error_in_words(alone, "socketcan")
    'nobody acknowledges what is sent: is the battery on, and connected?'
    """
    for bit, byte, bits, words in _ROWS if interface == _SOCKETCAN else ():
        if message.arbitration_id & bit and (byte is None or _has(message, byte, bits)):
            return words
    return "the adapter tells of an error on the bus"


def _has(message: can.Message, byte: int, bits: int) -> bool:
    return byte < len(message.data) and bool(message.data[byte] & bits)
