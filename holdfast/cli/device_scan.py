"""``holdfast devices scan`` finds what answers behind an address, and which tables fit."""

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING

from pydantic import ValidationError

from holdfast.cli.json_output import print_json
from holdfast.core.config.device import ModbusTcp
from holdfast.core.errors import ConfigError
from holdfast.core.mistakes import in_words
from holdfast.site.device_lock import refuse_held

if TYPE_CHECKING:
    from holdfast.runtime.commissioning.device_scan import FoundDevice, ScanResult

HOLDERS = ("controller", "watchdog")
LONGEST_S = 3600.0
LONGEST_PAUSE_S = 5.0


def scan_address(options: argparse.Namespace) -> int:
    """Scans; 1 if nobody answered, or not everything was asked."""
    # Of a list no driver is loaded.
    from holdfast.runtime.commissioning.device_scan import IDS, PORTS, ScanPace, ids_in, scan

    host = options.host or options.device
    if host is None:
        raise ConfigError("devices scan: which address? Such as holdfast devices scan 192.168.1.5")
    if not 0.0 < options.within <= LONGEST_S:
        raise ConfigError(f"--within {options.within:g}: from more than 0 to {LONGEST_S:g} seconds")
    if not 0.0 <= options.pause <= LONGEST_PAUSE_S:
        raise ConfigError(f"--pause {options.pause:g}: from 0 to {LONGEST_PAUSE_S:g} seconds")
    ports = PORTS if options.port is None else (options.port,)
    try:
        ids = IDS if options.ids is None else ids_in(options.ids)
        places = [
            ModbusTcp(host=host, port=port, device_id=device_id)
            for port in ports
            for device_id in ids
        ]
    except ValidationError as error:
        raise ConfigError(in_words(error, "devices scan")) from error
    except ValueError as error:
        raise ConfigError(f"--ids {error}") from error
    refuse_held(places, *HOLDERS)
    pace = ScanPace(pause_s=options.pause, within_s=options.within)
    result = asyncio.run(scan(host, ports, ids, _tell, pace))
    if options.json:
        print_json(_as_json(host, result))
    else:
        _print(result)
    return 0 if result.devices and result.complete else 1


def _tell(line: str) -> None:
    # Standard output is for what was found.
    print(line, file=sys.stderr, flush=True)


def _print(result: "ScanResult") -> None:
    for found in result.devices:
        print(f"port {found.port}, id {found.device_id}: {_says(found)}")
        for fit in found.tables:
            print(f"  fits {fit.table}: {fit.values} values came, and all can be true")
        if not found.tables:
            print("  no table that comes with Holdfast fits")
    if not result.devices:
        print("nobody answers there")
    if not result.complete:
        print("not everything was asked: the time was up")


def _says(found: "FoundDevice") -> str:
    told = dict(found.identification) | dict(found.sunspec or {})
    says = ", ".join(f"{name} {text}" for name, text in told.items())
    speaks = "speaks SunSpec; " if found.sunspec is not None else ""
    return speaks + (says or "says nothing of itself")


def _as_json(host: str, result: "ScanResult") -> dict[str, object]:
    return {
        "host": host,
        "complete": result.complete,
        "closed": {str(port): why for port, why in result.closed.items()},
        "devices": [
            {
                "port": found.port,
                "id": found.device_id,
                "sunspec": found.sunspec,
                "identification": found.identification,
                "tables": [{"table": fit.table, "values": fit.values} for fit in found.tables],
            }
            for found in result.devices
        ],
    }
