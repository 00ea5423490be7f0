"""GPIO chips for tests: one that stands in for the kernel's, and one that the kernel simulates.

What a test says of lines it says of both. The second is there where ``HOLDFAST_GPIO_CHIP`` names a
chip of gpio-sim with eight lines, the third of which (from 0) is called ``loop``::

    modprobe gpio-sim
    bank=/sys/kernel/config/gpio-sim/bench/bank0
    mkdir -p $bank/line3 && echo 8 > $bank/num_lines && echo loop > $bank/line3/name
    echo 1 > $bank/../live && export HOLDFAST_GPIO_CHIP=/dev/gpiochip0
"""

import errno
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol

import gpiod
import pytest
from gpiod.line import Bias, Direction, Edge, Value

from holdfast.devices.drivers import gpio_lines

CHIP = "HOLDFAST_GPIO_CHIP"
LOOP = 3


class Bench(Protocol):
    """A chip, and the world at its lines."""

    path: str

    def wire(self, number: int, *, high: bool) -> None:
        """The world holds a line at this voltage."""

    def is_high(self, number: int) -> bool:
        """Whether a line has a voltage."""


@dataclass
class Line:
    """What the stand-in knows of one line."""

    name: str | None = None
    consumer: str | None = None
    held: bool = False
    settings: gpiod.LineSettings = field(default_factory=gpiod.LineSettings)
    driven: bool | None = None
    """The voltage that the chip drives it to; None: it is an input."""
    world: bool | None = None
    """The voltage that a wire brings; None: none does."""
    short: bool | None = None
    """Something holds it there, whatever drives it."""

    @property
    def is_high(self) -> bool:
        for level in (self.short, self.driven, self.world):
            if level is not None:
                return level
        return self.settings.bias is Bias.PULL_UP

    @property
    def active(self) -> bool:
        return self.is_high is not self.settings.active_low


class StandIn:
    """Does what the kernel does, as seen on gpio-sim: names its errors, persists, tells edges."""

    def __init__(self, folder: Path, number: int = 0, label: str = "stand-in") -> None:
        self.name = f"gpiochip{number}"
        self.label = label
        self.path = str(folder / self.name)
        self.lines = [Line() for _ in range(8)]
        self.lines[LOOP].name = "loop"
        self.interrupts = True
        self.persists = True
        """A line that is released stays as it was driven; some chips make an input of it."""
        self.requests: list[_Request] = []
        Path(self.path).touch()

    def wire(self, number: int, *, high: bool) -> None:
        before = self.lines[number].active
        self.lines[number].world = high
        after = self.lines[number].active
        if before is not after:
            for request in self.requests:
                request.note(number, rises=after)

    def is_high(self, number: int) -> bool:
        return self.lines[number].is_high

    def unplug(self) -> None:
        """It is gone, with all that was held; it may come back as a new one."""
        Path(self.path).unlink()
        for request in self.requests:
            request.gone = True
        self.lines = [Line() for _ in range(8)]

    def plug_in(self) -> None:
        Path(self.path).touch()

    def check(self) -> None:
        if not Path(self.path).exists():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))


class _Request:
    """A request for lines, as ``gpiod.LineRequest``."""

    def __init__(self, chip: StandIn, numbers: list[int]) -> None:
        self._chip = chip
        self._numbers = numbers
        self._events: list[gpiod.EdgeEvent] = []
        self.fd = os.eventfd(0, os.EFD_NONBLOCK)
        self.gone = self._released = False

    def get_values(self, numbers: Iterable[int]) -> list[Value]:
        self._check()
        return [self._value(number) for number in numbers]

    def get_value(self, number: int) -> Value:
        return self.get_values([number])[0]

    def set_value(self, number: int, value: Value) -> None:
        self._check()
        line = self._chip.lines[number]
        assert line.settings.direction is Direction.OUTPUT
        line.driven = bool(value) is not line.settings.active_low

    def read_edge_events(self) -> list[gpiod.EdgeEvent]:
        self._check()
        assert self._events, "the kernel would wait for one"
        os.eventfd_read(self.fd)
        events, self._events = self._events, []
        return events

    def release(self) -> None:
        if self._released:
            return
        self._released = True
        os.close(self.fd)
        self._chip.requests.remove(self)
        for number in () if self.gone else self._numbers:
            line = self._chip.lines[number]
            line.held, line.consumer = False, None
            if not self._chip.persists:
                line.driven = None

    def note(self, number: int, *, rises: bool) -> None:
        """A line has changed."""
        line = self._chip.lines[number]
        if number in self._numbers and line.settings.edge_detection is Edge.BOTH:
            # Of a pulse the kernel may tell one way twice: it looks when it comes to it.
            self._events.append(gpiod.EdgeEvent(1 if rises else 2, 0, number, 0, 0))
            way = 1 if self._chip.lines[number].active else 2
            self._events = [gpiod.EdgeEvent(way, 0, e.line_offset, 0, 0) for e in self._events]
            os.eventfd_write(self.fd, 1)

    def _value(self, number: int) -> Value:
        return Value.ACTIVE if self._chip.lines[number].active else Value.INACTIVE

    def _check(self) -> None:
        assert not self._released
        if self.gone:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))


