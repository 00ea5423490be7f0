"""A site that was RUNNING when its controller ended is remembered: it starts again, or says so.

A power cut, an update, a killed controller: afterwards a site that idles without a word is not what
its owner left. What somebody stopped, and what is latched, stays as it is.
"""

import asyncio
import json
import logging
from collections.abc import Collection
from pathlib import Path

from holdfast.core.commands import Command
from holdfast.core.sealed import seal, unseal
from holdfast.core.state_machine import State
from holdfast.core.units import NS_PER_S
from holdfast.site.files import write_atomically

_log = logging.getLogger(__name__)

SAVE_AGAIN_NS = 10 * NS_PER_S
_VERSION = 1
_ENDED = frozenset({State.ERROR, State.STOPPED})


class Resume:
    """Remembers on the disk whether the site runs, and says whether it is to start again."""

    def __init__(self, path: Path, *, automatic: bool) -> None:
        """``automatic``: it starts again by itself; else it waits for somebody, and says so."""
        self._path = path
        self._automatic = automatic
        self._on_disk = self._runs = _read(path)
        self.waits = self._runs
        """Tells whether the site was RUNNING when its controller ended, and waits for a start."""
        self._held = False
        self._again_ns = 0
        self._saving: asyncio.Task[None] | None = None
        if self.waits:
            how = "it starts again" if automatic else "it waits for a start (resume: manual)"
            _log.warning("the site was RUNNING when its controller ended; %s", how)

    def wants_start(self, state: State, *, ready: bool) -> bool:
        """Says whether it is to be started now."""
        return self._automatic and self.waits and ready and state is State.IDLE

    def follow(self, state: State, commands: Collection[Command], now_ns: int) -> None:
        """Notes what a cycle has come to. Never waits."""
        if self._held:
            return
        if state is State.RUNNING:
            self._runs, self.waits = True, False
        elif state in _ENDED or Command.STOP in commands:
            self._runs = self.waits = False
        if self._runs != self._on_disk and self._saving is None and now_ns >= self._again_ns:
            self._again_ns = now_ns + SAVE_AGAIN_NS
            self._saving = asyncio.get_running_loop().create_task(self._save(self._runs))

    def hold(self) -> None:
        """The controller ends: that it stops the site is nobody's wish for tomorrow."""
        self._held = True

    async def flush(self) -> None:
        """Waits until what was begun is on the disk, or could not be brought there."""
        if self._saving is not None:
            await asyncio.wait({self._saving}, timeout=1.0)

    async def _save(self, runs: bool) -> None:  # noqa: FBT001 - what is saved
        content = seal(json.dumps({"version": _VERSION, "running": runs}))
        try:
            await asyncio.to_thread(write_atomically, self._path, content)
        except OSError as error:
            _log.error("whether the site runs is not on disk: %s", error)
        else:
            self._on_disk, self._again_ns = runs, 0
        finally:
            self._saving = None


def _read(path: Path) -> bool:
    try:
        fields = json.loads(unseal(path.read_bytes()))
        return bool(fields["version"] == _VERSION and fields["running"] is True)
    except FileNotFoundError:
        return False
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        _log.warning("whether the site was RUNNING is not known: %s: %s", path, error)
        return False
