"""Lines of GPIO chips, by the kernel's character device: no other module knows the library.

A line that is held is nobody else's, until it is released or the process ends. What it then does,
the chip decides: most keep driving it, others make an input of it. The library is an extra, so it
is imported where it is used.
"""

import errno
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.core.errors import ConfigError, DeviceRefused, DeviceUnreachable
from holdfast.core.signals import Signal
from holdfast.devices.gpio_profile import GpioRead, GpioWrite

if TYPE_CHECKING:
    import gpiod

_log = logging.getLogger(__name__)

_DEV = Path("/dev")
_LONGEST_CONSUMER = 31
_NO_INTERRUPT = frozenset({errno.ENXIO, errno.ENODEV, errno.EOPNOTSUPP, 524})
"""With one of these a chip refuses to tell of changes by itself; 524 is the kernel's ENOTSUPP."""
_CAUSES = {
    errno.ENOENT: "there is no such chip",
    errno.ENODEV: "there is no such chip, or no longer",
    errno.ENXIO: "there is no such chip, or no longer",
    errno.ENOTTY: "this is no GPIO chip",
    errno.EACCES: "permission denied; GPIO chips are open to the group gpio, or to root alone",
    errno.EPERM: "permission denied",
    errno.EINVAL: "the chip does not take these settings",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LineNow:
    """Holds what the kernel tells of a line, whoever holds it."""

    number: int
    name: str
    """Empty: it has none."""
    holder: str
    """Names who holds it; empty: nobody does."""
    output: bool


class HeldInputs:
    """Holds lines that are read."""

    def __init__(
        self, request: "gpiod.LineRequest", numbers: Mapping[Signal, int], *, tells: bool
    ) -> None:
        self._request = request
        self._numbers = numbers
        self.tells = tells
        """Says whether :meth:`fileno` becomes readable when a line changes that was asked for."""

    def fileno(self) -> int:
        """Returns what becomes readable."""
        return self._request.fd

    def values(self) -> dict[Signal, float]:
        """Returns what all lines show now. Raises DeviceUnreachable."""
        with _in_words():
            values = self._request.get_values(list(self._numbers.values()))
        return {
            signal: float(bool(value)) for signal, value in zip(self._numbers, values, strict=True)
        }

    def changed(self) -> list[Signal]:
        """Returns which lines have changed since the last time, be it for a moment; only once there
        is something to tell. Raises DeviceUnreachable.

        Not which way: of a pulse that is over before the kernel looks it tells one way twice.
        """
        with _in_words():
            events = self._request.read_edge_events()
        numbers = {event.line_offset for event in events}
        return [signal for signal, number in self._numbers.items() if number in numbers]

    def release(self) -> None:
        """Lets go of them."""
        self._request.release()


class HeldOutput:
    """Holds a line that is driven. It begins at 0."""

    def __init__(self, request: "gpiod.LineRequest", number: int) -> None:
        self._request = request
        self._number = number

    def set(self, value: float) -> None:
        """Drives it. Raises DeviceUnreachable, and DeviceRefused if it shows something else."""
        from gpiod.line import Value

        with _in_words():
            self._request.set_value(self._number, Value.ACTIVE if value else Value.INACTIVE)
            shown = float(bool(self._request.get_value(self._number)))
        if shown != value:
            raise DeviceRefused(
                f"line {self._number} was set to {value:g} and shows {shown:g}: "
                "something else drives it"
            )

    def release(self) -> None:
        """Lets go of it."""
        self._request.release()


def check_library(name: str) -> None:
    """Raises ConfigError if the library is not installed, or is another one of this name."""
    try:
        from gpiod import LineSettings  # noqa: F401 - not in libgpiod 1
    except ImportError:
        raise ConfigError(
            f"{name}: GPIO needs another package: pip install 'holdfast[gpio]'"
        ) from None


def hold_inputs(
    chip: str, reads: Sequence[GpioRead], consumer: str, wakes: Collection[Signal] = ()
) -> HeldInputs:
    """Makes inputs of lines. A change of those in ``wakes`` is told, where the chip can do that.

    Raises DeviceUnreachable, which names the holder of a line that is not free.
    """
    with _opened(chip) as opened:
        numbers = {read.signal: _number(opened, read.line) for read in reads}

        def request(*, listens: bool) -> "gpiod.LineRequest":
            settings = {
                numbers[read.signal]: _input(read, wakes=read.signal in wakes, listens=listens)
                for read in reads
            }
            return _request(opened, settings, consumer)

        tells = any(read.signal in wakes for read in reads)
        try:
            return HeldInputs(request(listens=True), numbers, tells=tells)
        except OSError as error:
            if error.errno not in _NO_INTERRUPT:
                raise
        held = HeldInputs(request(listens=False), numbers, tells=False)
        _log.warning("%s: the chip tells no changes; lines are looked at, not debounced", chip)
        return held


def hold_output(chip: str, write: GpioWrite, consumer: str) -> HeldOutput:
    """Makes an output of a line, at 0. Raises DeviceUnreachable as :func:`hold_inputs`."""
    import gpiod
    from gpiod.line import Direction, Drive, Value

    drives = {
        "push_pull": Drive.PUSH_PULL,
        "open_drain": Drive.OPEN_DRAIN,
        "open_source": Drive.OPEN_SOURCE,
    }
    settings = gpiod.LineSettings(
        direction=Direction.OUTPUT,
        drive=drives[write.drive],
        active_low=write.active_low,
        output_value=Value.INACTIVE,
    )
    with _opened(chip) as opened:
        number = _number(opened, write.line)
        return HeldOutput(_request(opened, {number: settings}, consumer), number)


def line_now(chip: str, line: int | str | None) -> LineNow:
    """Tells of a line, and leaves it as it is. Raises DeviceUnreachable."""
    from gpiod.line import Direction

    with _opened(chip) as opened:
        info = opened.get_line_info(_number(opened, line))
    return LineNow(
        number=info.offset,
        name=info.name or "",
        holder=(info.consumer or "the kernel") if info.used else "",
        output=info.direction is Direction.OUTPUT,
    )


def _input(read: GpioRead, *, wakes: bool, listens: bool) -> "gpiod.LineSettings":
    """Returns the settings of an input; one that ``listens`` takes an interrupt of the chip."""
    import gpiod
    from gpiod.line import Bias, Direction, Edge

    biases = {"pull_up": Bias.PULL_UP, "pull_down": Bias.PULL_DOWN, "external": Bias.DISABLED}
    return gpiod.LineSettings(
        direction=Direction.INPUT,
        edge_detection=Edge.BOTH if wakes and listens else Edge.NONE,
        bias=biases[read.bias],
        active_low=read.active_low,
        debounce_period=timedelta(milliseconds=read.debounce_ms if listens else 0),
    )


def _request(
    opened: "gpiod.Chip", settings: Mapping[int, "gpiod.LineSettings"], consumer: str
) -> "gpiod.LineRequest":
    """Raises DeviceUnreachable for a line that another holds."""
    config: dict[Iterable[int | str] | int | str, gpiod.LineSettings | None] = dict(
        settings.items()
    )
    try:
        return opened.request_lines(config, consumer=consumer[:_LONGEST_CONSUMER])
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        raise DeviceUnreachable(_who_holds(opened, settings)) from error


def _who_holds(opened: "gpiod.Chip", numbers: Mapping[int, object]) -> str:
    infos = (opened.get_line_info(number) for number in numbers)
    held = [
        f"line {info.offset} is held by {info.consumer or 'the kernel'}"
        for info in infos
        if info.used
    ]
    return "; ".join(held) or "a line was held by another until just now"


def _number(opened: "gpiod.Chip", line: int | str | None) -> int:
    """Returns the number of a line. Raises DeviceUnreachable if the chip has none such."""
    info = opened.get_info()
    try:
        if line is not None:
            return opened.line_offset_from_id(line)
    except (ValueError, FileNotFoundError):
        pass
    has = f"{info.name} ({info.label}) has {info.num_lines} lines"
    raise DeviceUnreachable(f"{has}, and no line {line}")


@contextmanager
def _opened(chip: str) -> Iterator["gpiod.Chip"]:
    """Opens a chip for a moment. Raises DeviceUnreachable for what fails meanwhile."""
    import gpiod

    path = chip if chip.startswith("/") else _path_of(chip)
    with _in_words(), gpiod.Chip(path) as opened:
        yield opened


def _path_of(chip: str) -> str:
    """Returns the path of the chip with this name or label. Raises DeviceUnreachable."""
    import gpiod

    found, there = [], []
    for path in sorted(_DEV.glob("gpiochip*")):
        with _in_words(), gpiod.Chip(str(path)) as opened:
            info = opened.get_info()
        there.append(f"{info.name} ({info.label})")
        if chip in (info.name, info.label):
            found.append(str(path))
    if not found:
        raise DeviceUnreachable(
            f"no GPIO chip is called {chip}; there is {', '.join(there) or 'none at all'}"
        )
    if len(found) > 1:
        raise DeviceUnreachable(
            f"{' and '.join(found)} are all called {chip}; name one by its path"
        )
    return found[0]


@contextmanager
def _in_words() -> Iterator[None]:
    """Raises what the system says as DeviceUnreachable."""
    try:
        yield
    except OSError as error:
        cause = _CAUSES.get(error.errno or 0, f"{type(error).__name__}: {error}")
        raise DeviceUnreachable(cause) from error
