"""What commands share that delete what a site has written: a question before, and a report."""

import argparse
import getpass
import sys
from collections.abc import Collection
from pathlib import Path

from holdfast.cli.arguments import add_config
from holdfast.cli.columns import print_columns
from holdfast.cli.consent import ask
from holdfast.client.messages import Act
from holdfast.core.config import Site
from holdfast.core.errors import ConfigError
from holdfast.deployment.erasing import Erased, at_rest, erase
from holdfast.deployment.personal_archive import pack
from holdfast.site.file_kinds import FileKind
from holdfast.site.files import SiteFiles


def add_erasure_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of such a command."""
    add_config(parser)
    parser.add_argument(
        "--archive", type=Path, metavar="FILE", help="a zip file for what is about persons, before"
    )
    parser.add_argument(
        "--no-archive", action="store_true", help="it is to be gone, and nobody needs it"
    )
    parser.add_argument(
        "--yes", metavar="NAME", help="do not ask: NAME is the site's name, which would be typed"
    )


def erase_with_consent(
    site: Site, options: argparse.Namespace, kinds: Collection[FileKind], act: Act
) -> Erased:
    """Asks, packs the archive if there is to be one, and deletes. Raises HoldfastError."""
    if (options.archive is None) != options.no_archive:
        raise ConfigError(
            "what is on record about persons, the audit log too, will be gone: say --archive FILE "
            "to take it along before, or --no-archive"
        )
    if options.yes not in {None, site.name}:
        raise ConfigError(f"--yes {options.yes}: this site's name is {site.name}")
    files = SiteFiles.of(site)
    files.create()
    what = str(act).replace("_", "-")
    with at_rest(files):
        ask(site, what, _told(files, kinds), agreed=options.yes is not None)
        if options.archive is not None:
            print(f"{pack(site, files, options.archive).file}: what was on record about persons")
        return erase(site, files, kinds, act=act, who=getpass.getuser())


def report(erased: Erased) -> None:
    """Prints what became of the files of the site."""
    print(f"deleted: {', '.join(erased.removed) or 'nothing was there'}")
    rows = [(kind.name, kind.kept) for kind in erased.kept if kind.kept]
    if rows:
        print_columns([("kept", "why"), *rows])
    for path in erased.unknown:
        print(f"not Holdfast's, and not touched: {path}", file=sys.stderr)
    if erased.elsewhere:
        print(
            f"not touched: the history in {erased.elsewhere}; delete it in that database",
            file=sys.stderr,
        )
    print(
        "site.yaml is yours, and was not touched: contacts and place stand in it, if you wrote them"
    )


def _told(files: SiteFiles, kinds: Collection[FileKind]) -> str:
    there = [kind.name for kind in kinds if any(kind.present(files))]
    return f"In {files.state_dir} will be deleted: {', '.join(there) or 'nothing, none is there'}."