class _Chip:
    """A chip that is opened, as ``gpiod.Chip``."""

    def __init__(self, chip: StandIn) -> None:
        self._chip = chip

    def __enter__(self) -> "_Chip":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def get_info(self) -> Any:
        chip = self._chip
        return SimpleNamespace(name=chip.name, label=chip.label, num_lines=len(chip.lines))

    def line_offset_from_id(self, line: int | str) -> int:
        if isinstance(line, str):
            for number, each in enumerate(self._chip.lines):
                if each.name == line:
                    return number
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        if line >= len(self._chip.lines):
            raise ValueError("line offset of out range")
        return line

    def get_line_info(self, number: int) -> Any:
        line = self._chip.lines[number]
        return SimpleNamespace(
            offset=number,
            name=line.name,
            used=line.held,
            consumer=line.consumer,
            direction=Direction.INPUT if line.driven is None else Direction.OUTPUT,
        )

    def request_lines(
        self, config: Mapping[int, gpiod.LineSettings], consumer: str | None
    ) -> _Request:
        self._check(config)
        request = _Request(self._chip, list(config))
        for number, settings in config.items():
            line = self._chip.lines[number]
            line.held, line.settings, line.consumer = True, settings, consumer or "?"
            line.driven = None
            if settings.direction is Direction.OUTPUT:
                line.driven = bool(settings.output_value) is not settings.active_low
        self._chip.requests.append(request)
        return request

    def _check(self, config: Mapping[int, gpiod.LineSettings]) -> None:
        if any(self._chip.lines[number].held for number in config):
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        asks = any(
            each.edge_detection is not Edge.NONE or each.debounce_period for each in config.values()
        )
        if asks and not self._chip.interrupts:
            raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))


class Chips:
    """Takes the place of ``gpiod.Chip``."""

    def __init__(self, *chips: StandIn) -> None:
        self._chips = {chip.path: chip for chip in chips}

    def __call__(self, path: str) -> _Chip:
        chip = self._chips.get(path)
        if chip is None:
            known = Path(path).exists()
            number = errno.ENOTTY if known else errno.ENOENT
            raise OSError(number, os.strerror(number))
        chip.check()
        return _Chip(chip)


def put_in(monkeypatch: pytest.MonkeyPatch, folder: Path, *chips: StandIn) -> None:
    """These are the chips of this computer, and there are no others."""
    monkeypatch.setattr(gpiod, "Chip", Chips(*chips))
    monkeypatch.setattr(gpio_lines, "_DEV", folder)


class Simulated:
    """A chip of gpio-sim; what the world does stands in sysfs."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._folder = Path("/sys/bus/gpio/devices", Path(path).name).resolve()
        for number in range(8):
            self.wire(number, high=False)

    def wire(self, number: int, *, high: bool) -> None:
        pull = self._folder / f"sim_gpio{number}" / "pull"
        pull.write_text("pull-up" if high else "pull-down")

    def is_high(self, number: int) -> bool:
        return (self._folder / f"sim_gpio{number}" / "value").read_text().strip() == "1"


@dataclass(frozen=True)
class Held:
    """Another program has lines of a chip."""

    path: str
    consumer: str = "fan"

    def take(self, *numbers: int) -> gpiod.LineRequest:
        with gpiod.Chip(self.path) as chip:
            settings = gpiod.LineSettings(direction=Direction.INPUT)
            return chip.request_lines(dict.fromkeys(numbers, settings), consumer=self.consumer)


def holder(path: str, number: int) -> str:
    """Who has a line; empty: nobody."""
    with gpiod.Chip(path) as chip:
        info = chip.get_line_info(number)
        return info.consumer if info.used else ""


def is_output(path: str, number: int) -> bool:
    """Whether a line is driven."""
    with gpiod.Chip(path) as chip:
        return chip.get_line_info(number).direction is Direction.OUTPUT
