"""``holdfast devices`` tells of device tables; it finds, reads and proves devices."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from holdfast.cli.arguments import add_config, add_json
from holdfast.cli.columns import print_columns
from holdfast.cli.device_proof import prove_unit
from holdfast.cli.device_release import release_unit
from holdfast.cli.device_scan import scan_address
from holdfast.cli.json_output import print_json
from holdfast.core.config.device import Device, GpioChip, Modbus, ModbusRtu, ModbusTcp
from holdfast.core.errors import ConfigError
from holdfast.core.mistakes import in_words
from holdfast.core.reading import Good
from holdfast.core.signals import BARE_UNITS, SIGNALS, Signal
from holdfast.devices.gpio_profile import GpioProfile
from holdfast.devices.modbus_profile import ModbusProfile
from holdfast.devices.profile import Profile, RegisterTable, load_profile, profile_names
from holdfast.devices.sunspec.binding import Maps
from holdfast.devices.sunspec.profile import SunSpecProfile
from holdfast.site.devices import physical_devices
from holdfast.site.files import SiteFiles
from holdfast.site.site_file import load_site

if TYPE_CHECKING:
    from holdfast.runtime.device_reading import Decoded, Recording
    from holdfast.runtime.line_reading import LineRead

_Registers = ModbusProfile | SunSpecProfile
DESCRIPTION = """\
list     print the device tables that come with Holdfast: what each is for, what it reads and takes.
         --markdown prints the page of them: docs/hardware.md.
scan     ask what is behind the address DEVICE: which device ids answer, what each says of itself
         (SunSpec, Modbus device identification), and which tables fit. It reads only, gently, on
         one connection; what it does it tells on standard error. Ports 502, 1502 and 6607 are
         asked, or --port. Exits with 1 if nobody answered, or not everything was asked in time.
read     read a Modbus device once, and print its raw registers and what the table makes of them; of
         one that speaks SunSpec its models, too.
         DEVICE is its place in site.yaml as `holdfast check` prints it (meter, storage[0].bms), or
         its name under devices; or, without a site.yaml: --table with --host, or with --serial.
         Nothing is written to the device. Exits with 1 if a value did not come or cannot be true.
         --record keeps the registers in a file, --replay reads them from one: that is how a device
         that is not understood is reported.
prove    tell the inverter of the storage unit DEVICE small powers, one step after the other, and
         see that it does what its table says: 0 W, charging, discharging, and going to 0 W by
         itself when it hears nothing more. The site must not run. It asks first, or --yes; Ctrl-C
         ends it at 0 W. The report lies in state_dir and counts for `holdfast check` while table
         and connection stay as they are. Exits with 1 if it is not proven.
         With --outage it also has you switch the grid off, and type whether the house is served.
         --show prints the last report of each unit, or of DEVICE.
release  give the inverter of the storage unit DEVICE back to its own rule, and see that it shows
         that: nothing of Holdfast remains in it. The site must not run. It asks first, or --yes.
