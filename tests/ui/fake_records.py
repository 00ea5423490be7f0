"""What a site has on record: devices, incidents, the log, accounts, money; as the API tells it."""

from datetime import datetime, timedelta
from typing import Any

from tests.ui.fake_day import iso

CONFIG_DIGEST = "a" * 64
YAML = """\
# The demonstration site.
name: demo
timezone: Europe/Berlin
authority: full
grid:
  import_max_w: 17000
  export_max_w: 10000
"""


def devices(snapshot: dict[str, Any]) -> dict[str, Any]:
    """Returns the devices of the recorded site."""
    tables = {
        "meter": "generic_meter",
        "emergency_input": "generic_emergency_input",
        "bms": "pylontech_lv_can",
        "inverter": "generic_inverter",
        "relays": "generic_relays",
    }
    prefixes = {
        "meter": ("grid_", "pv_"),
        "emergency_input": ("emergency_",),
        "bms": ("soc", "soh", "pack_v", "battery_current", "cell_v", "cell_temperature_m", "bms_"),
        "inverter": ("battery_power", "setpoint", "inverter_", "revert", "islanded"),
        "relays": ("contactor_",),
    }
    found = []
    for name, comms in snapshot["comms"].items():
        owner, role = name.split("/")
        readings = [
            {"owner": owner, "signal": signal, **reading}
            for signal, reading in snapshot["readings"][owner].items()
            if signal.startswith(prefixes[role])
        ]
        found.append(
            {
                "name": name,
                "path": name.replace("/", "."),
                "table": tables[role],
                "where": comms["where"],
                "roles": {role: owner},
                "comms": comms,
                "readings": readings,
                "proof": PROOF if role == "inverter" else None,
            }
        )
    left_out = {"path": "storage.insulation", "role": "bms", "reason": "no device tells it"}
    return {"devices": found, "left_out": [left_out]}


PROOF = {
    "proof": {
        "unit": "battery",
        "table": "generic_inverter",
        "firmware": "1.2.3",
        "utc": "2026-11-20T10:00:00Z",
        "power_w": 500.0,
        "reason": "",
        "steps": [
            {"name": "charge", "passed": True, "told": "charged with 500 W within 0.4 s"},
            {"name": "timer", "passed": True, "told": "went to 0 W by itself after 5.1 s"},
        ],
        "response_s": 0.4,
        "timer_s": 5.1,
    },
    "current": True,
}


def audit(now: datetime) -> list[dict[str, Any]]:
    """Returns the last lines of the log."""
    told = ("plan 5aecb5c3e8f1 accepted", "state running", "anna asked for a start", "state idle")
    return [
        {"sequence": 4800 - n, "utc": iso(now - timedelta(minutes=n)), "event": None, "text": text}
        for n, text in enumerate(told)
    ]


VERIFIED = {
    "ok": True,
    "problem": None,
    "files": 3,
    "lines": 4800,
    "first_utc": None,
    "last_utc": None,
    "last_line": "4800:abc",
    "notes": [],
}


def money(start: datetime, end: datetime, now: datetime) -> dict[str, Any]:
    """Returns a row a day; of today and what is to come little is known."""
    rows = []
    at = start
    while at < end:
        is_past = at < now - timedelta(days=1)
        cost = 1.2 + (at.day * 7 % 11) / 5
        rows.append(
            {
                "start": iso(at),
                "end": iso(at + timedelta(days=1)),
                "cost": cost if at < now else None,
                "no_battery": cost + 0.4 + (at.day * 5 % 13) / 6 if at < now else None,
                "self_consumption": cost + 0.3 if is_past else None,
                "perfect_foresight": cost - 0.25 if is_past else None,
            }
        )
        at += timedelta(days=1)
    return {"currency": "EUR", "rows": rows}


def versions(now: datetime) -> list[dict[str, Any]]:
    """Returns what site.yaml was."""
    return [
        {
            "id": number,
            "utc": iso(now - timedelta(days=3 - number)),
            "by": "anna",
            "digest": CONFIG_DIGEST,
            "present": number == 2,
        }
        for number in (2, 1)
    ]


CHECKED = {
    "ok": True,
    "problems": [],
    "doubts": ["grid.export_max_w: 10000 W is more than the inverter can give"],
    "warnings": ["limit battery/insulation_low is not watched"],
    "diff": "@@ -6,2 +6,2 @@\n grid:\n-  import_max_w: 17000\n+  import_max_w: 16000\n",
}


def account(now: datetime) -> dict[str, Any]:
    """Returns answers about accounts, by path below auth."""
    made = iso(now - timedelta(days=30))
    return {
        "sessions": [
            {
                "id": "s1", "how": "password", "address": "192.0.2.7", "made": made,
                "used": iso(now), "current": True,
            },
            {
                "id": "s2", "how": "passkey", "address": "192.0.2.9", "made": made,
                "used": made, "current": False,
            },
        ],
        "tokens": [
            {
                "id": "t1", "name": "grafana", "role": "viewer", "rights": None, "made": made,
                "expires": iso(now + timedelta(days=60)), "used": None,
            }
        ],
        "users": [
            {
                "name": name, "role": role, "made": made, "single_sign_on": False,
                "totp": name == "anna", "passkeys": 0, "tokens": 1, "sessions": 1,
            }
            for name, role in (("anna", "admin"), ("berta", "operator"), ("carl", "viewer"))
        ],
    }  # fmt: skip
