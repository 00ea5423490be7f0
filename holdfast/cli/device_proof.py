"""``holdfast devices prove`` proves on the device what its table says, and shows the reports."""

import argparse
import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

from holdfast.cli.columns import print_columns
from holdfast.cli.consent import ask
from holdfast.cli.json_output import print_json
from holdfast.cli.typed import Typed
from holdfast.core.config import Site, StorageUnit
from holdfast.core.config.device import ModbusTcp
from holdfast.core.errors import ConfigError, DeviceError
from holdfast.site.devices import address_of
from holdfast.site.files import write_atomically
from holdfast.site.proof import Proof, TimerFound, encode_proof, proof_path, read_proof
from holdfast.site.site_file import load_site

_SWITCH_OFF = """\
{unit} WAS NOT SEEN AT 0 W. POWER MAY STILL FLOW.
SWITCH THE INVERTER OFF AT ITS OWN SWITCH, OR PRESS ITS EMERGENCY STOP.{timer}"""


def prove_unit(options: argparse.Namespace) -> int:
    """Proves, or shows what was; 1 if it is not proven."""
    site = load_site(options.config)
    return _show(site, options) if options.show else _prove(site, options)


# ---------------------------------------------------------------------- prove


def _prove(site: Site, options: argparse.Namespace) -> int:
    # Of a report that is shown no driver is loaded.
    from holdfast.runtime.commissioning.preconditions import (
        holding,
        power_to_prove,
        unit_to_prove,
    )
    from holdfast.runtime.commissioning.proving import prove

    unit = unit_to_prove(site, options.device)
    power_w = power_to_prove(site, unit, options.power)
    with holding(site, "devices prove"):
        ask(site, "devices prove", _what_is_done(unit, power_w), agreed=options.yes)
        firmware = asyncio.run(_firmware(unit))
        typed = Typed().line if options.outage else None
        outcome = asyncio.run(prove(site, unit, power_w, _tell, typed=typed, firmware=firmware))
        if not outcome.interrupted:
            _keep(proof_path(site, unit.name), outcome.proof)
    if not outcome.proof.at_zero:
        _warn(outcome.proof)
    if options.json:
        print_json(_as_json(site, outcome.proof))
    else:
        _print(site, outcome.proof)
    if outcome.interrupted:
        return 130
    return 0 if outcome.proof.proven else 1


def _what_is_done(unit: StorageUnit, power_w: float) -> str:
    where = address_of(unit.inverter.connection)
    return (
        f"{unit.name}, {unit.inverter.profile} at {where}, will be charged and discharged with "
        f"{power_w:g} W, for a minute or two. Stay where you can switch it off. Ctrl-C ends it, "
        "and writes 0 W."
    )


async def _firmware(unit: StorageUnit) -> str:
    from holdfast.runtime.commissioning.device_scan import ScanPace, identify

    connection = unit.inverter.connection
    if not isinstance(connection, ModbusTcp):
        return ""
    try:
        return (await identify(connection, ScanPace())).get("version", "")
    except DeviceError:
        return ""  # a device that is not there is told of by the first step


def _keep(path: Path, proof: Proof) -> None:
    try:
        path.parent.mkdir(exist_ok=True, mode=0o700)
        write_atomically(path, encode_proof(proof))
    except OSError as error:
        raise ConfigError(f"the report cannot be kept: {path}: {error}") from error


def _tell(line: str) -> None:
    # Standard output is for the report.
    print(line, file=sys.stderr, flush=True)


def _warn(proof: Proof) -> None:
    ends = proof.timer is TimerFound.ENDS
    timer = f"\nITS TIMER SHOULD END THE POWER WITHIN {proof.timer_set_s:g} S." if ends else ""
    _tell(_SWITCH_OFF.format(unit=proof.unit.upper(), timer=timer))


# ---------------------------------------------------------------------- show


def _show(site: Site, options: argparse.Namespace) -> int:
    names = site.unit_names if options.device is None else (options.device,)
    found = {name: read_proof(proof_path(site, name)) for name in names}
    proofs = [proof for proof in found.values() if proof is not None]
    if options.json:
        print_json([_as_json(site, proof) for proof in proofs])
    else:
        for name, proof in found.items():
            if proof is None:
                print(f"{name}: no report that can be read; `holdfast devices prove` makes one")
            else:
                _print(site, proof)
    all_proven = len(proofs) == len(found) and all(proof.proven for proof in proofs)
    return 0 if all_proven else 1


def _print(site: Site, proof: Proof) -> None:
    verdict = proof.in_words if proof.proven else f"NOT PROVEN on {proof.date}: {proof.reason}"
    firmware = f", firmware {proof.firmware}" if proof.firmware else ""
    print(f"{proof.unit}: {verdict}")
    print(f"  table {proof.table}{firmware}, tried with {proof.power_w:g} W")
    print_columns(_rows(proof))
    print(f"  {_timer(proof)}")
    if not _is_current(site, proof):
        print("  table or connection have been changed since: it counts no more")


def _rows(proof: Proof) -> Iterator[tuple[str, ...]]:
    for step in proof.steps:
        yield f"  {step.name}", "ok" if step.passed else "NOT RIGHT", step.told


def _timer(proof: Proof) -> str:
    match proof.timer:
        case TimerFound.ENDS:
            return f"its timer ends a command by itself, measured after {proof.timer_s:.1f} s"
        case TimerFound.LATE:
            return "its timer is none to rely on: nobody guards a site that has lost Holdfast"
        case TimerFound.NONE:
            return "it has no timer: nobody guards a site that has lost Holdfast"
        case None:
            return "its timer was not tried"


def _is_current(site: Site, proof: Proof) -> bool:
    unit = site.unit_named(proof.unit)
    return unit is not None and proof.is_of(unit.inverter)


def _as_json(site: Site, proof: Proof) -> dict[str, object]:
    told = proof.model_dump(exclude={"version", "device"})
    return told | {"proven": proof.proven, "current": _is_current(site, proof)}
