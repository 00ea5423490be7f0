"""What each command prints with ``--json``: from the types that it prints, a page and a check.

``python -m tests.cli.json_outputs > docs/json.md`` writes the page.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from datetime import date, datetime
from enum import Enum
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import AwareDatetime

from holdfast.api.access import Right, UserRole
from holdfast.backtest.against_rule import AgainstRule
from holdfast.backtest.bill import Bill, Saving
from holdfast.backtest.rule_lessons import RuleLessons
from holdfast.backtest.ruled import RuleConflict, RuleDeeds
from holdfast.backtest.sizing import SizeCase, YearOf
from holdfast.cli.replay import ReplayReport
from holdfast.client.acknowledgement import Acknowledgement
from holdfast.client.audit_category import Category, Result
from holdfast.client.plan_report import PlanReport
from holdfast.core.plan import PlanStatus
from holdfast.core.signals import Signal
from holdfast.core.state_machine import State
from holdfast.deployment.checklist.items import Standing
from holdfast.deployment.incident_report import IncidentReport
from holdfast.forecasting.forecast import PowerForecast, PriceForecast
from holdfast.forecasting.learned import Learned
from holdfast.monitoring.audit.events import AuditEvent
from holdfast.monitoring.audit.verify import Problem
from holdfast.monitoring.explain.situation import Situation
from holdfast.monitoring.history.span_savings import SpanSavings
from holdfast.monitoring.judgement import Judgement
from holdfast.monitoring.metric_table import MetricRow
from holdfast.monitoring.notices import TimedNotice
from holdfast.monitoring.recovery.sheets import FaultSheet
from holdfast.monitoring.status.schema import CommsStatus, Status
from holdfast.safety.goals import Goal
from holdfast.scheduling.rules.doubts import RuleDoubt
from holdfast.scheduling.rules.fact_table import FactRow
from holdfast.scheduling.rules.report import RuleReport
from holdfast.site.proof import OutageFound, TimerFound
from holdfast.testing.campaign.evidence import LayerResult
from holdfast.testing.campaign.quiet import QuietDay
from holdfast.testing.campaign.suites import PairResult, RowResult

HEAD = """\
# What `--json` prints

Made by `python -m tests.cli.json_outputs`, from the types that are printed; do not edit. Real
outputs are checked against it.

Each shape names the keys and what stands there: `text`, `time` (ISO 8601, with its offset),
`integer`, `number`, `true or false`, `null`; `"*"` stands for any name, `[x]` for a list of x, and
words in quotation marks for themselves. A number that is not finite is printed as null. Of the
choices in `"one of"` exactly one stands there. Keys may be added from one version to the next; none
changes its meaning or goes without a line in CHANGELOG.md.

