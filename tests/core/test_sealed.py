"""A sealed text comes back as it was, and nothing else passes for one."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.sealed import seal, unseal

LINES = st.text().filter(lambda text: "\n" not in text)


@given(LINES)
def test_what_was_sealed_comes_back(body):
    assert unseal(seal(body)) == body


def test_it_is_the_text_and_its_sha256_each_in_a_line():
    assert seal("what") == b"what\n" + hashlib.sha256(b"what").hexdigest().encode() + b"\n"


@given(st.binary())
def test_noise_is_refused(content):
    with pytest.raises(ValueError, match=r"."):
        unseal(content)


@pytest.mark.parametrize(
    "content",
    [
        seal("what")[:-1],
        seal("what") + b"\n",
        seal("what") + b"x",
        seal("what").replace(b"what", b"whet"),
        seal("what").replace(b"what", b"wh\xff"),
        b"what\n\n",
    ],
)
def test_what_was_changed_is_refused(content):
    with pytest.raises(ValueError, match=r"."):
        unseal(content)


def test_a_wrong_checksum_is_named():
    with pytest.raises(ValueError, match="the checksum is wrong"):
        unseal(seal("a").replace(b"a\n", b"b\n", 1))
