"""What is worked out now and then, beside all requests: what measured days would have cost, and
whether plans or self-consumption lead.

It is done in a process of its own that gets what nobody else wants of the computer, and keeps what
it finds for others.
"""

import asyncio
import logging
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from holdfast.core.texts import MAX_REASON, shown

_log = logging.getLogger(__name__)

FIRST_S: Final = 300.0
"""A site that has just begun has better things to do."""
EVERY_S: Final = 3600.0
LONGEST_S: Final = 3000.0
MONEY: Final = "holdfast.backtest.day_money"
JUDGING: Final = "holdfast.backtest.plan_judging"


async def compare_days_now_and_then(config: Path) -> None:
    """Has the last days compared, and plans judged by them, that were not yet, for ever."""
    await asyncio.sleep(FIRST_S)
    while True:
        for module in (MONEY, JUDGING):
            await run_chore(module, "--config", str(config))
        await asyncio.sleep(EVERY_S)


async def run_chore(module: str, *arguments: str) -> bool:
    """Runs a module to its end, with the arguments; says whether it went well, and logs it if not.

    When it is cancelled, the process ends.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(LONGEST_S):
            _, errors = await process.communicate()
    except TimeoutError:
        errors = f"took longer than {LONGEST_S:g} s".encode()
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    if process.returncode != 0:
        last = errors.decode(errors="replace").strip().splitlines()[-1:]
        _log.warning("%s: %s", module, shown("".join(last), MAX_REASON))
    return process.returncode == 0
