"""``holdfast personal-data`` tells, packs or deletes what a site has on record about persons."""

import argparse
import getpass
from pathlib import Path

from holdfast.cli.columns import print_columns
from holdfast.cli.erasure import add_erasure_arguments, erase_with_consent, report
from holdfast.client.messages import Act
from holdfast.client.operator_note import note, tell
from holdfast.core.config import Site
from holdfast.core.errors import ConfigError
from holdfast.deployment.erasing import about_persons
from holdfast.deployment.personal_archive import pack
from holdfast.site.files import SiteFiles
from holdfast.site.site_file import load_site

DESCRIPTION = """\
list    print what there is about persons, and where.
export  pack it into one zip file, --to FILE, also while the site runs. Secrets are not in it.
wipe    delete it, at a site that does not run; say --archive FILE or --no-archive. The audit log
        begins anew with lines that say which lines were deleted, with the hash of the last one.
        Latches, learned prices and what is known of devices stay.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    parser.add_argument("what", choices=("list", "export", "wipe"))
    add_erasure_arguments(parser)
    parser.add_argument("--to", type=Path, metavar="FILE", help="export: the zip file to write")


def execute(options: argparse.Namespace) -> int:
    """Does what is asked; 1 if `list` finds nothing."""
    site = load_site(options.config)
    files = SiteFiles.of(site)
    if options.what == "list":
        return _list(files)
    if options.what == "export":
        return _export(site, files, options.to)
    report(erase_with_consent(site, options, about_persons(), Act.PERSONAL_DATA))
    return 0


def _list(files: SiteFiles) -> int:
    rows = [(str(path), kind.personal) for kind in about_persons() for path in kind.present(files)]
    if not rows:
        print(f"nothing about persons is in {files.state_dir}")
        return 1
    print_columns([("file", "what"), *rows])
    return 0


def _export(site: Site, files: SiteFiles, target: Path | None) -> int:
    if target is None:
        raise ConfigError("export: --to FILE is missing: where shall it go?")
    packed = pack(site, files, target)
    tell(
        files,
        note(
            getpass.getuser(),
            "command line",
            Act.PERSONAL_DATA,
            f"exported: {', '.join(packed.kinds)}",
        ),
    )
    print(f"{packed.file}: {packed.bytes} bytes with {', '.join(packed.kinds) or 'nothing'}")
    return 0
