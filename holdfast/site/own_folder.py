"""A site's state lies in a folder of its own: nobody else may write there, and no link leads out.

Latches, sockets and locks in it decide whether power flows: who can replace them has the controls.
"""

import os
import stat
from pathlib import Path

from holdfast.core.errors import ConfigError


def check_own_folder(folder: Path) -> None:
    """Raises ConfigError if another user owns ``folder`` or all may write to it, or if there is a
    link in it; the text says what to do. Raises OSError if it cannot be looked at."""
    found = folder.stat()
    if found.st_uid != os.geteuid():
        raise ConfigError(
            f"state_dir: {folder} belongs to user {found.st_uid}, and this runs as user "
            f"{os.geteuid()}: run it as its owner, or give it a state_dir of its own"
        )
    if found.st_mode & stat.S_IWOTH:
        raise ConfigError(
            f"state_dir: every user of this computer may write to {folder}: chmod o-w {folder}"
        )
    for path, folders, files in os.walk(folder):
        for name in (*folders, *files):
            entry = Path(path, name)
            if entry.is_symlink():
                raise ConfigError(
                    f"state_dir: {entry} is a link; put the file itself there, or remove it"
                )
