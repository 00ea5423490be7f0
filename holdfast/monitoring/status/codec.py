"""The status goes from one process to the others as JSON."""

from pydantic import TypeAdapter
from pydantic_core import to_json

from holdfast.monitoring.status.schema import Status

_ADAPTER = TypeAdapter(Status)


def encode_status(status: Status) -> bytes:
    """Returns JSON. What is not finite becomes null."""
    return to_json(status, inf_nan_mode="null")


def decode_status(content: bytes) -> Status:
    """Returns the status. Raises pydantic's ValidationError, a ValueError, if it is none."""
    return _ADAPTER.validate_json(content)
