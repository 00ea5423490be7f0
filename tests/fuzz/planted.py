"""An engine with a target of its own: a decoder that does not expect an e with an accent."""

import sys

from fuzz import unguided
from fuzz.table import TARGETS
from fuzz.target import Target

PLANTED = Target(
    name="planted",
    eats="ASCII, it thinks",
    seeds=lambda: [b"e", "é".encode()],
    run=lambda data: data.decode("ascii").isalpha(),
)

if __name__ == "__main__":
    TARGETS[PLANTED.name] = PLANTED
    sys.exit(unguided.main(*sys.argv[1:]))
