"""A release tries itself before it is switched to: ``python -m holdfast.deployment.self_test``.

Nothing of a site is touched: its site.yaml is checked, and a backup of it is put into a folder that
is removed again, where its history is brought to this release's layout.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from holdfast.core.errors import HoldfastError
from holdfast.deployment.backup.restoring import restore
from holdfast.monitoring.history.database import open_to_write
from holdfast.monitoring.history.place import HistoryPlace
from holdfast.site.files import SiteFiles
from holdfast.site.site_file import load_site


def main() -> int:
    """0 if this release would do for all sites that are named."""
    parser = argparse.ArgumentParser(prog="python -m holdfast.deployment.self_test")
    parser.add_argument("--site", nargs=2, type=Path, action="append", default=[])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        try:
            for number, (config, backup) in enumerate(options.site):
                _run("check", "--config", str(config))
                _try_history(backup, Path(folder, str(number)))
            # The whole cycle, safety path included: a quarter of an hour of a simulated site.
            _run("simulate", "--days", "0.01", "--picture", str(Path(folder, "days.png")))
        except HoldfastError as error:
            sys.stderr.write(f"{error}\n")
            return 1
    return 0


def _try_history(backup: Path, folder: Path) -> None:
    """Brings a copy of the history to this release's layout. Raises HoldfastError."""
    site = load_site(restore(backup, folder).config)
    database = folder / SiteFiles.of(site).history_db.name
    for found in folder.rglob(database.name):
        open_to_write(HistoryPlace.in_file(found)).dispose()


def _run(*words: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "holdfast", *words], capture_output=True, text=True, check=False
    )
    if ended.returncode:
        told = ended.stderr.strip() or ended.stdout.strip()
        raise HoldfastError(f"`holdfast {words[0]}` ends with {ended.returncode}: {told}")


if __name__ == "__main__":
    sys.exit(main())
