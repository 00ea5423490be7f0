"""Signals are values that somebody outside gives a name and an end; after it they are not known."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from holdfast.core.errors import ConfigError
from holdfast.core.texts import MAX_ID, shown
from holdfast.scheduling.rules.fact_table import FactKind, Facts, FactValue

MAX_BYTES = 64 * 1024
"""A signal takes a hundred: it is far more than a file of rules can name."""
_TYPES = {FactKind.NUMBER: (int, float), FactKind.TRUTH: (bool,), FactKind.TEXT: (str,)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalSignal:
    """Holds what somebody says, and until when that counts."""

    value: float | bool | str
    until: datetime
    """The time is aware."""
    by: str = ""
    """Names who says so."""


_ADAPTER = TypeAdapter(dict[str, ExternalSignal])


def encode_signals(signals: Mapping[str, ExternalSignal]) -> bytes:
    """Returns the bytes that :func:`decode_signals` reads."""
    return to_json(signals)


def decode_signals(content: bytes) -> dict[str, ExternalSignal]:
    """Reads a file of signals. Raises ConfigError for anything else."""
    if len(content) > MAX_BYTES:
        raise ConfigError(f"has {len(content)} bytes, and {MAX_BYTES} are permitted")
    try:
        signals = _ADAPTER.validate_python(json.loads(content))
    except (ValidationError, ValueError, RecursionError) as error:
        raise ConfigError(
            'is no table of signals, such as {"boiler_hot": {"value": true, '
            '"until": "2026-01-31T18:00:00Z"}}'
        ) from error
    for name, signal in signals.items():
        if signal.until.tzinfo is None:
            raise ConfigError(f"{shown(name, MAX_ID)}: until has no offset, such as Z")
    return signals


def known_signals(
    signals: Mapping[str, ExternalSignal], kinds: Mapping[str, FactKind], now_utc: datetime
) -> Facts:
    """Returns the values that count now, of the kind that a rule file says they are."""
    return {
        name: _as_fact(signals[name].value, kind)
        for name, kind in kinds.items()
        if name in signals and signals[name].until > now_utc and is_a(kind, signals[name].value)
    }


def is_a(kind: FactKind, value: object) -> bool:
    """Says whether ``value`` can be a signal of that kind; true is no number."""
    if isinstance(value, bool) is not (kind is FactKind.TRUTH):
        return False
    return isinstance(value, _TYPES[kind]) and (
        not isinstance(value, float) or math.isfinite(value)
    )


def _as_fact(value: FactValue, kind: FactKind) -> FactValue:
    return float(value) if kind is FactKind.NUMBER else value
