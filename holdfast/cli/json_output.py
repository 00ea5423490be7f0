"""This module prints for programs."""

from pydantic_core import to_json


def json_bytes(value: object) -> bytes:
    """Returns ``value`` as JSON; what is not finite becomes null."""
    return to_json(value, indent=2, inf_nan_mode="null")


def print_json(value: object) -> None:
    """Prints ``value`` as :func:`json_bytes` has it."""
    print(json_bytes(value).decode())
