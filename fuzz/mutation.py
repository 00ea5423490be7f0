"""Mutation makes of a good input one that is nearly good: its bytes, words or lines are changed.

A decoder of text is seldom reached by a change of bytes alone, which is no longer text. So this
knows what words and numbers are, whatever the text is written in.
"""

import re
from collections.abc import Callable
from random import Random

_WORD = re.compile(rb'"[^"\n]{0,80}"|-?[0-9][0-9.eE+:TZ-]*|[A-Za-z_][A-Za-z0-9_]*|[^\sA-Za-z0-9_]')
_ODD_WORDS = (
    b"0", b"-1", b"1", b"0.5", b"-0.0", b"255", b"65536", b"4294967296", b"-9223372036854775809",
    b"1e308", b"-1e308", b"1e400", b"1e-320", b"9" * 25, b"9" * 400, b"9" * 5000,
    b"NaN", b"-Infinity", b".nan", b".inf", b"null", b"~", b"true", b"false", b"yes",
    b'""', b'"x"', b"[]", b"{}", b"[[]]", b"&a", b"*a", b"<<", b"!!x", b"'", b"#", b"%",
    b"0001-01-01T00:00:00Z", b"9999-12-31T23:59:59Z", b"2026-02-30T25:61:00Z",
    b"2026-03-29T02:30:00+14:00", b"\x00", b"\xff", "\u0661".encode(), "\U0001f600".encode(),
    b"\\u0000", b"\\ud800",
)  # fmt: skip
_ODD_BYTES = (0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF)

Step = Callable[[bytes, Random], bytes]


def mutated(data: bytes, random: Random, longest: int) -> bytes:
    """Returns ``data`` with a few changes, no longer than ``longest``."""
    for _ in range(random.choice((1, 1, 2, 3, 8))):
        data = random.choice(_STEPS)(data, random)
    return data[:longest]


def _span(data: bytes, random: Random, longest: int = 32) -> tuple[int, int]:
    start = random.randint(0, len(data))
    return start, min(len(data), start + random.randint(1, longest))


def _flip_a_bit(data: bytes, random: Random) -> bytes:
    if not data:
        return data
    at = random.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << random.randrange(8)]) + data[at + 1 :]


def _set_a_byte(data: bytes, random: Random) -> bytes:
    start, _ = _span(data, random)
    value = random.choice((*_ODD_BYTES, random.randrange(256)))
    return data[:start] + bytes([value]) + data[start + 1 :]


def _insert_bytes(data: bytes, random: Random) -> bytes:
    start, _ = _span(data, random)
    return data[:start] + random.randbytes(random.randint(1, 8)) + data[start:]


def _take_out(data: bytes, random: Random) -> bytes:
    start, end = _span(data, random)
    return data[:start] + data[end:]


def _cut_off(data: bytes, random: Random) -> bytes:
    return data[: random.randint(0, len(data))]


def _copy_elsewhere(data: bytes, random: Random) -> bytes:
    start, end = _span(data, random)
    at, _ = _span(data, random)
    return data[:at] + data[start:end] + data[at:]


def _repeat(data: bytes, random: Random) -> bytes:
    start, end = _span(data, random, 8)
    return data[:start] + data[start:end] * random.choice((2, 10, 1500)) + data[end:]


def _nest(data: bytes, random: Random) -> bytes:
    start, _ = _span(data, random)
    return data[:start] + random.choice((b"[", b'{"a":', b"(")) * 1500 + data[start:]


def _odd_word(data: bytes, random: Random) -> bytes:
    return _with_word(data, random, random.choice(_ODD_WORDS))


def _word_of_its_own(data: bytes, random: Random) -> bytes:
    found = _WORD.findall(data)
    return _with_word(data, random, random.choice(found)) if found else data


def _with_word(data: bytes, random: Random, word: bytes) -> bytes:
    found = [*_WORD.finditer(data)]
    if not found:
        return word
    start, end = random.choice(found).span()
    return data[:start] + word + data[end:]


def _line_out(data: bytes, random: Random) -> bytes:
    lines = data.splitlines(keepends=True)
    if lines:
        lines.pop(random.randrange(len(lines)))
    return b"".join(lines)


def _line_elsewhere(data: bytes, random: Random) -> bytes:
    lines = data.splitlines(keepends=True)
    if lines:
        lines.insert(random.randrange(len(lines)), random.choice(lines))
    return b"".join(lines)


_STEPS: tuple[Step, ...] = (
    _flip_a_bit, _set_a_byte, _insert_bytes, _take_out, _cut_off, _copy_elsewhere, _repeat, _nest,
    _odd_word, _odd_word, _odd_word, _word_of_its_own, _word_of_its_own, _line_out, _line_elsewhere,
)  # fmt: skip
