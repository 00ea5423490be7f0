"""One exchange: what a browser asks, read strictly, and what it is answered.

A request has bounds, and one meaning: whatever may be read in two ways is refused.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote_to_bytes

from holdfast.monitoring.language import Language, liked

MAX_HEAD_BYTES = 8 * 1024
MAX_BODY_BYTES = 4 * 1024
MAX_FIELDS = 16
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TARGET = re.compile(r"/[!-~]*")
_ONCE = frozenset({"host", "content-length", "origin", "sec-fetch-site", "content-type"})
"""A request with two of these would mean two things."""
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = (
    ("Content-Security-Policy", _POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    # With no-referrer a browser would leave out which page a form was sent from.
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
    ("Connection", "close"),
)


class BadExchange(Exception):
    """A request cannot be taken. It carries the HTTP status that says so."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """Holds what a browser asks."""

    method: str
    path: str
    """Holds the path as it came: one that hides something in escapes is no path of ours."""
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Holds the headers by their names in small letters."""
    body: bytes = b""
    peer: str = ""
    """Names the address of who asks."""

    @property
    def body_length(self) -> int:
        """Tells how many bytes of a body follow. Raises BadExchange if there is no telling."""
        if "transfer-encoding" in self.headers:
            raise BadExchange(HTTPStatus.LENGTH_REQUIRED, "a body needs its Content-Length")
        text = self.headers.get("content-length", "0")
        if not re.fullmatch(r"[0-9]{1,9}", text):
            raise BadExchange(HTTPStatus.BAD_REQUEST, "Content-Length is no number of bytes")
        if int(text) > MAX_BODY_BYTES:
            raise BadExchange(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {MAX_BODY_BYTES} bytes"
            )
        return int(text)

    @property
    def form(self) -> Mapping[str, str]:
        """Returns the fields of a form that was sent. Raises BadExchange if it is none."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/x-www-form-urlencoded":
            raise BadExchange(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "this is no form of a page")
        try:
            # Strictly: a byte that is no UTF-8 would come out as another character.
            unquote_to_bytes(self.body).decode()
            pairs = parse_qsl(
                self.body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS
            )
        except ValueError as error:
            raise BadExchange(HTTPStatus.BAD_REQUEST, "the form cannot be read") from error
        fields = dict(pairs)
        if len(fields) != len(pairs):
            raise BadExchange(HTTPStatus.BAD_REQUEST, "a field of the form came twice")
        return fields

    @property
    def language(self) -> Language:
        """Returns the language that the browser likes best, of those there are."""
        return liked(self.headers.get("accept-language", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class PageAnswer:
    """Holds what a browser is answered."""

    status: HTTPStatus = HTTPStatus.OK
    content: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()

    def encode(self, *, head_only: bool = False) -> bytes:
        """Returns the bytes that go out."""
        lines = [
            f"HTTP/1.1 {self.status.value} {self.status.phrase}",
            f"Content-Type: {self.content_type}",
            f"Content-Length: {len(self.content)}",
            *(f"{name}: {value}" for name, value in (*_HEADERS, *self.headers)),
        ]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")
        return head if head_only else head + self.content


def read_head(head: bytes, peer: str = "") -> PageRequest:
    """Reads the head of a request, up to its empty line. Raises BadExchange."""
    try:
        first, *lines = head.decode("ascii").removesuffix("\r\n\r\n").split("\r\n")
    except UnicodeDecodeError as error:
        raise BadExchange(HTTPStatus.BAD_REQUEST, "a character that is none of HTTP's") from error
    method, _, rest = first.partition(" ")
    target, _, version = rest.partition(" ")
    if not _TOKEN.fullmatch(method) or not re.fullmatch(r"HTTP/1\.[01]", version):
        raise BadExchange(HTTPStatus.BAD_REQUEST, "this is no HTTP/1.1")
    if not _TARGET.fullmatch(target):
        raise BadExchange(HTTPStatus.BAD_REQUEST, "a target begins with / and holds no spaces")
    path, _, query = target.partition("?")
    return PageRequest(method=method, path=path, query=query, headers=_headers(lines), peer=peer)


def _headers(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        name, value = name.lower(), value.strip(" \t")
        if not colon or not _TOKEN.fullmatch(name) or not (value.isprintable() or "\t" in value):
            raise BadExchange(HTTPStatus.BAD_REQUEST, "a header that is none")
        if name in headers and name in _ONCE:
            raise BadExchange(HTTPStatus.BAD_REQUEST, f"{name} came twice")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
