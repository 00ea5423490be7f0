"""A text and its checksum: a person can read it, and no torn or edited copy passes for it.

One line of text, and its SHA-256 in the next. Files are not our business.
"""

import hashlib


def seal(body: str) -> bytes:
    """The content of a file with ``body``, which is one line."""
    return f"{body}\n{_checksum(body)}\n".encode()


def unseal(content: bytes) -> str:
    """The reverse. Raises ValueError for anything but what was sealed."""
    body, checksum, rest = content.decode("utf-8").split("\n")
    if checksum != _checksum(body) or rest:
        raise ValueError("the checksum is wrong")
    return body


def _checksum(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()
