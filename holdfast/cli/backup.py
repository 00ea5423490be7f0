"""``holdfast backup`` copies what is worth keeping of a site into one file."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from holdfast.cli.arguments import add_config
from holdfast.core.errors import ConfigError
from holdfast.deployment.backup.manifest import BackupError
from holdfast.deployment.backup.retention import backup_name, remove_old
from holdfast.deployment.backup.writing import write_backup
from holdfast.site.site_file import load_site

DESCRIPTION = """\
Copy site.yaml, the files that it names, and the state of the site into one file, also while the
site runs: latches, audit log, history, wear, what inverters were proven to do and held before,
accounts, what was learned. Not in it: locks, sockets, shared memory, and logs unless asked for.

With a folder the file gets a name of its own there, and --keep removes the oldest. Passwords and
keys are in it: it is for its owner only, and not encrypted.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    add_config(parser)
    parser.add_argument("--to", type=Path, required=True, metavar="FILE_OR_FOLDER")
    parser.add_argument("--keep", type=_count, metavar="N", help="in a folder: keep the newest N")
    parser.add_argument("--logs", action="store_true", help="with the log files")


def execute(options: argparse.Namespace) -> int:
    """Writes it, and tells where."""
    site = load_site(options.config)
    in_folder = options.to.is_dir()
    if options.keep is not None and not in_folder:
        raise ConfigError(f"--keep: {options.to} is no folder; make it first")
    target = options.to / backup_name(site.name, datetime.now(UTC)) if in_folder else options.to
    if target.exists():
        raise ConfigError(f"{target} is there already; name another file, or a folder")
    manifest = write_backup(options.config, site, target, logs=options.logs)
    size = target.stat().st_size
    print(f"{target}: {len(manifest.files)} files of {site.name}, {size / 1e6:.1f} MB")
    print("It has passwords and keys in it. Only its owner can read it here; guard its copies.")
    for path in manifest.missing:
        print(f"note: {path} is named in {options.config}, and is not there")
    if site.history.url is not None:
        print("note: the history is in a database of its own, which is not in it")
    if options.keep is not None:
        _remove(options.to, site.name, options.keep)
    return 0


def _remove(folder: Path, site: str, keep: int) -> None:
    try:
        for path in remove_old(folder, site, keep):
            print(f"removed {path}")
    except OSError as error:
        raise BackupError(f"old backups cannot be removed: {error}") from error


def _count(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError(f"{text}: from 1 to 10000 can be kept")
    return int(text)
