"""The wizard looks by itself where it can: for the time zone, and for what is behind an address."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

from holdfast.core.role import Role
from holdfast.deployment.wizard.places import host_and_port, is_serial
from holdfast.deployment.wizard.tables import has_role
from holdfast.runtime.commissioning.device_scan import IDS, PORTS, FoundDevice, ScanPace, scan

_TIMEZONE = Path("/etc/timezone")
_LOCALTIME = Path("/etc/localtime")
_WITHIN_S = 120.0


def local_zone() -> str:
    """Returns the time zone of this computer; UTC where that is not known."""
    try:
        name = _TIMEZONE.read_text(encoding="utf-8").strip()
    except OSError:
        name = str(_LOCALTIME.resolve()).partition("zoneinfo/")[2]
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return "UTC"
    return name or "UTC"


def found_behind(place: str, tell: Callable[[str], None]) -> dict[str, str]:
    """Asks what is behind an address, reading only; returns what is likely, by question.

    Nothing is returned where nobody answers, or nothing fits.
    """
    if is_serial(place):
        return {}
    host, port = host_and_port(place)
    ports = (port,) if ":" in place else PORTS
    result = asyncio.run(scan(host, ports, IDS, tell, ScanPace(within_s=_WITHIN_S)))
    return dict(_likely(result.devices, host, tell))


def _likely(
    devices: tuple[FoundDevice, ...], host: str, tell: Callable[[str], None]
) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for device in devices:
        for fit in device.tables:
            tell(f"id {device.device_id} on port {device.port} fits {fit.table}")
            for key, role in (("inverter", Role.INVERTER), ("meter", Role.METER)):
                if key not in seen and has_role(fit.table, role):
                    seen.add(key)
                    yield f"{key}_found", fit.table
                    yield f"{key}_seen_at", f"{host}:{device.port}"
                    yield f"{key}_seen_id", str(device.device_id)
