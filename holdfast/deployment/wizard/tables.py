"""Which device tables fit which question."""

from functools import cache

from holdfast.core.role import Role
from holdfast.deployment.wizard.question import Option
from holdfast.devices.profile import Profile, load_profile, profile_names

PROTOCOLS = ("modbus", "sunspec", "can", "http")
"""What hangs on a broker or on GPIO lines needs more than an address: docs/device-tables.md."""


@cache
def _tables() -> tuple[Profile, ...]:
    return tuple(
        profile for profile in map(load_profile, profile_names()) if profile.protocol in PROTOCOLS
    )


@cache
def tables_for(role: Role) -> tuple[Option, ...]:
    """Returns the tables of devices in ``role``: those of makers first, then the generic ones."""
    found = [profile for profile in _tables() if role in profile.roles]
    found.sort(key=lambda profile: (profile.name.startswith("generic_"), profile.name))
    return tuple(Option(value=profile.name, text=_roles(profile)) for profile in found)


def _roles(profile: Profile) -> str:
    return ", ".join(role.value.replace("_", " ") for role in profile.roles)


def has_role(table: str, role: Role) -> bool:
    """Says whether a device of this table has a role."""
    return role in load_profile(table).roles


def protocol_of(table: str) -> str:
    """Returns how a device of this table is reached; SunSpec is Modbus."""
    protocol = load_profile(table).protocol
    return "modbus" if protocol == "sunspec" else protocol