"""


USUAL_PORT = 502


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    parser.add_argument("what", choices=("list", "scan", "read", "prove", "release"))
    parser.add_argument(
        "device", nargs="?", metavar="DEVICE", help="read: which one; scan: at this address"
    )
    add_config(parser)
    add_json(parser)
    parser.add_argument("--markdown", action="store_true", help="list: print the page of tables")
    parser.add_argument("--table", metavar="TABLE", help="read: by this table, or file")
    parser.add_argument("--host", help="read, scan: at this address")
    parser.add_argument(
        "--port", type=int, help="read: with --host (default: 502); scan: this one alone"
    )
    parser.add_argument("--serial", metavar="PORT", help="read: on this line, as /dev/ttyUSB0")
    parser.add_argument(
        "--baud", type=int, default=9600, help="read: with --serial (default: 9600)"
    )
    parser.add_argument(
        "--parity", choices=("none", "even", "odd"), default="none", help="read: with --serial"
    )
    parser.add_argument(
        "--id", type=int, default=1, metavar="N", help="read: the device id behind it (default: 1)"
    )
    parser.add_argument("--ids", metavar="IDS", help="scan: these device ids (such as 1-10,247)")
    parser.add_argument(
        "--within",
        type=float,
        default=300.0,
        metavar="SECONDS",
        help="scan: no longer than this (default: 300)",
    )
    parser.add_argument(
        "--pause",
        type=float,
        default=0.1,
        metavar="SECONDS",
        help="scan: leave a device alone so long after each answer (default: 0.1)",
    )
    parser.add_argument("--record", type=Path, metavar="FILE", help="read: keep the registers")
    parser.add_argument("--yes", action="store_true", help="prove, release: without being asked")
    parser.add_argument(
        "--power",
        type=float,
        metavar="W",
        help="prove: with this power (default: 300, or limited_power_w if that is less)",
    )
    parser.add_argument(
        "--outage", action="store_true", help="prove: also while you switch the grid off"
    )
    parser.add_argument("--show", action="store_true", help="prove: print the last report")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="read: from a recording")


def execute(options: argparse.Namespace) -> int:
    """Does what is asked for; 1 if a device is not as it should be."""
    does = {"list": _list, "scan": scan_address, "read": _read}
    does |= {"prove": prove_unit, "release": release_unit}
    return does[options.what](options)


# ---------------------------------------------------------------------- list


def _list(options: argparse.Namespace) -> int:
    if options.markdown:
        from holdfast.cli.device_page import device_page

        print(device_page(), end="")
        return 0
    profiles = [load_profile(name) for name in profile_names()]
    if options.json:
        print_json(
            [
                {
                    "table": profile.name,
                    "protocol": profile.protocol,
                    "roles": profile.roles,
                    "signals": sorted(profile.signals),
                    "points": sorted(profile.points),
                    "lacks": profile.lacks,
                    "confirmed": profile.confirmed,
                    "source": profile.source,
                }
                for profile in profiles
            ]
        )
        return 0
    rows = [
        (profile.name, profile.protocol, ", ".join(profile.roles), _commanded(profile))
        for profile in profiles
    ]
    print_columns((("table", "speaks", "roles", "commanded"), *rows))
    print("*: nobody has confirmed on hardware that it can be; --json tells the sources.")
    return 0


def _commanded(profile: Profile) -> str:
    """Tells whether such a device is told what to do, and whether its own timer ends that."""
    if not profile.points:
        return "no, it is read"
    timeless = Signal.REVERT_TIMEOUT_READBACK_S in profile.lacks
    return f"yes{'' if profile.confirmed else '*'}{', without a timer of its own' * timeless}"


# ---------------------------------------------------------------------- read


def _read(options: argparse.Namespace) -> int:
    # Of a list no driver is loaded.
    from holdfast.runtime.device_reading import decode, load, models_in, read_device, save

    if options.replay is not None:
        recording = load(options.replay)
        profile = _registers(options.table or recording.table)
    else:
        device = _device(options)
        if isinstance(device.connection, GpioChip):
            return _read_lines(options, device.profile, device.connection)
        profile = _registers(device.profile)
        if not isinstance(device.connection, Modbus):
            raise ConfigError("devices read: only what speaks modbus can be read so")
        recording = read_device(profile, device.connection)
    if options.record is not None:
        save(recording, options.record)
    values = decode(profile, recording)
    maps = models_in(profile, recording)
    if options.json:
        print_json(_as_json(profile, recording, maps, values))
    else:
        _tell(profile, recording, maps, values)
    return 0 if all(isinstance(value.sample, Good) for value in values) else 1


def _read_lines(options: argparse.Namespace, table: str, connection: GpioChip) -> int:
    from holdfast.runtime.line_reading import read_lines

    if options.record is not None:
        raise ConfigError("devices read: --record keeps registers, and these are lines")
    profile = load_profile(table)
    if not isinstance(profile, GpioProfile):
        raise ConfigError(f"devices read: {profile.name} speaks {profile.protocol}, not gpio")
    lines = read_lines(profile, connection)
    if options.json:
        keys = ("what", "line", "name", "output", "holder", "value", "problem")
        rows = [{key: getattr(line, key) for key in keys} for line in lines]
        print_json({"table": profile.name, "chip": connection.chip, "lines": rows})
    else:
        print(f"{profile.name} on {connection.chip}")
        rows_told = [(line.what, line.line, line.name or "-", _shown(line)) for line in lines]
        print_columns((("what", "line", "kernel's name", "shows"), *rows_told))
    return 1 if any(line.problem for line in lines) else 0


def _shown(line: "LineRead") -> str:
    if line.problem:
        return f"NOT TOLD: {line.problem}"
    if line.value is None:
        held = f", held by {line.holder}" if line.holder else ""
        return f"left as it is, an {'output' if line.output else 'input'}{held}"
    return f"{line.value:g}"


def _registers(name: str) -> _Registers:
    profile = load_profile(name)
    if not isinstance(profile, RegisterTable):
        raise ConfigError(f"devices read: {profile.name} speaks {profile.protocol}, not modbus")
    return profile


def _port(options: argparse.Namespace) -> int:
    port: int = USUAL_PORT if options.port is None else options.port
    return port


def _device(options: argparse.Namespace) -> Device:
    """Returns the device that is meant. Raises ConfigError, which names those that there are, and
    AlreadyRunning while the site runs."""
    from holdfast.runtime.device_check import refuse_while_running

    if options.host is not None or options.serial is not None:
        given = "--host" if options.serial is None else "--serial"
        if options.table is None:
            raise ConfigError(f"devices read: {given} needs --table; `devices list` prints them")
        return Device(profile=options.table, connection=_connection(options))
    known: dict[str, Device] = {}
    site = load_site(options.config)
    refuse_while_running(SiteFiles.of(site))
    for one in physical_devices(site):
        known |= {one.path: one.device, one.name: one.device}
    if options.device not in known:
        raise ConfigError(f"devices read: which one? Known are {', '.join(known)}")
    device = known[options.device]
    table = options.table or device.profile
    return device.model_copy(update={"profile": table})


def _connection(options: argparse.Namespace) -> Modbus:
    """Returns where the device is that has no site.yaml. Raises ConfigError."""
    if options.host is not None and options.serial is not None:
        raise ConfigError("devices read: either --host or --serial")
    try:
        if options.serial is None:
            return ModbusTcp(host=options.host, port=_port(options), device_id=options.id)
        return ModbusRtu(
            port=options.serial,
            baudrate=options.baud,
            parity=options.parity,
            device_id=options.id,
        )
    except ValidationError as error:
        raise ConfigError(in_words(error, "devices read")) from error


def _tell(
    profile: _Registers, recording: "Recording", maps: Maps, values: "tuple[Decoded, ...]"
) -> None:
    print(f"{profile.name}, read at {recording.utc:%Y-%m-%d %H:%M:%S} UTC")
    for device_id, found in maps.items():
        where = "" if device_id is None else f" behind device id {device_id}"
        models = ", ".join(f"{model.id} at {model.address}" for model in found.models)
        print(f"models{where}: {models}")
    for block in recording.blocks:
        if block.problem:
            print(f"{block.table} {block.address}: {block.problem}")
    rows = [("signal", "raw", "value")]
    for value in values:
        raw = " ".join(f"{word:04X}" for word in value.words) or "-"
        rows.append((value.signal, raw, _told(value)))
    print_columns(rows)


def _as_json(
    profile: _Registers, recording: "Recording", maps: Maps, values: "tuple[Decoded, ...]"
) -> dict[str, object]:
    return {
        "table": profile.name,
        "utc": recording.utc,
        "problems": [block.problem for block in recording.blocks if block.problem],
        "models": [
            {"id": model.id, "address": model.address, "device_id": device_id}
            for device_id, found in maps.items()
            for model in found.models
        ],
        "values": [
            {
                "signal": value.signal,
                "words": value.words,
                "value": value.sample.value if isinstance(value.sample, Good) else None,
                "unit": SIGNALS[value.signal].unit,
                "problem": "" if isinstance(value.sample, Good) else _told(value),
            }
            for value in values
        ],
    }


def _told(value: "Decoded") -> str:
    if value.sample is None:
        return "NOT TOLD"
    if not isinstance(value.sample, Good):
        return f"NOT PLAUSIBLE: {value.sample.reason}"
    unit = SIGNALS[value.signal].unit
    return f"{value.sample.value:g}" if unit in BARE_UNITS else f"{value.sample.value:g} {unit}"
