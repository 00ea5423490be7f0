"""This module looks at the GPIO lines of one device once; what is driven it leaves as it is."""

from dataclasses import dataclass

from holdfast.core.commands import Point
from holdfast.core.config.device import GpioChip
from holdfast.core.errors import DeviceError
from holdfast.core.signals import Signal
from holdfast.devices.drivers.gpio import placed
from holdfast.devices.drivers.gpio_lines import hold_inputs, line_now
from holdfast.devices.gpio_profile import GpioProfile, GpioRead, GpioWrite


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRead:
    """Holds what one line told."""

    what: Signal | Point
    line: str
    """As site.yaml or the table names it."""
    name: str = ""
    """As the kernel names it."""
    output: bool = False
    """Says whether it is driven now."""
    holder: str = ""
    """Names who holds it; empty: nobody does."""
    value: float | None = None
    """None: it is one that is written, or did not tell."""
    problem: str = ""
    """Tells why it did not."""


def read_lines(table: GpioProfile, connection: GpioChip) -> tuple[LineRead, ...]:
    """Looks at each line once. Raises ConfigError if one is not named."""
    whole = placed(table.name, table, connection)
    rows: tuple[GpioRead | GpioWrite, ...] = (*whole.reads, *whole.writes)
    return tuple(_looked_at(connection.chip, row) for row in rows)


def _looked_at(chip: str, row: GpioRead | GpioWrite) -> LineRead:
    what = row.signal if isinstance(row, GpioRead) else row.point
    try:
        now = line_now(chip, row.line)
        value = _value(chip, row) if isinstance(row, GpioRead) else None
    except DeviceError as error:
        return LineRead(what=what, line=str(row.line), problem=str(error))
    return LineRead(
        what=what,
        line=str(row.line),
        name=now.name,
        output=now.output,
        holder=now.holder,
        value=value,
    )


def _value(chip: str, read: GpioRead) -> float:
    held = hold_inputs(chip, (read,), "holdfast devices read")
    try:
        return held.values()[read.signal]
    finally:
        held.release()
