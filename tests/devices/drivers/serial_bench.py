"""A serial line without wires: a pseudo-terminal with devices, good or bad, on its other end."""

import asyncio
import os
import struct
import threading
import time
import tty
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pymodbus.framer import FramerRTU

DeviceAnswer = Callable[[bytes], bytes | None]


def with_sum(body: bytes) -> bytes:
    return body + FramerRTU.compute_CRC(body).to_bytes(2, "big")


class Registers:
    """A proper device: holding registers that can be read, and written by 6 and 16."""

    def __init__(self, device_id: int, registers: dict[int, int] | None = None) -> None:
        self.device_id = device_id
        self.registers = registers or {}
        self.requests: list[tuple[float, bytes]] = []

    def __call__(self, frame: bytes) -> bytes | None:
        self.requests.append((time.monotonic(), frame))
        return with_sum(self.body_of(frame))

    def body_of(self, frame: bytes) -> bytes:
        unit, function, address, number = struct.unpack(">BBHH", frame[:6])
        if function in (3, 4):
            words = [self.registers.get(address + i, 0) for i in range(number)]
            return struct.pack(f">BBB{number}H", unit, function, 2 * number, *words)
        if function in (1, 2):
            size = -(-number // 8)
            bits = sum(self.registers.get(address + i, 0) << i for i in range(number))
            return bytes([unit, function, size]) + bits.to_bytes(size, "little")
        if function == 5:
            self.registers[address] = int(number == 0xFF00)
        elif function == 6:
            self.registers[address] = number
        elif function == 16:
            words = struct.unpack(f">{number}H", frame[7 : 7 + 2 * number])
            self.registers |= dict(zip(range(address, address + number), words, strict=True))
        else:
            return bytes([unit, function | 0x80, 1])
        return frame[:6]

    @property
    def writes(self) -> list[bytes]:
        return [frame for _, frame in self.requests if frame[1] > 4]


@dataclass
class SerialBench:
    """One line; ``answers`` has what each device id says to a frame."""

    answers: dict[int, DeviceAnswer] = field(default_factory=dict)
    frames: list[tuple[float, bytes]] = field(default_factory=list)
    """All that was ever asked, with its time."""
    master: int = -1
    path: str = ""
    _heard: bytes = b""

    def open(self, link: Path) -> "SerialBench":
        """Plugs the adapter in: its name is ``link``, as one under /dev/serial/by-id is."""
        self.master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(self.master, False)
        name = os.ttyname(slave)
        self._slave = slave  # else the other end is gone whenever nobody has it open
        link.unlink(missing_ok=True)
        link.symlink_to(name)
        self.path = str(link)
        asyncio.get_running_loop().add_reader(self.master, self._read)
        return self

    def unplug(self) -> None:
        """Pulls it out; the name goes with it."""
        if self.master < 0:
            return
        asyncio.get_running_loop().remove_reader(self.master)
        os.close(self.master)
        os.close(self._slave)
        self.master = -1
        Path(self.path).unlink(missing_ok=True)

    def say(self, data: bytes) -> None:
        """Puts bytes on the line."""
        if self.master >= 0:
            with suppress(BlockingIOError):
                os.write(self.master, data)

    def _read(self) -> None:
        try:
            self._heard += os.read(self.master, 4096)
        except BlockingIOError:
            return
        while (length := _length(self._heard)) and len(self._heard) >= length:
            frame, self._heard = self._heard[:length], self._heard[length:]
            assert with_sum(frame[:-2]) == frame, f"bad sum: {frame.hex()}"
            self.frames.append((time.monotonic(), frame))
            answer = self.answers.get(frame[0], lambda _: None)(frame)
            if answer:
                self.say(answer)


def _length(heard: bytes) -> int:
    """The length of the request that ``heard`` begins with; 0 if that is not known yet."""
    if len(heard) < 7:
        return 0
    return 9 + heard[6] if heard[1] in (15, 16) else 8


class SerialPair:
    """Two ports whose bytes go to each other, as through a null-modem cable."""

    def __init__(self, folder: Path) -> None:
        self.paths: list[str] = []
        self.passed: list[tuple[int, bytes]] = []
        """What went over: from which port, and the bytes."""
        self._masters, self._slaves = [], []
        for name in ("ours", "theirs"):
            master, slave = os.openpty()
            tty.setraw(slave)
            self._masters.append(master)
            self._slaves.append(slave)
            (folder / name).symlink_to(os.ttyname(slave))
            self.paths.append(str(folder / name))
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._carry, args=(i,)) for i in (0, 1)]
        for master in self._masters:
            os.set_blocking(master, False)
        for thread in self._threads:
            thread.start()

    def _carry(self, source: int) -> None:
        while not self._end.is_set():
            try:
                data = os.read(self._masters[source], 4096)
            except BlockingIOError:
                time.sleep(0.0005)
                continue
            self.passed.append((source, data))
            os.write(self._masters[1 - source], data)

    def close(self) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()
        for fd in (*self._masters, *self._slaves):
            os.close(fd)
