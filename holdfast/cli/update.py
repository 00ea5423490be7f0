"""``holdfast update`` brings another release onto this computer, or goes back to the one before."""

import argparse
import subprocess
from pathlib import Path

from holdfast.core.errors import ConfigError
from holdfast.deployment.site_states import site_configs
from holdfast.deployment.update.prefix import DEFAULT, Prefix
from holdfast.deployment.update.steps import UpdateOrder, look, resume, update

DESCRIPTION = """\
With --from: fetch the newest release from a folder or a web server, believe only what is signed,
build it beside the one that runs, back up all sites, let it test itself, and switch to it while no
site is RUNNING. Unless all sites are as well as before within --within minutes, the one before runs
again, and this one is not tried any more. It may be cut off at any point: run it again.

--check only tells whether there is a newer release; 1 if there is. --back goes back to the release
before, and does not go to the present one again unless --again names it. --status tells what runs,
what is being tried, and what has failed.
"""
_SITES = Path("/var/lib/holdfast")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--from", dest="where", metavar="FOLDER_OR_URL", help="where releases are")
    what.add_argument("--back", action="store_true", help="go back to the release before")
    what.add_argument("--status", action="store_true", help="tell what runs here")
    what.add_argument("--again", metavar="VERSION", help="let this one be tried that has failed")
    parser.add_argument("--check", action="store_true", help="with --from: only look")
    parser.add_argument("--when-idle", action="store_true", help="wait for sites that are RUNNING")
    parser.add_argument(
        "--within",
        type=int,
        choices=range(1, 1441),
        default=10,
        metavar="MINUTES",
        help="so soon the sites have to be well (default: 10)",
    )
    parser.add_argument(
        "--prefix", type=Path, default=DEFAULT, help=f"what is updated (default: {DEFAULT})"
    )
    parser.add_argument(
        "--sites", type=Path, default=_SITES, help=f"the folder of the sites (default: {_SITES})"
    )


def execute(options: argparse.Namespace) -> int:
    """Does what is asked; 1 if --check finds a newer release, or --back does not come through."""
    prefix = Prefix(folder=options.prefix.absolute())
    if options.status:
        return _status(prefix)
    if options.back:
        return 1 if subprocess.run([str(prefix.program), "back"], check=False).returncode else 0
    with prefix.alone():
        if options.again is not None:
            return _again(prefix, options.again)
        return _update(prefix, options)


def _update(prefix: Prefix, options: argparse.Namespace) -> int:
    order = UpdateOrder(
        prefix=prefix,
        where=options.where,
        sites=site_configs(options.sites),
        when_idle=options.when_idle,
        minutes=options.within,
        tell=lambda text: print(text, flush=True),
    )
    trial = prefix.trial
    if trial is not None:
        print(f"{trial.version} is being tried already: waiting for what becomes of it", flush=True)
        resume(order)
    found = look(order)
    present = prefix.version(prefix.current)
    if found is None:
        print(f"{present} is the newest release")
        return 0
    print(f"{found.facts.version} is there, and {present} is installed", flush=True)
    if options.check:
        return 1
    update(order, found)
    print(f"{found.facts.version} runs")
    return 0


def _again(prefix: Prefix, version: str) -> int:
    if version not in prefix.failed:
        raise ConfigError(
            f"{version} has not failed here; {', '.join(prefix.failed) or 'none'} has"
        )
    prefix.forgive(version)
    print(f"{version} may be tried again")
    return 0


def _status(prefix: Prefix) -> int:
    present, other, trial = prefix.current, prefix.other, prefix.trial
    print(f"slot {present} runs: {prefix.version(present)}")
    print(f"slot {other}: {prefix.version(other) or 'nothing that is whole'}")
    if trial is not None:
        print(f"{trial.version} is being tried; {trial.attempts_left} more attempts")
    if prefix.failed:
        print(f"not tried again: {', '.join(prefix.failed)}")
    return 0
