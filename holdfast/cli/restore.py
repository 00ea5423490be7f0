"""``holdfast restore`` puts a backup into an empty folder."""

import argparse
from pathlib import Path

from holdfast.deployment.backup.restoring import read_backup, restore

DESCRIPTION = """\
Put a backup into an empty folder. All of it is verified before anything is written: a file that
is damaged, of a newer release, or that would lead out of the folder is refused as a whole. What
was latched stays latched, and the site waits in IDLE until somebody starts it.

--verify looks at the file and writes nothing.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    parser.add_argument("file", type=Path, help="a file that `holdfast backup` has written")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--into", type=Path, metavar="FOLDER", help="empty, or not there yet")
    where.add_argument("--verify", action="store_true", help="only look whether it is whole")


def execute(options: argparse.Namespace) -> int:
    """Puts it back; 1 if something is left to be done before the site can run."""
    if options.verify:
        manifest = read_backup(options.file)
        print(
            f"{options.file} is whole: {manifest.site}, {manifest.made:%Y-%m-%d %H:%M} UTC, "
            f"Holdfast {manifest.holdfast}, {len(manifest.files)} files"
        )
        return 0
    restored = restore(options.file, options.into)
    print(f"{restored.manifest.site} as of {restored.manifest.made:%Y-%m-%d %H:%M} UTC is there")
    for text in restored.notes:
        print(f"to do: {text}")
    print(f"then: holdfast check --config {restored.config}")
    return 1 if restored.notes else 0
