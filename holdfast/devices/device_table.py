"""Every device table says what the device is for, whence the table is, and who found it right."""

from collections.abc import Set
from typing import Annotated

from pydantic import Field

from holdfast.core.role import Role
from holdfast.core.signals import SIGNALS, Signal
from holdfast.core.texts import MAX_REASON
from holdfast.devices.registers import TableRow, check_unique
from holdfast.safety.goals import Goal

Reason = Annotated[str, Field(min_length=3, max_length=MAX_REASON)]


class DeviceTable(TableRow):
    """Has what the tables of all protocols have in common."""

    name: str
    roles: Annotated[tuple[Role, ...], Field(min_length=1)]
    """What the device does for a site: an integrated hybrid is inverter, BMS and meter at once."""
    source: str
    """Tells where the table comes from."""
    confirmed: Reason | None = None
    """On what hardware, and by whom, this table was found right. None: on none yet."""
    guards: dict[Goal, Reason] = Field(default_factory=dict)
    """What the device guards by itself, each with where that is written."""


def check_roles(roles: tuple[Role, ...], signals: Set[Signal]) -> None:
    """Raises ValueError unless each signal comes from one of the roles, and each role tells one."""
    check_unique("role", list(roles))
    for signal in sorted(signals):
        producer = SIGNALS[signal].producer
        if producer not in roles:
            raise ValueError(f"{signal} is produced by {producer}, not by {listed(roles)}")
    for role in roles:
        if not any(SIGNALS[signal].producer is role for signal in signals):
            raise ValueError(f"roles: nothing that it reads is produced by {role}")


def listed(roles: tuple[Role, ...]) -> str:
    return " or ".join(roles)
