"""The report of the rules tells how each stands, for whoever asks later."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter
from pydantic_core import to_json

from holdfast.scheduling.rules.engine import RuleState


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleReport:
    """Holds how the rules of a site stood at one moment."""

    utc: datetime
    """The time is aware."""
    problem: str
    """Tells why none of them counts; empty if they do."""
    states: tuple[RuleState, ...] = ()


_REPORT = TypeAdapter(RuleReport)


def encode_report(report: RuleReport) -> bytes:
    """Returns the bytes that :func:`decode_report` reads."""
    return to_json(report)


def decode_report(content: bytes) -> RuleReport:
    """Reads what :func:`encode_report` wrote. Raises ValueError for anything else."""
    report = _REPORT.validate_json(content)
    if report.utc.tzinfo is None:
        raise ValueError("holds a time without a zone")
    return report
