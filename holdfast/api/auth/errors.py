"""What auth refuses, with the HTTP status that says so."""

import math

from holdfast.core.errors import HoldfastError


class AuthRefused(HoldfastError):
    """Somebody may not do this, or not now; the text says why, and what would be right."""

    def __init__(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
        """``status`` is that of HTTP."""
        super().__init__(text)
        self.status = status
        self.headers = headers or {}


def too_many(text: str, wait_s: float) -> AuthRefused:
    """Returns the refusal of who asks too often, and may come again in ``wait_s`` seconds."""
    again_s = max(1, math.ceil(wait_s))
    return AuthRefused(429, f"{text}; again in {again_s} s", {"Retry-After": str(again_s)})
