"""A packed plan is a plan as it was handed over, in few bytes."""

import zlib

from pydantic import TypeAdapter

from holdfast.core.plan import Plan

_PLAN = TypeAdapter(Plan)


def pack_plan(plan: Plan) -> bytes:
    """Returns ``plan`` as compressed JSON."""
    return zlib.compress(_PLAN.dump_json(plan, exclude_defaults=True))


def unpack_plan(content: bytes) -> Plan:
    """Returns the plan. Raises ValueError for anything that :func:`pack_plan` did not make."""
    try:
        return _PLAN.validate_json(zlib.decompress(content))
    except zlib.error as error:
        raise ValueError(f"is no plan: {error}") from error
