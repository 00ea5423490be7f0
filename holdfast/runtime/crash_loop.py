"""The crash-loop lockout: a controller that keeps ending uncleanly does not start power again."""

import json
import logging
import time
from pathlib import Path

from pydantic import TypeAdapter

from holdfast.core.config.section import Finite
from holdfast.site.files import write_atomically

_log = logging.getLogger(__name__)

CRASHES, WITHIN_S = 5, 600.0
"""So many crashes within so many seconds are fault 81 of the catalogue."""
_STARTS: TypeAdapter[list[Finite]] = TypeAdapter(list[Finite])


class StartRecord:
    """Keeps the starts that have not ended cleanly, in a file. Times are seconds since 1970."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._starts = _read(path)

    def begin(self) -> bool:
        """Notes a start; True if there were too many before it that did not end cleanly."""
        now_s = time.time()
        # A clock that was set back makes starts of the future: they count as recent.
        recent = [start_s for start_s in self._starts if now_s - start_s <= WITHIN_S]
        self._starts = [*recent, now_s][-CRASHES - 1 :]
        self._write()
        return len(recent) >= CRASHES

    def end(self) -> None:
        """Notes that this process ends cleanly."""
        self._starts = self._starts[:-1]
        self._write()

    def _write(self) -> None:
        try:
            write_atomically(self._path, json.dumps(self._starts).encode())
        except OSError as error:
            _log.error("starts are not on disk: %s", error)


def _read(path: Path) -> list[float]:
    try:
        return _STARTS.validate_json(path.read_bytes())
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        _log.warning("the record of starts begins anew: %s", error)
        return []
