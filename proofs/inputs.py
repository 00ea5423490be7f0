"""Inputs that several proofs start from: any envelope, any permit."""

import math

from holdfast.safety.envelope import Envelope
from holdfast.safety.permit import Permit
from proofs.proof import Values, may_refuse

UNIT = "battery"


def any_envelope(v: Values, name: str = "envelope") -> Envelope:
    """Every envelope that can be constructed: four floats in, and what is refused is refused."""
    with may_refuse(ValueError):
        return Envelope(
            min_w=v.number(f"{name}.min_w"), max_w=v.number(f"{name}.max_w"), min_by="", max_by=""
        )


def any_permit(v: Values, unit: str = UNIT) -> Permit:
    """Every permit."""
    return Permit(
        unit=unit,
        envelope=any_envelope(v, unit),
        expires_ns=v.time_ns("expires_ns"),
        may_write=v.truth("may_write"),
        may_increase=v.truth("may_increase"),
        may_connect=v.truth("may_connect"),
        may_run=v.truth("may_run"),
    )


def inside(envelope: Envelope, power_w: float) -> bool:
    """The specification of being inside; false for NaN."""
    return (envelope.min_w <= power_w) & (power_w <= envelope.max_w)


def covers(outer: Envelope, inner: Envelope) -> bool:
    """The specification of being a part."""
    return (outer.min_w <= inner.min_w) & (inner.max_w <= outer.max_w)


def is_envelope(envelope: Envelope) -> bool:
    """The specification of an envelope: finite, and zero is inside."""
    return (
        (-math.inf < envelope.min_w)
        & (envelope.min_w <= 0.0)
        & (0.0 <= envelope.max_w)
        & (envelope.max_w < math.inf)
    )
