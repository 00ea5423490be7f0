"""``holdfast config`` lists the versions of site.yaml, compares them, and goes back to one."""

import argparse
import getpass
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from holdfast.cli.arguments import add_config, add_json
from holdfast.cli.columns import print_columns
from holdfast.cli.json_output import print_json
from holdfast.client.messages import Act
from holdfast.client.operator_note import note, tell
from holdfast.client.status_reader import StatusReader
from holdfast.core.errors import ConfigError
from holdfast.core.state_machine import State
from holdfast.site.config_file import ConfigFile, ConfigVersion
from holdfast.site.files import SiteFiles
from holdfast.site.own_folder import check_own_folder
from holdfast.site.state_dir import state_dir_of

DESCRIPTION = """\
versions     list the versions that are kept, newest first: each that a page or this command has
             written, and each that was edited by hand and the site was started with.
show NUMBER  print that version.
diff NUMBER  print what has changed from that version to the file as it is now; with a second
             NUMBER, to that one.
rollback NUMBER
             make the file what it was in that version, if the site can be run with it. That makes
             a new version. What runs goes on as it is until the site is started anew.

They need no site.yaml that is right.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    parser.add_argument("what", choices=tuple(_DO))
    parser.add_argument("numbers", nargs="*", type=int, metavar="NUMBER", help="of a version")
    add_config(parser)
    add_json(parser)


def execute(options: argparse.Namespace) -> int:
    """Does what is asked; 1 if no version is kept."""
    fewest, most = _NUMBERS[options.what]
    if not fewest <= len(options.numbers) <= most:
        raise ConfigError(
            f"{options.what}: {'needs' if fewest else 'takes no'} NUMBER; "
            "`holdfast config versions` lists them"
        )
    return _DO[options.what](_Desk(options.config), options)


class _Desk:
    """Holds the versions of one site.yaml."""

    def __init__(self, config: Path) -> None:
        self.config = config
        self.files = SiteFiles(state_dir=state_dir_of(config))
        self.file = ConfigFile(config, self.files.config_history)

    def version(self, number: int) -> ConfigVersion:
        """Returns a version. Raises ConfigError."""
        found = self.file.version(number)
        if found is None:
            raise ConfigError(f"version {number} is not kept; `holdfast config versions` lists all")
        return found


def _versions(desk: _Desk, options: argparse.Namespace) -> int:
    versions = desk.file.versions()
    present = desk.file.read().digest
    if options.json:
        print_json([_as_json(version, present) for version in versions])
    elif not versions:
        print("no version is kept yet; the first is when the site starts, or a page changes it")
    else:
        head = ("number", "when", "by", "")
        print_columns([head, *(_row(version, present) for version in versions)])
    return 0 if versions else 1


def _row(version: ConfigVersion, present: str) -> tuple[str, ...]:
    when: datetime = version.utc.astimezone()
    now = "as it is now" if version.digest == present else ""
    return str(version.id), f"{when:%Y-%m-%d %H:%M}", version.by, now


def _as_json(version: ConfigVersion, present: str) -> dict[str, object]:
    return {
        "id": version.id,
        "utc": version.utc,
        "by": version.by,
        "digest": version.digest,
        "present": version.digest == present,
    }


def _show(desk: _Desk, options: argparse.Namespace) -> int:
    version = desk.version(options.numbers[0])
    if options.json:
        print_json(_as_json(version, desk.file.read().digest) | {"yaml": version.yaml})
    else:
        print(version.yaml, end="")
    return 0


def _diff(desk: _Desk, options: argparse.Namespace) -> int:
    before, *after = (desk.version(number).yaml for number in options.numbers)
    diff = desk.file.diff(before, *after)
    if options.json:
        print_json({"diff": diff})
    else:
        print(diff or "they are the same\n", end="")
    return 0


def _rollback(desk: _Desk, options: argparse.Namespace) -> int:
    version = desk.version(options.numbers[0])
    by = getpass.getuser()
    try:
        check_own_folder(desk.files.state_dir)
        edited = desk.file.read().digest
        written = desk.file.write(version.yaml, edited=edited, by=by)
    except OSError as error:
        raise ConfigError(f"{desk.config} cannot be written: {error}") from error
    effect = _effect(desk.files)
    detail = f"site.yaml taken back to version {version.id}, {written.digest[:12]}"
    tell(desk.files, note(by, "command line", Act.CONFIG, detail))
    if options.json:
        print_json({"digest": written.digest, "effect": "at the next start"})
    else:
        print(f"{desk.config} is what it was in version {version.id}; {effect}")
    return 0


def _effect(files: SiteFiles) -> str:
    status = StatusReader(files).fresh()
    if status is None:
        return "it takes effect when the site is started"
    running = "the site is RUNNING and goes on" if status.state is State.RUNNING else "it goes on"
    return f"{running} with what it has read: this takes effect at the next start"


_DO: dict[str, Callable[[_Desk, argparse.Namespace], int]] = {
    "versions": _versions,
    "show": _show,
    "diff": _diff,
    "rollback": _rollback,
}
_NUMBERS = {"versions": (0, 0), "show": (1, 1), "diff": (1, 2), "rollback": (1, 1)}
"""Tells how few and how many of them each takes."""
