"""A written code is a random secret that a person reads from one place and types in another."""

import secrets

_SIGNS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""None of them looks like another; each is worth almost five bits."""
_EACH = 4


def new_written_code(groups: int) -> str:
    """Returns a code of so many groups of four signs."""
    return "-".join("".join(secrets.choice(_SIGNS) for _ in range(_EACH)) for _ in range(groups))


def is_written_code(text: str, groups: int) -> bool:
    """Says whether ``text`` can be such a code."""
    signs = as_typed(text)
    return len(signs) == groups * _EACH and set(signs) <= set(_SIGNS)


def as_typed(text: str) -> str:
    """Returns a code without what people put in or leave out.

    >>> as_typed(" ab2c-d3ef ")
    'AB2CD3EF'
    """
    return "".join(text.split()).replace("-", "").upper()
