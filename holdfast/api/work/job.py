"""What all jobs have in common: how they are asked, and that they are polite."""

import json
import os
import sys
import threading
from collections.abc import Callable
from typing import Any, Final

_NICE: Final = 15
_LENGTH_BYTES: Final = 4


def run_job(answer: Callable[[dict[str, Any]], bytes]) -> None:
    """Gives what ``answer`` makes of the question; ends at once when who has asked ends."""
    os.nice(_NICE)
    source = sys.stdin.buffer
    length = int.from_bytes(source.read(_LENGTH_BYTES), "big")
    question = json.loads(source.read(length))
    threading.Thread(target=_end_with, args=(source.fileno(),), daemon=True).start()
    sys.stdout.buffer.write(answer(question))
    sys.stdout.buffer.flush()


def _end_with(descriptor: int) -> None:
    os.read(descriptor, 1)
    os._exit(1)
