"""Inputs that several proofs start from: a site, any envelope, any permit."""

import math
from typing import TypeVar

from pydantic import BaseModel

from holdfast.core.config import Site, StorageUnit
from holdfast.safety.envelope import Envelope
from holdfast.safety.permit import Permit
from proofs.proof import Values, may_refuse

UNIT = "battery"
_DEVICE = {
    "profile": "generic",
    "connection": {"kind": "modbus_tcp", "host": "192.0.2.1"},
}
SOME_SITE = Site.model_validate(
    {
        "name": "any",
        "authority": "full",
        "grid": {"import_max_w": 10_000, "export_max_w": 10_000},
        "meter": _DEVICE,
        "emergency_input": _DEVICE,
        "storage": [
            {
                "name": UNIT,
                "battery": {
                    "cells_in_series": 16,
                    "capacity_wh": 10_000,
                    "charge_current_max_a": 100,
                    "discharge_current_max_a": 100,
                },
                "inverter_hardware": {"charge_power_max_w": 5000, "discharge_power_max_w": 5000},
                "bms": _DEVICE,
                "inverter": _DEVICE,
                "relays": _DEVICE,
            }
        ],
    }
)
"""What a proof does not vary; what it does, it sets with :func:`having`."""

Section = TypeVar("Section", bound=BaseModel)


def having(section: Section, **values: object) -> Section:
    """``section`` of a site with unknowns in it, which its validation could not read."""
    return section.model_copy(update=values)


def some_unit(**sections: dict[str, object]) -> StorageUnit:
    """A unit with unknowns in some of its sections."""
    unit = SOME_SITE.storage[0]
    return having(
        unit, **{name: having(getattr(unit, name), **values) for name, values in sections.items()}
    )


def site_of(*units: StorageUnit, **values: object) -> Site:
    """A site with these units."""
    return having(SOME_SITE, storage=units, **values)


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
        may_close=v.truth("may_close"),
        may_run=v.truth("may_run"),
        islanded=v.truth("islanded"),
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
        & (envelope.max_w >= 0.0)
        & (envelope.max_w < math.inf)
    )
