"""An engine that tells each input that it tries."""

import sys
from dataclasses import replace

from fuzz import unguided
from fuzz.target import Target


def _noted(target: Target) -> Target:
    def run(data: bytes) -> bool:
        sys.stdout.write(f"tried {data.hex()}\n")
        return target.run(data)

    return replace(target, run=run)


if __name__ == "__main__":
    unguided.TARGETS = {sys.argv[1]: _noted(unguided.TARGETS[sys.argv[1]])}
    sys.exit(unguided.main(*sys.argv[1:]))
