"""A sealed text has a checksum: a person can read it, and no torn or edited copy passes for it.

It is one line of text, and its SHA-256 is the next. Files are not our business.
"""

import hashlib


def seal(body: str) -> bytes:
    """Returns the content of a file with ``body``, which is one line."""
    return f"{body}\n{_checksum(body)}\n".encode()


def unseal(content: bytes) -> str:
    """Reverses it: returns the body. Raises ValueError for anything but what was sealed."""
    body, checksum, rest = content.decode("utf-8").split("\n")
    if checksum != _checksum(body) or rest:
        raise ValueError("the checksum is wrong")
    return body


def _checksum(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()
