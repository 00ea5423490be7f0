"""Whoever asked for an emergency stop is told this when no controller answers.

He is frightened, and needs to know what the inverter does now and what to press.
"""

from pathlib import Path

from holdfast.core.errors import AlreadyRunning, ConfigError, NotRunning
from holdfast.site.files import SiteFiles
from holdfast.site.site_file import load_site
from holdfast.site.site_lock import refuse_second

_FORBIDDEN = """\
NOTHING WAS STOPPED: this user may not talk to the site's controller. Ask again as the user that
runs the site, or as root."""
_HANGS = """\
NOT KNOWN TO BE STOPPED: the controller runs, and does not answer. The stop waits for it, and is
carried out if it comes back to life."""
_ABSENT = "NOTHING WAS SENT: no controller runs for this site."
_PRESS = """\
If power still flows, or if you do not know: press the emergency button, or open the main switch."""
_WATCHDOG = """\
The watchdog runs: half a second after the controller's last cycle it takes the power to 0 W by
itself, switches the inverter off and opens the contactor; an island it leaves at 0 W."""
_NO_WATCHDOG = "No watchdog runs."
_NOT_LATCHED = "Nothing is latched: whoever starts the site anew finds no stop."


def no_answer(config: Path, files: SiteFiles, error: NotRunning) -> str:
    """Says it in words; ``error`` is why there is no answer."""
    watchdog = _WATCHDOG if _runs(files, "watchdog") else _NO_WATCHDOG
    if isinstance(error.__cause__, PermissionError):
        lines = [_FORBIDDEN, _PRESS]
    elif _runs(files, "controller"):
        lines = [_HANGS, _PRESS, watchdog, *_timers(config)]
    else:
        lines = [_ABSENT, _PRESS, watchdog, *_timers(config), _NOT_LATCHED]
    return "\n".join([*lines, f"({error})"])


def _runs(files: SiteFiles, name: str) -> bool:
    try:
        refuse_second(files, name)
    except AlreadyRunning:
        return True
    except ConfigError:
        return False
    return False


def _timers(config: Path) -> list[str]:
    """Tells, by unit, when its inverter goes to 0 W without being told."""
    try:
        units = load_site(config).storage
    except ConfigError:
        text = "An inverter whose timer was armed goes to 0 W by itself some seconds after its last"
        return [f"{text}\ncommand (revert_timeout_s; {config} cannot be read just now)."]
    return [
        f"{unit.name}: its inverter, if its timer was armed, goes to 0 W by itself "
        f"{unit.inverter_hardware.revert_timeout_s:g} s after its last command."
        for unit in units
    ]
