"""Devices in a site.yaml stand for themselves: their names are looked up, their files found.

A device that has several roles is named once: where a device is asked for its name may stand.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from holdfast.core.config import Site
from holdfast.core.config.device import Device, device_keys, is_file
from holdfast.core.config.loads import FlexibleLoad, HeatedRoom, MeteredLoad
from holdfast.core.config.section import Name, Section
from holdfast.core.config.storage import StorageUnit
from holdfast.core.errors import ConfigError

_LISTS: Mapping[str, type[Section]] = {
    "storage": StorageUnit,
    "loads": FlexibleLoad,
    "rooms": HeatedRoom,
    "metered_loads": MeteredLoad,
}
"""Where in site.yaml the sections are that have devices, beside the site itself."""


class _Named(BaseModel):
    devices: dict[Name, Device] = {}


def with_devices(content: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Returns ``content`` of a site.yaml in ``folder`` with the devices themselves in the place of
    their names, and tables of the owner's by their whole path.

    Raises ConfigError for a name that no device has and for a device that nothing uses, and
    ValidationError for a device that is none.
    """
    _find_files(content, folder)
    named = _Named.model_validate(content).devices
    used: set[str] = set()
    for path, section, key in list(_places(content)):
        name = section[key]
        if not isinstance(name, str):
            continue
        if name not in named:
            known = ", ".join(named) or "none are there"
            raise ConfigError(f"{path}: no device under devices is called {name!r}; {known}")
        used.add(name)
        section[key] = named[name]
    if idle := [name for name in named if name not in used]:
        raise ConfigError(f"devices.{idle[0]}: nothing uses it; write its name where it serves")
    return content


def _find_files(content: dict[str, Any], folder: Path) -> None:
    """Makes each path of a table or a password whole: it counts from ``folder``."""
    named = content.get("devices")
    apart = [section[key] for _, section, key in _places(content)]
    for device in (*(named.values() if isinstance(named, dict) else ()), *apart):
        profile = device.get("profile") if isinstance(device, dict) else None
        if isinstance(profile, str) and is_file(profile):
            device["profile"] = str(folder / profile)
        connection = device.get("connection") if isinstance(device, dict) else None
        if isinstance(connection, dict):
            password = connection.get("password_file")
            if isinstance(password, str) and password and not password.startswith("~"):
                connection["password_file"] = str(folder / password)


def _places(content: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yields each place where a device stands: its path, its section, and the key."""
    yield from _in_section("", content, Site)
    for key, kind in _LISTS.items():
        entries = content.get(key)
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            yield from _in_section(f"{key}[{index}].", entry, kind)


def _in_section(
    before: str, section: object, kind: type[Section]
) -> Iterator[tuple[str, dict[str, Any], str]]:
    for key in device_keys(kind):
        if isinstance(section, dict) and key in section:
            yield f"{before}{key}", section, key
