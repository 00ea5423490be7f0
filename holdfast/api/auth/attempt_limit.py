"""Who guesses has to wait, longer each time; who is known here does not wait for a stranger.

A few mistakes are free. Then each one more doubles the wait, which ends: nobody is locked out for
ever. What comes while it lasts is refused unseen, and does not make it longer.
"""

import ipaddress
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from holdfast.api.auth.errors import too_many

FREE = 5
"""So many mistakes with an account cost nothing."""
FREE_OF_ADDRESS = 20
"""Behind one address may be a whole office."""
FIRST_S, LONGEST_S = 1.0, 900.0
FORGOTTEN_S = 3600.0
"""After so long without another one mistakes are forgotten."""
KEPT = 2000
"""So many who have made mistakes are remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mistakes:
    count: int
    last_s: float

    def until_s(self, free: int) -> float:
        """Returns until when there is to be waited, if ``free`` of them cost nothing."""
        over = self.count - free
        return self.last_s + (min(FIRST_S * 2.0**over, LONGEST_S) if over >= 0 else 0.0)


class AttemptLimit:
    """Remembers mistakes by key, and no more of them than there is room for."""

    def __init__(self, free: int = FREE, clock_s: Callable[[], float] = time.monotonic) -> None:
        """``free`` mistakes cost nothing."""
        self._free = free
        self._clock_s = clock_s
        self._made: dict[str, _Mistakes] = {}
        self._lock = threading.Lock()

    def check(self, *keys: str) -> None:
        """Raises AuthRefused (429) if one of ``keys`` still has to wait."""
        now_s = self._clock_s()
        with self._lock:
            waits_s = [
                self._made[key].until_s(self._free) - now_s for key in keys if key in self._made
            ]
        wait_s = max(waits_s, default=0.0)
        if wait_s > 0.0:
            raise too_many("there were too many wrong tries", wait_s)

    def has_failed(self, key: str) -> bool:
        """Says whether there are mistakes of ``key``."""
        with self._lock:
            made = self._made.get(key)
        return made is not None and self._clock_s() - made.last_s < FORGOTTEN_S

    def failed(self, *keys: str) -> None:
        """Notes a mistake for each of ``keys``."""
        now_s = self._clock_s()
        with self._lock:
            for key in keys:
                before = self._made.pop(key, None)
                again = before is not None and now_s - before.last_s < FORGOTTEN_S
                count = before.count + 1 if before is not None and again else 1
                self._made[key] = _Mistakes(count=min(count, 100), last_s=now_s)
            self._make_room(now_s)

    def succeeded(self, *keys: str) -> None:
        """Forgets the mistakes of ``keys``."""
        with self._lock:
            for key in keys:
                self._made.pop(key, None)

    def _make_room(self, now_s: float) -> None:
        if len(self._made) <= KEPT:
            return
        self._made = {
            key: made for key, made in self._made.items() if now_s - made.last_s < FORGOTTEN_S
        }
        while len(self._made) > KEPT:  # whoever has made fewest, and of those the first
            del self._made[min(self._made, key=lambda key: self._made[key].count)]


class LoginLimits:
    """Limits tries at accounts, by account and by address.

    Strangers have one count for an account together, and who has logged in from an address has one
    of his own there: no stranger locks him out. Nor does one keep out who comes for the first time:
    the first try of an address does not wait for others.
    """

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._addresses = AttemptLimit(FREE_OF_ADDRESS, clock_s)
        self._accounts = AttemptLimit(FREE, clock_s)

    def check(self, account: str, address: str, *, known: bool) -> None:
        """Raises AuthRefused (429) if a try at ``account`` has to wait."""
        place = neighbourhood(address)
        self._addresses.check(place)
        if known or self._addresses.has_failed(place):
            self._accounts.check(_tried(account, place, known=known))

    def failed(self, account: str, address: str, *, known: bool) -> None:
        """Notes a wrong try."""
        place = neighbourhood(address)
        self._addresses.failed(place)
        self._accounts.failed(_tried(account, place, known=known))

    def succeeded(self, account: str, address: str, *, known: bool) -> None:
        """Forgets the wrong tries at ``account`` of who is known at ``address``.

        Those of the address stay: with an account of one's own one could guess at another's.
        """
        if known:
            self._accounts.succeeded(_tried(account, neighbourhood(address), known=known))


def _tried(account: str, place: str, *, known: bool) -> str:
    return f"{account} from {place if known else 'elsewhere'}"


def neighbourhood(address: str) -> str:
    """Returns whom an address belongs to: of IPv6 a whole /64 is one customer's.

    >>> neighbourhood("2001:db8:1:2:3:4:5:6"), neighbourhood("192.0.2.7"), neighbourhood("unix")
    ('2001:db8:1:2::/64', '192.0.2.7', 'unix')
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.version == 4:
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
