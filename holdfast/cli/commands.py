"""This module holds the subcommands of ``holdfast`` in one table, and loads one of them."""

from importlib import import_module
from typing import Any

COMMANDS = {
    "init": "write an example site.yaml to start from",
    "check": "check site.yaml; with --connect, try each device, too",
    "checklist": "what has to be seen before a site may do more than observe, and who has seen it",
    "config": "list the versions of site.yaml, compare them, and go back to one",
    "devices": "list the device tables, or read one device by its table",
    "limits": "print the limit table with your site's values",
    "run": "run a site (or, with --demo, a simulated one)",
    "status": "show what the site is doing, and why",
    "start": "let power flow: IDLE to RUNNING",
    "stop": "end operation: RUNNING to IDLE",
    "estop": "emergency stop, at once and in every state",
    "reset": "leave ERROR or STOPPED, through BOOT and its self-test",
    "rules": "check rules of your own, and try them on measured days",
    "simulate": "simulate days in minutes: cost, savings, damage, and a picture",
    "plan": "show the present plan, slot by slot, with the reasons",
    "schedule": "show what the schedule comes to on the next days",
    "prices": "show what is paid and got per kWh, and where that is known from",
    "backtest": "what plans would have cost on measured data, beside simpler rules",
    "hil": "run the fault campaign: what can go wrong, and what then follows",
    "size": "which battery, PV and tariff would pay, from a year of measured data",
    "savings": "what the site has cost, and what it would have without a battery",
    "forecast": "show expected load, PV and later prices, and how good such forecasts were",
    "explain": "say in plain words why the battery does what it does, now or at a recorded moment",
    "replay": "run the cycles around an incident again, and say whether they decide the same",
    "faults": "what a fault means, what to look at first, and who ends it",
    "notices": "show what people were told, try whether they can be, acknowledge an alarm",
    "metrics": "list the metrics, and make alert rules and dashboards of them",
    "users": "show and change who may log in to the pages and the API; or show the set-up code",
    "backup": "copy all of a site that is worth keeping into one file, also while it runs",
    "restore": "put a backup into an empty folder",
    "update": "bring another release onto this computer, or go back",
    "audit": "show the audit log, or verify that nothing in it was changed",
    "incident-report": "make the report that authorities ask for, from the audit log",
    "personal-data": "list, take along or delete what is on record about persons",
    "factory-reset": "take a site back to the state as installed; what is latched stays latched",
}
"""Each is the module of that name beside this one: DESCRIPTION, add_arguments and execute."""


def load(name: str) -> Any:
    """Loads the module ``name`` of this package, with what it takes."""
    return import_module(f"holdfast.cli.{name.replace('-', '_')}")