On standard output there is nothing but the JSON. Where a command ends with 2 it is empty, and the
reason is on standard error.
"""


def _without(kind: type, *names: str) -> dict[str, Any]:
    return {name: hint for name, hint in get_type_hints(kind).items() if name not in names}


_RUN = _without(Bill) | {
    "cost_with_wear": float,
    "took": {"wall_s": float, "cpu_s": float, "rss_mb": float},
}
_SIMULATED = {
    "strategy": str, "days": float, "step_s": float, "cost": float, "cost_at_meter": float,
    "cost_without_battery": float, "soc_start_pct": float, "soc_end_pct": float,
    "energies_wh": dict[str, float], "full_cycles": float, "damage": dict[str, int],
    "cycles": int, "cycles_not_running": int, "plans": int, "plans_refused": int,
}  # fmt: skip
_SIZED_YEAR = _without(YearOf) | {"payback_years": float | None}
_SAVED = _without(SpanSavings) | {
    "saved_against_no_battery": float | None, "saved_against_self_consumption": float | None,
}  # fmt: skip
_JUDGED = _without(Judgement) | {"why": str}
_VERSION = {"id": int, "utc": datetime, "by": str, "digest": str, "present": bool}
_CHECK = {
    "site": str, "ok": bool, "doubts": [str], "warnings": [str],
    "guards": [{
        "owner": str, "goal": Goal,
        "guard": Literal["watched", "device", "accepted", "nobody"], "rests_on": str,
        "authority": Literal["observe", "limited", "full"],
    }],
}  # fmt: skip

_PROOF: dict[str, Any] = {
    "unit": str, "table": str, "firmware": str, "utc": datetime, "power_w": float, "reason": str,
    "proven": bool, "current": bool, "at_zero": bool, "response_s": float | None,
    "timer": TimerFound | None, "timer_set_s": float | None, "timer_s": float | None,
    "outage": OutageFound | None,
    "steps": [{"name": str, "passed": bool, "told": str, "figures": dict[str, float]}],
}  # fmt: skip

OUTPUTS: dict[str, Any] = {
    "status": Status,
    "explain": {"sentences": [str], "situation": Situation},
    "start, stop, reset, estop": {
        # estop that nobody answers: null.
        "accepted": bool, "reason": str, "state": State | None,
    },
    "checklist": {
        "site": str, "authority": Literal["observe", "limited", "full"],
        "released_for": Literal["limited", "full"] | None, "released_by": str | None,
        "complete_for": Literal["observe", "limited", "full"],
        "items": [{
            "item": str, "stage": Literal["limited", "full"], "text": str,
            "seen_by": Literal["the program", "a person"], "standing": Standing, "told": str,
            "signed_by": str | None,
        }],
    },
    "plan": _without(PlanReport, "utc"),
    "plan --batch": {
        "sites": [{
            "folder": str, "site": str | None, "status": PlanStatus | None,
            "expected_cost": float | None, "currency": str | None, "took_ms": float, "problem": str,
        }],
        "planned": int, "failed": int, "expected_costs": dict[str, float], "took_s": float,
    },
    "plan --data": {
        "site": str, "currency": str, "start": datetime, "end": datetime, "step_s": int,
        "soc_start_pct": float, "final": str, "status": str, "relaxed": [str], "objective": float,
        "bound": float, "terms": dict[str, float], "soc_end_pct": float, "left_out": str,
        "schedule": [{
            "time_utc": datetime, "battery_power_w": float, "grid_power_w": float,
            "curtailed_w": float, "soc_pct": float, "import_price_per_kwh": float,
            "export_price_per_kwh": float, "loads_w": dict[str, float],
        }],
    },
    "prices": {
        "site": str, "currency": str, "known_until": datetime | None, "problem": str,
        "sources": [{
            "kind": str, "fetched": datetime | None, "known_until": datetime | None,
            "stale": bool, "error": str, "notes": tuple[str, ...], "ask_again": datetime | None,
        }],
        "files": [{"path": str, "notes": tuple[str, ...]}],
        "prices": [{
            "start": datetime, "end": datetime, "purchase_per_kwh": float,
            "feed_in_per_kwh": float | None,
        }],
    },
    "schedule preview": {
        "windows": [{
            "name": str, "start": datetime, "end": datetime, "hours": float, "does": str,
            "because": str,
        }],
        "left_out": [{"name": str, "day": str, "why": str}],
        "problems": [str],
    },
    "forecast": {
        "load": PowerForecast, "pv": PowerForecast, "price": PriceForecast | None,
        "temperature_c": tuple[float | None, ...],
        "learned": _without(Learned) | {"a_day": bool, "note": str},
        "weather": {"one of": [None, {
            "used": bool, "fetched_utc": datetime | None, "age_s": float | None, "is_stale": bool,
        }]},
    },
    "check": _CHECK,
    "check --connect": _CHECK | {
        "devices": [{
            "path": str, "profile": str, "answers": bool, "lacking": [str],
            "readings": {"*": {"value": float | None, "unit": str}}, "comms": CommsStatus,
        }],
    },
    "devices list": [{
        "table": str, "protocol": str, "roles": [str], "signals": [str], "points": [str],
        "lacks": dict[Signal, str], "confirmed": str | None, "source": str,
    }],
    "devices scan": {
        "host": str, "complete": bool, "closed": {"*": str},
        "devices": [{
            "port": int, "id": int, "sunspec": {"one of": [{"*": str}, None]},
            "identification": {"*": str}, "tables": [{"table": str, "values": int}],
        }],
    },
    "devices prove": _PROOF,
    "devices prove --show": [_PROOF],
    "devices read": {
        "table": str, "utc": datetime, "problems": [str],
        "models": [{"id": int, "address": int, "device_id": int | None}],
        "values": [{
            "signal": str, "words": [int], "value": float | None, "unit": str, "problem": str,
        }],
    },
    "devices read, of GPIO lines": {
        "table": str, "chip": str,
        "lines": [{
            "what": str, "line": str, "name": str, "output": bool, "holder": str,
            "value": float | None, "problem": str,
        }],
    },
    "config versions": [_VERSION],
    "config show": _VERSION | {"yaml": str},
    "config diff": {"diff": str},
    "config rollback": {"digest": str, "effect": Literal["at the next start"]},
    "users list": [{
        "name": str, "role": UserRole, "made": datetime, "single_sign_on": bool, "password": bool,
        "totp": bool, "passkeys": int, "tokens": int,
    }],
    "users setup-code": {"code": str | None},
    "users tokens": [{
        "account": str, "id": str, "name": str, "role": UserRole,
        "rights": tuple[Right, ...] | None, "made": datetime, "expires": datetime,
    }],
    "limits": [{
        "owner": str, "row": str, "signal": str, "unit": str, "levels": dict[str, float],
        "one_sample": float | None, "hysteresis": float, "reaction": str, "samples": [int],
        "hold_s": float, "clearing": str, "source": str, "watched": bool,
    }],
    "audit show": [
        {
            "sequence": int, "utc": datetime, "category": Category | None, "source": str | None,
            "result": Result | None, "event": AuditEvent | None,
        }
    ],
    "audit verify": {
        "ok": bool, "problem": Problem | None, "files": int, "lines": int,
        "first_utc": datetime | None, "last_utc": datetime | None, "last_line": str | None,
        "notes": [str],
    },
    "incident-report": IncidentReport,
    "replay": ReplayReport,
    "backtest": {
        "data": {
            "file": str | None, "start": datetime, "end": datetime, "days": float, "rows": int,
            "step_s": int, "rows_missing": int, "rows_before": int,
        },
        "site": str, "currency": str, "strategy": str, "foresight": str, "plan_every_min": int,
        "published_at_h": int, "cost": float, "cost_without_battery": float,
        "savings": dict[str, Saving], "share_of_perfect_pct": float | None,
        "share_of_perfect_with_wear_pct": float | None,
        "against_self_consumption": dict[str, AgainstRule],
        "plan": _RUN, "others": {"*": _RUN},
        "damage": int, "cycles_not_running": int, "left_out": str,
    },
    "size": {
        "site": str, "currency": str, "method": str, "notes": [str],
        "data": {
            "file": str, "start": datetime, "end": datetime, "days": float, "rows_missing": int,
        },
        "price_per_kwh_battery": float | None,
        "combinations": [
            _without(SizeCase) | {
                "cost_without_battery": float, "self_consumption": _SIZED_YEAR,
                "plans": _SIZED_YEAR, "plans_failed": int,
            }
        ],
    },
    "faults": [FaultSheet],
    "savings": {
        "currency": str, "method": str, "spans": [_SAVED],
        "judgement": {"one of": [_JUDGED, None]},
    },
    "hil run": {
        "version": str, "without": [str], "seed": int, "passed": bool, "took_s": float,
        "suites": {"*": {"runs": int, "passed": int, "results": [{"one of": [
            _without(kind, "points") | {"passed": bool}
            for kind in (RowResult, PairResult, QuietDay, LayerResult)
        ]}]}},
    },
    "hil soak": {
        "version": str, "seed": int, "days": [int], "faults_a_day": int, "without": [str],
        "incidents": int, "two_at_a_time": int, "damage": int, "missed": int, "late": int,
        "outside": int, "false_trips": int, "not_recovered": int, "passed": bool,
        "availability_pct": float, "cycles": int, "times_real_time_a_core": float,
        "cpu_s": float, "took_s": float,
        "wrong": [{
            "again": str, "at_s": float | None, "faults": [str], "scene": str, "wrong": [str],
        }],
    },
    "metrics list": [MetricRow],
    "notices": {
        "told": [TimedNotice],
        "recipients": {
            "*": {
                "delivered": int, "failed": int, "waiting": int, "last_told": datetime | None,
                "failing_since": datetime | None, "last_error": str, "retry_at": datetime | None,
            }
        },
        "acknowledged": Acknowledgement | None,
    },
    "notices test": {"*": {"told": bool, "why": str | None}},
    "notices ack": Acknowledgement,
    "rules check": {
        "rules": [{"name": str, "enabled": bool, "rests_on": [str]}], "doubts": [RuleDoubt],
    },
    "rules test": {
        "file": str, "over": str, "doubts": [RuleDoubt], "start": datetime, "end": datetime,
        "days": float, "currency": str, "cost_without": float, "cost_together": float,
        "saved": float, "together": [RuleDeeds], "conflicts": [RuleConflict],
        "alone": [{"deeds": RuleDeeds, "cost": float, "saved": float}], "damage": int,
        "cycles_not_running": int,
    },
    "rules learn": get_type_hints(RuleLessons) | {"currency": str},
    "rules facts": [_without(FactRow, "low", "high", "words")],
    "rules status": RuleReport,
    "simulate": {
        "days": float, "cost": float, "cost_self_consumption": float,
        "cost_without_battery": float, "saved_against_self_consumption": float,
        "saved_against_no_battery": float, "damage": int, "cycles_not_running": int,
        "plan": _SIMULATED, "self_consumption": _SIMULATED, "took_s": float,
        "times_real_time": float,
        "picture": str,
    },
}  # fmt: skip
"""By command: types, or dicts and lists of them."""

_LEAVES = {
    str: "text", datetime: "time", AwareDatetime: "time", date: "text", bool: "true or false",
    float: "number", int: "integer", type(None): "null",
}  # fmt: skip


def shape(kind: Any) -> Any:
    """What JSON a value of ``kind`` becomes."""
    match kind:
        case {"one of": choices}:
            return _choice(map(shape, choices))
        case dict():
            return {name: shape(inner) for name, inner in kind.items()}
        case [inner]:
            return [shape(inner)]
        case None:
            return "null"
    arguments = get_args(kind)
    match get_origin(kind):
        case None:
            return _class(kind)
        case origin if origin in (Union, UnionType):
            return _choice(map(shape, arguments))
        case origin if origin is Literal:
            return " or ".join(json.dumps(choice) for choice in arguments)
        case origin if issubclass(origin, Mapping):
            return {"*": shape(arguments[1])}
        case _:
            return [shape(arguments[0])]


def _class(kind: type) -> Any:
    if is_dataclass(kind):
        return {name: shape(inner) for name, inner in get_type_hints(kind).items()}
    if issubclass(kind, Enum):
        return "integer" if issubclass(kind, int) else "text"
    return next(word for leaf, word in _LEAVES.items() if issubclass(kind, leaf))


def _choice(choices: Iterator[Any]) -> Any:
    every = list(choices)
    if all(isinstance(choice, str) for choice in every):
        return " or ".join(dict.fromkeys(every))
    return {"one of": every}


def complaints(wanted: Any, value: Any, place: str = "") -> Iterator[str]:
    """Where ``value`` is not of the shape ``wanted``."""
    match wanted, value:
        case {"one of": choices}, _:
            each = [list(complaints(choice, value, place)) for choice in choices]
            yield from min(each, key=len)
        case {"*": inner}, dict():
            for name in value:
                yield from complaints(inner, value[name], f"{place}.{name}")
        case dict(), dict():
            yield from (f"{place}.{name}: is missing" for name in wanted.keys() - value.keys())
            yield from (f"{place}.{name}: is not told" for name in value.keys() - wanted.keys())
            for name in wanted.keys() & value.keys():
                yield from complaints(wanted[name], value[name], f"{place}.{name}")
        case [inner], list():
            for index, one in enumerate(value):
                yield from complaints(inner, one, f"{place}[{index}]")
        case str(), _ if any(_is(word, value) for word in wanted.split(" or ")):
            pass
        case _:
            yield f"{place}: {value!r} is no {wanted}"


def _is(word: str, value: object) -> bool:
    match word, value:
        case (("true" | "false"), bool()):  # the two halves of "true or false"
            return True
        case (("integer" | "number"), bool()):
            return False
        case ("integer", int()) | ("number", int() | float() | None) | ("null", None):
            return True
        case "time", str():
            return datetime.fromisoformat(value).tzinfo is not None
        case "text", str():
            return True
    return word == json.dumps(value)


def page() -> str:
    """The whole page, in Markdown."""
    lines = [HEAD]
    for command, kind in OUTPUTS.items():
        text = json.dumps(shape(kind), indent=2, ensure_ascii=False)
        lines += [f"## {command}", "", "```json", text, "```", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201
