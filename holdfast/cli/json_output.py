"""This module prints for programs."""

from pydantic_core import to_json


def print_json(value: object) -> None:
    """Prints ``value`` as JSON; what is not finite becomes null."""
    print(to_json(value, indent=2, inf_nan_mode="null").decode())
