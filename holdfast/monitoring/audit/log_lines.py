"""The audit log's chain: each line's hash covers the line before, so nothing in it can be changed,
taken out, put in or moved without being found. It is pure: bytes in, bytes and verdicts out.

A line is one JSON object; its last member is the SHA-256 over the hash of the line before and
every byte of this line in front of that member. The head is a small file beside the log with
the number and hash of the last line on the disk: without it a log that lost its end would look
whole.

What this cannot do: whoever may write to the folder may forge the whole log, head included.
Keep the hash that a verification prints somewhere else, and give it to a later one.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

from holdfast.monitoring.audit.events import AuditEvent, LogOpened, decode_event, encode_event

GENESIS = "0" * 64
"""This stands in place of a hash before the first line."""

_HASH_CHARS = 64
_SUFFIX_BYTES = len(b',"hash":""}') + _HASH_CHARS
_LINE = re.compile(
    rb'\{"seq":(0|[1-9][0-9]{0,17}),"utc":"([0-9T:.+-]{20,40})","mono_ns":(-?[0-9]{1,20}),"event":'
    rb'(\{"[^\n]*\}),"hash":"([0-9a-f]{64})"\}'
)
_HEAD = re.compile(rb'\{"seq":(0|[1-9][0-9]{0,17}),"hash":"([0-9a-f]{64})"\}\n')


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Names a line by its number and hash; the place after it is where the chain goes on."""

    sequence: int
    hash: str


START = Place(sequence=0, hash=GENESIS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Holds a line of the log, taken apart; its event is still JSON."""

    sequence: int
    utc: str
    monotonic_ns: int
    event: bytes
    hash: str

    @property
    def time(self) -> datetime:
        """Tells when it was made. Raises ValueError."""
        return datetime.fromisoformat(self.utc)

    @property
    def place(self) -> Place:
        """Returns its place in the chain."""
        return Place(sequence=self.sequence, hash=self.hash)


def encode_line(
    after: Place, utc: datetime, monotonic_ns: int, event: AuditEvent
) -> tuple[bytes, Place]:
    """Returns the line that follows ``after``, with its line feed, and its place."""
    sequence = after.sequence + 1
    body = b'{"seq":%d,"utc":"%s","mono_ns":%d,"event":%s' % (
        sequence,
        utc.isoformat(timespec="milliseconds").encode(),
        monotonic_ns,
        encode_event(event),
    )
    digest = _digest(after.hash, body)
    return b'%s,"hash":"%s"}\n' % (body, digest.encode()), Place(sequence=sequence, hash=digest)


def decode_line(raw: bytes) -> Line | None:
    """Takes a line apart, without its line feed; None if it is none. Its hash is not checked."""
    match = _LINE.fullmatch(raw)
    if match is None:
        return None
    sequence, utc, monotonic_ns, event, digest = match.groups()
    return Line(
        sequence=int(sequence),
        utc=utc.decode(),
        monotonic_ns=int(monotonic_ns),
        event=event,
        hash=digest.decode(),
    )


def follows(raw: bytes, line: Line, after: Place) -> bool:
    """Says whether ``line``, which was read from ``raw``, is the one that comes after ``after``."""
    return (
        line.sequence == after.sequence + 1
        and _digest(after.hash, raw[:-_SUFFIX_BYTES]) == line.hash
    )


def encode_head(place: Place) -> bytes:
    """Returns the content of the head."""
    return b'{"seq":%d,"hash":"%s"}\n' % (place.sequence, place.hash.encode())


def decode_head(content: bytes) -> Place | None:
    """Reads the head; None if it is none."""
    match = _HEAD.fullmatch(content)
    if match is None:
        return None
    place = Place(sequence=int(match[1]), hash=match[2].decode())
    return place if (place.sequence == 0) == (place.hash == GENESIS) else None


def event_of(line: Line) -> AuditEvent | None:
    """Returns what ``line`` tells; None if this version does not know such an event."""
    try:
        return decode_event(line.event)
    except ValueError:
        return None


def opening(line: Line) -> LogOpened | None:
    """Returns what ``line`` tells, if it is the first of a file; else None."""
    event = event_of(line) if line.event.startswith(b'{"kind":"log_opened"') else None
    return event if isinstance(event, LogOpened) else None


def sha256(content: bytes) -> str:
    """Returns the hash as it stands in the log."""
    return hashlib.sha256(content).hexdigest()


def _digest(before: str, body: bytes) -> str:
    return hashlib.sha256(before.encode() + body).hexdigest()
