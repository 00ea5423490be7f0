"""``holdfast faults`` says what a fault means, and what to look at first."""

import argparse
from collections.abc import Iterator

from holdfast.cli.arguments import add_json
from holdfast.cli.columns import print_columns
from holdfast.cli.json_output import print_json
from holdfast.monitoring.recovery.sheets import FaultSheet, fault_sheets, sheet_of
from holdfast.monitoring.recovery.symptoms import SYMPTOMS, Symptom

DESCRIPTION = """\
Say what a fault means, what to look at first, what follows, and who ends it. FAULT is its name
as status, log and pages show it (battery/bms_data_lost, or data_lost); without one all are listed.
It needs no site, and no network. --markdown prints the page of all of them:
docs/troubleshooting.md.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    parser.add_argument("fault", nargs="?", metavar="FAULT", help="what status or log call it")
    parser.add_argument("--markdown", action="store_true", help="print the page of all")
    add_json(parser)


def execute(options: argparse.Namespace) -> int:
    """Prints one sheet, the list, or the page."""
    if options.markdown:
        print(troubleshooting_page(), end="")
        return 0
    sheets = fault_sheets() if options.fault is None else (sheet_of(options.fault),)
    if options.json:
        print_json(sheets)
    elif options.fault is None:
        print_columns([("fault", "means", "ended by"), *map(_listed, sheets)])
    else:
        print("\n".join(_told(sheets[0])))
    return 0


def _listed(sheet: FaultSheet) -> tuple[str, ...]:
    by = "service" if sheet.for_service else "operator" if sheet.latches else ""
    return sheet.row, sheet.what, by


def _told(sheet: FaultSheet) -> Iterator[str]:
    yield f"{sheet.row}: {sheet.what}"
    yield f"  what follows: {sheet.follows}"
    yield f"  ends: {sheet.ends}"
    if sheet.for_service:
        yield f"  why service: {sheet.for_service}"
    yield f"  source: {sheet.source}"
    yield "What to do, in this order:"
    yield from (f"  {number}. {step}" for number, step in enumerate(sheet.steps, 1))


# ---------------------------------------------------------------------- the page

_TOP = """\
# Troubleshooting

Made by `holdfast faults --markdown`; do not edit. At the site's computer `holdfast faults NAME`
says the same, without a network.

**Smoke, smell, hissing, heat, swelling, water, or somebody hurt? [Emergency
procedures](emergency.md) first.**

Begin with `holdfast explain`: it says in words what the site does, what keeps it, and what it
waits for. The names below are those of `holdfast status`, of the log and of the pages; before one
may stand the device that it is about (`bms_data_lost` is `data_lost` of the BMS). Levels, samples
and hold times are in [limits.md](limits.md); what tests show of each fault of a device in
[faults.md](faults.md); who may reset, and what to inspect before, in
[after-a-trip.md](after-a-trip.md)."""


def troubleshooting_page() -> str:
    """Returns the page, as ``docs/troubleshooting.md`` shows it."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    yield from (_TOP, "", "## What looks wrong", "")
    for symptom in SYMPTOMS:
        yield from _symptom(symptom)
    yield from ("## Every fault by its name",)
    for sheet in fault_sheets():
        yield from _sheet(sheet)


def _symptom(symptom: Symptom) -> Iterator[str]:
    yield from (f"### {symptom.seen}", "", symptom.why, "")
    yield from (f"{number}. {step}" for number, step in enumerate(symptom.steps, 1))
    yield ""


def _sheet(sheet: FaultSheet) -> Iterator[str]:
    yield from ("", f"### {sheet.row}", "", f"**{sheet.what[:1].upper()}{sheet.what[1:]}.**", "")
    yield from (f"{number}. {step}" for number, step in enumerate(sheet.steps, 1))
    yield ""
    yield f"*What follows:* {sheet.follows}. *Ends:* {sheet.ends}."
    if sheet.for_service:
        yield f"*Why service:* {sheet.for_service}."
    yield f"*Source:* {sheet.source}."
