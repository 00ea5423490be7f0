"""These helpers serve tests that need sockets on the loopback interface."""

import random
import socket

_FIRST, _LAST = 15_000, 32_000
"""It lies below the range from which Linux takes ports for outgoing connections.

So none takes ours.
"""

_given: set[int] = set()
_random = random.SystemRandom()


def free_port() -> int:
    """Returns a TCP port on 127.0.0.1 that nobody listens on, and that was not given out before."""
    while True:
        port = _random.randint(_FIRST, _LAST)
        if port not in _given and _is_free(port):
            _given.add(port)
            return port


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
