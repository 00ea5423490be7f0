"""A file of arrays is read as it was written, or refused, whatever stands behind a right digest."""

import hashlib
import io
import json

import numpy as np
import pytest

from holdfast.forecasting.array_file import ArrayFile

GOOD = ArrayFile(about={"kind": "x"}, arrays={"a": np.arange(200) % 7}).to_bytes()
HEAD = b"holdfast packed 1\n"
BODY = GOOD[len(HEAD) + 65 :]


def with_digest(body: bytes) -> bytes:
    return HEAD + hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def described(text: str) -> bytes:
    content = io.BytesIO()
    np.savez_compressed(content, about=np.frombuffer(text.encode(), np.uint8))
    return with_digest(content.getvalue())


def test_it_is_read_as_it_was_written() -> None:
    assert with_digest(BODY) == GOOD
    assert ArrayFile.from_bytes(GOOD).about == {"kind": "x"}
    assert ArrayFile.from_bytes(GOOD).arrays["a"].tolist() == (np.arange(200) % 7).tolist()


@pytest.mark.parametrize("at", range(0, len(BODY), 5))
@pytest.mark.parametrize("flip", [0x01, 0x20, 0xFF])
def test_a_body_that_was_changed_before_it_was_sealed_is_read_or_refused(
    at: int, flip: int
) -> None:
    body = BODY[:at] + bytes([BODY[at] ^ flip]) + BODY[at + 1 :]
    try:
        ArrayFile.from_bytes(with_digest(body))
    except ValueError:
        return


@pytest.mark.parametrize("about", ["5", "[1]", "null", "[" * 100_000, json.dumps("x"), "{", ""])
def test_a_description_that_is_none_is_refused(about: str) -> None:
    with pytest.raises(ValueError, match=r"file of arrays|line 1|update sequence"):
        ArrayFile.from_bytes(described(about))
